//! What a text may be like.

use super::wildcard::Wildcard;
use crate::work::steps_of;

/// Characters whose case is looked up in one step.
const CHARS_PER_STEP: usize = 4;

/// A likeness to a text. Where the case is ignored, the text is folded already.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Likeness {
    Prefix(String),
    PrefixIgnoringCase(String),
    Suffix(String),
    SuffixIgnoringCase(String),
    EqualIgnoringCase(String),
    Wildcard(Wildcard),
}

impl Likeness {
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::PrefixIgnoringCase(prefix) => begins(fold_case(text), prefix.chars()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::SuffixIgnoringCase(suffix) => {
                let backwards = text.chars().rev().flat_map(|char| char.to_lowercase().rev());
                begins(backwards, suffix.chars().rev())
            }
            Self::EqualIgnoringCase(wanted) => fold_case(text).eq(wanted.chars()),
            Self::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

impl Likeness {
    /// Returns the steps of comparing a text with it.
    pub(super) fn steps(&self, text: &str) -> usize {
        match self {
            Self::Prefix(wanted) | Self::Suffix(wanted) => {
                1 + steps_of(wanted.len().min(text.len()))
            }
            Self::PrefixIgnoringCase(wanted)
            | Self::SuffixIgnoringCase(wanted)
            | Self::EqualIgnoringCase(wanted) => 1 + wanted.len().min(text.len()) / CHARS_PER_STEP,
            Self::Wildcard(wildcard) => wildcard.steps(text),
        }
    }
}

/// A text for comparison without case: each letter for itself, whatever its neighbours.
pub(super) fn fold(text: &str) -> String {
    fold_case(text).collect()
}

fn fold_case(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

fn begins(mut text: impl Iterator<Item = char>, mut wanted: impl Iterator<Item = char>) -> bool {
    wanted.all(|char| text.next() == Some(char))
}
