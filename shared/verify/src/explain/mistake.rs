//! The known mistakes: a code for programs, a sentence for people.

use crate::secret::SecretFault;

/// A known mistake. Holds nothing of a secret, and no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// No secret was given.
    SecretNone,
    /// A secret is no secret of the profile.
    SecretMalformed(SecretFault),
    /// The secret given has white space around it, or the sender's had some.
    SecretWhiteSpace,
    /// The secret's prefix is missing.
    SecretPrefixMissing,
    /// The secret's prefix stands there twice.
    SecretPrefixDoubled,
    /// The key was decoded from the secret where its text is the key.
    SecretDecoded,
    /// The secret's text was the key where it is to be decoded.
    SecretNotDecoded,
    /// A header is missing, or lacks its part.
    HeaderMissing(String),
    /// A header is too long to be read.
    HeaderTooLong(String),
    /// The hook is of another profile.
    OtherProfile {
        /// The name of the profile that the hook looks like.
        name: String,
        /// Whether the hook verifies as that one, its time aside.
        verifies: bool,
    },
    /// The id holds what follows it in the signed text.
    IdAmbiguous,
    /// The timestamp is missing.
    TimestampMissing,
    /// The timestamp is no whole number of seconds.
    TimestampMalformed,
    /// The timestamp is too old.
    TimestampStale {
        /// How far the timestamp lies in the past, in seconds.
        by_s: u64,
    },
    /// The timestamp is in the future.
    TimestampFuture {
        /// How far the timestamp lies ahead, in seconds.
        by_s: u64,
    },
    /// The timestamp's header is in milliseconds.
    TimestampMilliseconds,
    /// The header is in seconds, and what was signed in milliseconds, or the other way round.
    TimestampSignedOtherwise,
    /// The body alone was signed.
    BodyAloneSigned,
    /// The signature is shorter than its algorithm's.
    SignatureTruncated,
    /// The signature is in base 64, and hexadecimal is expected.
    SignatureBase64,
    /// The signature is in hexadecimal, and base 64 is expected.
    SignatureHex,
    /// The signature is in URL-safe base 64, and the standard alphabet is expected.
    SignatureBase64Url,
    /// The signature is in base 64 without its padding.
    SignaturePadding,
    /// The signature is in hexadecimal of upper case.
    SignatureUpperCase,
    /// The signature's prefix is missing.
    SignaturePrefixMissing,
    /// The signature's prefix stands there twice.
    SignaturePrefixDoubled,
    /// The signature in the header is not the one in the body.
    SignaturesDiffer,
    /// No signature is of the key's algorithm.
    SignatureAlgorithm,
    /// The signature covers the body written again, not the bytes given.
    BodyRewritten(Rewriting),
    /// The body given ends in a line end that was not signed.
    BodyNewlineAdded,
    /// What was signed ended in a line end that the body given lacks.
    BodyNewlineLost,
    /// The body given is base 64 of what was signed.
    BodyBase64,
    /// What was signed is base 64 of the body given.
    BodyDecoded,
    /// The body is not whole.
    BodyTruncated,
    /// The profile's own signature holds, and Standard Webhooks' beside it does not.
    StandardBeside,
    /// None of the above: the body was changed, or the secret is another.
    BodyOrSecret,
}

/// How a body was written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rewriting {
    /// The body was parsed and written again by JavaScript, as `JSON.stringify(JSON.parse(body))`.
    JsonStringify,
    /// The body was written by Python's `json.dumps`, with all but ASCII escaped.
    PythonDumps,
    /// The body was written by Python's `json.dumps` with `ensure_ascii=False`.
    PythonDumpsUnicode,
    /// The body was indented by two spaces.
    Pretty2,
    /// The body was indented by four spaces.
    Pretty4,
    /// The body's members were sorted by name.
    Sorted,
}

impl Mistake {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SecretNone => "secret_none",
            Self::SecretMalformed(_) => "secret_malformed",
            Self::SecretWhiteSpace => "secret_white_space",
            Self::SecretPrefixMissing => "secret_prefix_missing",
            Self::SecretPrefixDoubled => "secret_prefix_doubled",
            Self::SecretDecoded => "secret_decoded",
            Self::SecretNotDecoded => "secret_not_decoded",
            Self::HeaderMissing(_) => "header_missing",
            Self::HeaderTooLong(_) => "header_too_long",
            Self::OtherProfile { .. } => "other_profile",
            Self::IdAmbiguous => "id_ambiguous",
            Self::TimestampMissing => "timestamp_missing",
            Self::TimestampMalformed => "timestamp_malformed",
            Self::TimestampStale { .. } => "timestamp_stale",
            Self::TimestampFuture { .. } => "timestamp_future",
            Self::TimestampMilliseconds => "timestamp_milliseconds",
            Self::TimestampSignedOtherwise => "timestamp_signed_otherwise",
            Self::BodyAloneSigned => "body_alone_signed",
            Self::SignatureTruncated => "signature_truncated",
            Self::SignatureBase64 => "signature_base64",
            Self::SignatureHex => "signature_hex",
            Self::SignatureBase64Url => "signature_base64_url",
            Self::SignaturePadding => "signature_padding",
            Self::SignatureUpperCase => "signature_upper_case",
            Self::SignaturePrefixMissing => "signature_prefix_missing",
            Self::SignaturePrefixDoubled => "signature_prefix_doubled",
            Self::SignaturesDiffer => "signatures_differ",
            Self::SignatureAlgorithm => "signature_algorithm",
            Self::BodyRewritten(rewriting) => rewriting.code(),
            Self::BodyNewlineAdded => "body_newline_added",
            Self::BodyNewlineLost => "body_newline_lost",
            Self::BodyBase64 => "body_base64",
            Self::BodyDecoded => "body_decoded",
            Self::BodyTruncated => "body_truncated",
            Self::StandardBeside => "standard_beside",
            Self::BodyOrSecret => "body_or_secret",
        }
    }
}

impl Rewriting {
    fn code(self) -> &'static str {
        match self {
            Self::JsonStringify => "body_json_stringify",
            Self::PythonDumps => "body_python_dumps",
            Self::PythonDumpsUnicode => "body_python_dumps_unicode",
            Self::Pretty2 => "body_pretty_2",
            Self::Pretty4 => "body_pretty_4",
            Self::Sorted => "body_sorted",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::JsonStringify => "as JSON.stringify writes it",
            Self::PythonDumps => "as Python's json.dumps writes it",
            Self::PythonDumpsUnicode => "as Python's json.dumps writes it with ensure_ascii=False",
            Self::Pretty2 => "indented by two spaces",
            Self::Pretty4 => "indented by four spaces",
            Self::Sorted => "with its members sorted by name",
        }
    }
}
