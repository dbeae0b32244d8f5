//! What a regular expression costs: its size as an automaton, estimated from its text.

use super::count::{UNCOUNTED, steps_of};

/// Bytes of a state of a compiled expression, forwards and backwards.
const STATE_BYTES: u64 = 64;
/// Bytes of a state where the expression has groups that capture, for which the engine may make a table.
const CAPTURING_STATE_BYTES: u64 = 1_024;
/// Bytes that the smallest expression takes up.
const BASE_BYTES: u64 = 4_096;
/// State visits that take as long as one step: an automaton that must follow all of its states at once is slow,
/// but has little to do in each.
const VISITS_PER_STEP: u64 = 16;

/// A regular expression by what it costs.
#[derive(Debug)]
pub(super) struct Pattern {
    states: u64,
    captures: bool,
    /// The text that a match must begin with.
    prefix: String,
}

impl Pattern {
    pub(super) fn of(text: &str) -> Self {
        let captures = text.match_indices('(').any(|(at, _)| {
            let rest = text.get(at + 1..).unwrap_or_default();
            !rest.starts_with('?') || rest.starts_with("?<")
        });
        Self { states: Scanner::new(text).states(), captures, prefix: prefix(text) }
    }

    /// Estimates the bytes that the expression takes up, compiled.
    pub(super) fn bytes(&self) -> u64 {
        let state_bytes = if self.captures { CAPTURING_STATE_BYTES } else { STATE_BYTES };
        self.states.saturating_mul(state_bytes).saturating_add(BASE_BYTES)
    }

    /// Counts the steps of matching a text.
    pub(super) fn steps(&self, text: &str) -> u64 {
        let visits = self.states.saturating_add(VISITS_PER_STEP);
        (steps_of(text.len()).saturating_mul(visits) / VISITS_PER_STEP).saturating_add(1)
    }

    /// Whether a text may match: false only where it certainly does not.
    pub(super) fn may_match(&self, text: &str) -> bool {
        text.starts_with(&self.prefix)
    }
}

/// The text that each match begins with, where that is plain to see.
fn prefix(text: &str) -> String {
    let Some(rest) = text.strip_prefix('^') else { return String::new() };
    if rest.contains('|') {
        return String::new();
    }
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/');
    let found: String = rest.chars().take_while(plain).collect();
    let next = rest.get(found.len()..).and_then(|rest| rest.chars().next());
    let is_repeated = matches!(next, Some('*' | '?' | '{' | '+'));
    let kept = if is_repeated { found.len().saturating_sub(1) } else { found.len() };
    found.get(..kept).unwrap_or_default().to_owned()
}

