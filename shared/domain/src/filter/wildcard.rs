//! A text with gaps.

use memchr::memmem;

use crate::work::steps_of;

/// A pattern with stars, as the texts between them. A text matches that begins with the first, ends
/// with the last, and has the others in order between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wildcard {
    /// The parts, one behind another: kept as one text, since a pattern may have thousands.
    text: String,
    /// Where each part ends.
    ends: Vec<u32>,
}

impl Wildcard {
    /// Reads `a*b`, or says what is wrong with it.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let (mut text, mut ends) = (String::new(), Vec::new());
        let end_of = |text: &str| u32::try_from(text.len()).map_err(|_| "is too long");
        let mut chars = pattern.chars().peekable();
        while let Some(char) = chars.next() {
            let literal = match char {
                '*' if chars.peek() == Some(&'*') => return Err("has two * in a row"),
                '*' => {
                    ends.push(end_of(&text)?);
                    continue;
                }
                '\\' => chars
                    .next()
                    .filter(|char| matches!(char, '*' | '\\'))
                    .ok_or("has a \\ before something else than * or \\")?,
                _ => char,
            };
            text.push(literal);
        }
        ends.push(end_of(&text)?);
        Ok(Self { text, ends })
    }

    /// Whether the text is of that form: in time linear in it, as each part takes the first place
    /// that it finds.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut parts = self.parts();
        let first = parts.next().unwrap_or_default();
        let Some(last) = parts.next_back() else { return text == first };
        let rest = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
        rest.is_some_and(|rest| parts.try_fold(rest, after).is_some())
    }

    /// Returns the steps of looking for it in a text.
    pub(super) fn steps(&self, text: &str) -> usize {
        self.ends.len() + steps_of(text.len())
    }

    fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        let place = |end: u32| usize::try_from(end).unwrap_or(usize::MAX);
        (0..self.ends.len()).map(move |at| {
            let before = at.checked_sub(1).and_then(|at| self.ends.get(at));
            let start = before.map_or(0, |end| place(*end));
            let end = self.ends.get(at).map_or(start, |end| place(*end));
            self.text.get(start..end).unwrap_or_default()
        })
    }
}

/// Returns what follows the first place of a part.
fn after<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    let at = memmem::find(text.as_bytes(), part.as_bytes())?;
    text.get(at + part.len()..)
}
