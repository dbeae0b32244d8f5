//! The signatures that a header may mean, however they are written.
//!
//! A signature counts only whole: a part of one is never compared, or whoever sees explanations
//! could find a signature byte by byte.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::mistake::Mistake;
use crate::algorithm::{Algorithm, Encoding};
use crate::profile::{Profile, Variant};

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// A signature's bytes, whose they may be, and the mistakes in its writing.
pub(super) struct Candidate {
    pub(super) algorithm: Algorithm,
    pub(super) bytes: Vec<u8>,
    pub(super) mistakes: Vec<Mistake>,
}

/// All that the items may mean, rightly written ones first.
pub(super) fn candidates<'i>(
    profile: &Profile,
    items: impl Iterator<Item = &'i str>,
) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = items
        .flat_map(|item| profile.variants.iter().filter_map(|variant| read(variant, item)))
        .collect();
    found.sort_by_key(|candidate| candidate.mistakes.len());
    found
}

fn read(variant: &Variant, item: &str) -> Option<Candidate> {
    let (inner, prefix) = unwrap(variant, item.trim());
    let (bytes, writing) = decode(variant.encoding, inner)?;
    let mistakes: Vec<Mistake> = prefix.into_iter().chain(writing).collect();
    let algorithm = variant.algorithm;
    (bytes.len() == algorithm.length()).then_some(Candidate { algorithm, bytes, mistakes })
}

fn unwrap<'i>(variant: &Variant, item: &'i str) -> (&'i str, Option<Mistake>) {
    match variant.strip(item) {
        None => (item, Some(Mistake::SignaturePrefixMissing)),
        Some(inner) if variant.before.is_empty() => (inner, None),
        Some(inner) => match variant.strip(inner) {
            None => (inner, None),
            Some(inner) => (inner, Some(Mistake::SignaturePrefixDoubled)),
        },
    }
}

fn decode(encoding: Encoding, text: &str) -> Option<(Vec<u8>, Option<Mistake>)> {
    if let Some(bytes) = encoding.decode(text) {
        return Some((bytes, None));
    }
    let lower = text.to_ascii_lowercase();
    match encoding {
        Encoding::Hex => Encoding::Hex
            .decode(&lower)
            .map(|bytes| (bytes, Some(Mistake::SignatureUpperCase)))
            .or_else(|| Some((any_base64(text)?, Some(Mistake::SignatureBase64)))),
        Encoding::Base64 => {
            let mistake = if text.contains(['-', '_']) {
                Mistake::SignatureBase64Url
            } else {
                Mistake::SignaturePadding
            };
            any_base64(text).map(|bytes| (bytes, Some(mistake)))
        }
    }
}

/// Hexadecimal is base 64 too, of another length: so it is asked for by length.
pub(super) fn hex_for_base64<'i>(
    profile: &Profile,
    items: impl Iterator<Item = &'i str>,
) -> Vec<Candidate> {
    let read = |variant: &Variant, item: &str| {
        let (inner, prefix) = unwrap(variant, item.trim());
        let bytes = Encoding::Hex.decode(&inner.to_ascii_lowercase())?;
        let mistakes = prefix.into_iter().chain([Mistake::SignatureHex]).collect();
        let algorithm = variant.algorithm;
        (bytes.len() == algorithm.length()).then_some(Candidate { algorithm, bytes, mistakes })
    };
    items
        .flat_map(|item| {
            profile
                .variants
                .iter()
                .filter(|variant| variant.encoding == Encoding::Base64)
                .filter_map(move |variant| read(variant, item))
        })
        .collect()
}

fn any_base64(text: &str) -> Option<Vec<u8>> {
    let standard = GeneralPurpose::new(&STANDARD, ANY_PADDING);
    let url_safe = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);
    standard.decode(text).or_else(|_| url_safe.decode(text)).ok()
}

/// What is wrong with the items on their face, where none of them matched.
pub(super) fn fault<'i>(
    profile: &Profile,
    items: impl Iterator<Item = &'i str>,
    algorithms: &[Algorithm],
) -> Option<Mistake> {
    let mut others = false;
    for item in items {
        let variant = profile.variants.iter().find(|variant| variant.strip(item).is_some());
        match variant {
            Some(variant) if algorithms.contains(&variant.algorithm) => {
                let (inner, _) = unwrap(variant, item);
                let bytes = decode(variant.encoding, inner).map_or(0, |(bytes, _)| bytes.len());
                let digits = match variant.encoding {
                    Encoding::Hex => inner.len() / 2,
                    Encoding::Base64 => inner.len() * 3 / 4,
                };
                let short = bytes.max(digits) < variant.algorithm.length();
                return short.then_some(Mistake::SignatureTruncated);
            }
            Some(_) => others = true,
            None => {}
        }
    }
    others.then_some(Mistake::SignatureAlgorithm)
}