/// Adds up states. Each open group has the sum of what it holds and the size of its last atom, which a
/// repetition multiplies.
struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    groups: Vec<(u64, u64)>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), groups: vec![(1, 0)] }
    }

    fn states(mut self) -> u64 {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => {
                    let size = self.escape();
                    self.push(size);
                }
                '[' => {
                    let size = self.class();
                    self.push(size);
                }
                '.' => self.push(32),
                '(' => self.groups.push((0, 0)),
                ')' => self.close(),
                '{' => self.repeat(),
                c => self.push(steps_of(c.len_utf8())),
            }
        }
        while self.groups.len() > 1 {
            self.close();
        }
        self.groups.first().map_or(1, |(sum, last)| sum.saturating_add(*last))
    }

    fn push(&mut self, size: u64) {
        if let Some((sum, last)) = self.groups.last_mut() {
            *sum = sum.saturating_add(*last);
            *last = size;
        }
    }

    fn close(&mut self) {
        if self.groups.len() > 1
            && let Some((sum, last)) = self.groups.pop()
        {
            self.push(sum.saturating_add(last).saturating_add(2));
        }
    }

    /// The size of what stands behind a backslash: properties of Unicode are large, what is not of a class is
    /// most of Unicode.
    fn escape(&mut self) -> u64 {
        match self.rest.next() {
            Some('p' | 'P') => 256,
            Some('D' | 'W' | 'S') => 64,
            _ => 4,
        }
    }

    fn class(&mut self) -> u64 {
        let mut size: u64 = 2;
        let mut is_first = true;
        while let Some(c) = self.rest.next() {
            match c {
                ']' if !is_first => break,
                '^' if is_first => {
                    size = size.saturating_add(32);
                    continue;
                }
                '\\' => size = size.saturating_add(self.escape()),
                c if c.is_ascii() => {}
                _ => size = size.saturating_add(8),
            }
            is_first = false;
        }
        size
    }

    /// Multiplies the last atom by the most that `{n}`, `{n,}` or `{n,m}` asks for.
    fn repeat(&mut self) {
        let (mut most, mut number): (u64, u64) = (1, 0);
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_digit() || *c == ',') {
            match c.to_digit(10) {
                Some(digit) => {
                    number = number.saturating_mul(10).saturating_add(digit.into());
                    most = most.max(number);
                }
                None => number = 0,
            }
        }
        self.rest.next_if_eq(&'}');
        if let Some((_, last)) = self.groups.last_mut() {
            *last = if *last == 0 { 0 } else { last.saturating_mul(most).saturating_add(1) };
            *last = (*last).min(UNCOUNTED / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_has_the_states_of_its_atoms_as_often_as_they_are_repeated() {
        for (text, states) in [
            ("", 1),
            ("abc", 4),
            ("é", 3),
            (".", 33),
            (r"\d", 5),
            (r"\W", 65),
            (r"\pL", 258),
            // A class: the first bracket is of it, and so is one behind a backslash.
            ("[abc]", 3),
            ("[^a]", 35),
            ("[a^]", 3),
            ("[]a]b", 4),
            ("[^]a]b", 36),
            ("[é]", 11),
            (r"[\]]b", 8),
            // Groups, those that are never closed and never opened among them.
            ("(ab)", 5),
            ("(ab", 5),
            ("ab)", 3),
            ("((a)b)", 7),
            ("a{3}", 5),
            ("a{12}", 14),
            ("a{2,4}", 6),
            ("a{4,2}", 6),
            ("a{2,}b", 5),
            ("{3}", 1),
            ("(a{100}){100}", 10_302),
        ] {
            assert_eq!(Pattern::of(text).states, states, "{text}");
        }
        let endless = "a{999999999999}".to_owned() + &"{999999999999}".repeat(3);
        assert_eq!(Pattern::of(&endless).states, UNCOUNTED / 2 + 1);
    }

    #[test]
    fn a_group_captures_unless_it_says_otherwise() {
        for (text, captures) in [
            ("(a)", true),
            ("(?<name>a)", true),
            ("(?:a)(b)", true),
            ("(?:a)", false),
            ("a", false),
        ] {
            assert_eq!(Pattern::of(text).captures, captures, "{text}");
        }
    }

    #[test]
    fn bytes_follow_from_states_and_are_more_where_groups_capture() {
        assert_eq!(Pattern::of("abc").bytes(), 4 * 64 + 4_096);
        assert_eq!(Pattern::of("(a)").bytes(), 4 * 1_024 + 4_096);
    }

    #[test]
    fn each_byte_of_a_text_visits_each_state() {
        // 4 states and 16 for the byte itself, a sixteenth of a step each.
        assert_eq!(Pattern::of("abc").steps(&"x".repeat(32)), 41);
        assert_eq!(Pattern::of("abc").steps(""), 1);
    }

    #[test]
    fn a_match_begins_with_what_is_plain_behind_the_circumflex() {
        for (text, beginning) in [
            ("^abc$", "abc"),
            ("^a_-:/9.", "a_-:/9"),
            ("abc", ""),
            ("^ab|c", ""),
            ("^(a)", ""),
            ("^ab*", "a"),
            ("^ab?", "a"),
            ("^ab+", "a"),
            ("^ab{0,2}", "a"),
        ] {
            assert_eq!(Pattern::of(text).prefix, beginning, "{text}");
        }
        assert!(Pattern::of("^ab").may_match("abc"));
        assert!(!Pattern::of("^ab").may_match("ba"));
        assert!(Pattern::of("ab").may_match("ba"));
    }
}
