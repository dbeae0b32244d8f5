//! A text with gaps.

/// A pattern with stars, as the texts between them. A text matches that begins with the first, ends
/// with the last, and has the others in order between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wildcard {
    first: String,
    middle: Vec<String>,
    /// None where there is no star.
    last: Option<String>,
}

impl Wildcard {
    /// Reads `a*b`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let literal = match char {
                '*' if chars.peek() == Some(&'*') => return Err("has two * in a row"),
                '*' => {
                    parts.push(String::new());
                    continue;
                }
                '\\' => chars
                    .next()
                    .filter(|char| matches!(char, '*' | '\\'))
                    .ok_or("has a \\ before something else than * or \\")?,
                _ => char,
            };
            parts.last_mut().ok_or("is empty")?.push(literal);
        }
        let first = parts.remove(0);
        let last = parts.pop();
        Ok(Self { first, middle: parts, last })
    }

    /// Whether the text is of that form: in time linear in it, as each part takes the first place
    /// that it finds.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(last) = &self.last else { return text == self.first };
        let Some(rest) = text.strip_prefix(self.first.as_str()) else { return false };
        let Some(rest) = rest.strip_suffix(last.as_str()) else { return false };
        let after = |rest: &mut &str, part: &String| {
            let (_, after) = rest.split_once(part.as_str())?;
            *rest = after;
            Some(())
        };
        let mut rest = rest;
        self.middle.iter().all(|part| after(&mut rest, part).is_some())
    }
}
