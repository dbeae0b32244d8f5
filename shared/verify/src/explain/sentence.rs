//! What each mistake is to a person: what is wrong, and what to do.

use std::fmt;

use super::mistake::Mistake;

impl fmt::Display for Mistake {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others need no number or name")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretMalformed(fault) => {
                write!(
                    f,
                    "The secret is not one of this profile: it {fault}. Copy it again, whole."
                )
            }
            Self::HeaderMissing(name) => {
                write!(
                    f,
                    "The header {name} is missing or incomplete. See that a proxy passes it on, that it is looked up in lower case, and that this is the sender's profile."
                )
            }
            Self::HeaderTooLong(name) => {
                write!(
                    f,
                    "The header {name} is over 4096 bytes, which no signature needs. Ask who wrote it."
                )
            }
            Self::OtherProfile { name, verifies: true } => {
                write!(
                    f,
                    "The hook is of the profile {name}, and its signature holds as such. Verify it with that profile."
                )
            }
            Self::OtherProfile { name, verifies: false } => {
                write!(
                    f,
                    "The hook has the headers of the profile {name}, though its signature does not hold as such with this secret. Choose that profile, then look at the secret."
                )
            }
            Self::TimestampStale { by_s } => {
                write!(
                    f,
                    "The timestamp is {by_s} seconds old: too old. Set the receiver's clock, take hooks off the queue sooner, or, if this is a test with a stored hook, send a fresh one."
                )
            }
            Self::TimestampFuture { by_s } => {
                write!(
                    f,
                    "The timestamp is {by_s} seconds in the future. Set the clock of the receiver, or of the sender."
                )
            }
            Self::BodyRewritten(rewriting) => {
                write!(
                    f,
                    "The signature is over the body {}, not over the bytes given. Hash the raw request body, before any framework parses it and writes it again; if these are the raw bytes, the sender signed another text than it sent.",
                    rewriting.words()
                )
            }
            other => f.write_str(other.sentence()),
        }
    }
}

impl Mistake {
    /// The sentence of a mistake that needs no number or name in it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "those with numbers and names are above")]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn sentence(&self) -> &'static str {
        match self {
            Self::SecretNone => {
                "No secret was given. Give the one that the sender showed when the endpoint was created."
            }
            Self::SecretWhiteSpace => {
                "White space around the secret, a line end perhaps, is on one side only. Trim the secret where it is read from a file or a variable, and see that the sender's has none."
            }
            Self::SecretPrefixMissing => {
                "The secret's prefix is missing on one side. Keep the secret whole, its prefix included."
            }
            Self::SecretPrefixDoubled => "The secret's prefix stands there twice. Remove one.",
            Self::SecretDecoded => {
                "The key was decoded from base64, and this profile's key is the secret's whole text. Use the text as it is, prefix included."
            }
            Self::SecretNotDecoded => {
                "The secret's text was used as the key, and this profile's key is the bytes that are base64 after the prefix. Remove the prefix and decode the rest."
            }
            Self::IdAmbiguous => {
                "The id holds the mark that follows it in the signed text, so another hook could have the same signature. The sender must use ids without it."
            }
            Self::TimestampMissing => {
                "The timestamp is missing. See that its header arrives, and that this is the sender's profile."
            }
            Self::TimestampMalformed => {
                "The timestamp is no whole number of seconds since 1970. The sender must write decimal digits only."
            }
            Self::TimestampMilliseconds => {
                "The timestamp's header is in milliseconds. The sender must write seconds: divide by 1000 and drop the rest."
            }
            Self::TimestampSignedOtherwise => {
                "The timestamp that was signed is in another unit than the header's. Sign the header's text itself, in seconds."
            }
            Self::BodyAloneSigned => {
                "The body alone was signed. This profile signs more before it: see what the profile says is signed."
            }
            Self::SignatureTruncated => {
                "The signature is shorter than its algorithm's. Look for a place that cuts it: a column's length, a split at =, a copy by hand."
            }
            Self::SignatureBase64 => {
                "The signature is written in base64, and this profile writes it in hexadecimal."
            }
            Self::SignatureHex => {
                "The signature is written in hexadecimal, and this profile writes it in base64."
            }
            Self::SignatureBase64Url => {
                "The signature is in URL-safe base64 (- and _). Use the standard alphabet (+ and /), with padding."
            }
            Self::SignaturePadding => {
                "The signature's base64 lacks its = at the end. Write it padded."
            }
            Self::SignatureUpperCase => {
                "The signature's hexadecimal is in upper case. Write it in lower case."
            }
            Self::SignaturePrefixMissing => {
                "The signature's prefix is missing. Send it as the profile writes it."
            }
            Self::SignaturePrefixDoubled => {
                "The signature's prefix stands there twice. Remove one."
            }
            Self::SignaturesDiffer => {
                "The signature in the header is not the one in the body. They are one value: see who changed either."
            }
            Self::SignatureAlgorithm => {
                "No signature in the header is of the secret's algorithm. Use the secret or public key for those that are there."
            }
            Self::BodyNewlineAdded => {
                "The body given ends in a line end that was not signed. Hash the raw bytes; look for an editor, echo or println that adds one."
            }
            Self::BodyNewlineLost => {
                "What was signed ends in a line end that the body given lacks. Hash the raw bytes; look for a trim."
            }
            Self::BodyBase64 => {
                "The body given is base64 of what was signed. Decode it first: a Lambda event says so by isBase64Encoded."
            }
            Self::BodyDecoded => {
                "What was signed is base64 of the body given. The sender must sign the bytes that it sends."
            }
            Self::BodyTruncated => {
                "The body is not whole. Read it to its end, and look for a limit on body size before the receiver."
            }
            Self::StandardBeside => {
                "The profile's own signature holds, and Standard Webhooks' headers beside it do not. Their key is derived from the secret; see that all three headers and the body are one attempt's."
            }
            _ => {
                "The body is not the one that was signed, or the secret is not the one that signed it. Compare the secret with the sender's, for this endpoint and this environment, and hash the raw bytes of the body."
            }
        }
    }
}
