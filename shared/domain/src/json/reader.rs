//! Reads a text that is JSON into a tree, in one pass: read level by level, a text would be read as often as it is
//! nested deep.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{DEPTH_MAX, Fault, Json, escape_pointer, not_json};

/// A place in a text that serde_json has found to be JSON, so that little can be wrong with it any more.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Where in the tree it is, for faults.
    path: Vec<Step<'a>>,
}

/// A step from a value to one of its parts.
enum Step<'a> {
    Item(usize),
    Member(Cow<'a, str>),
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, path: Vec::new() }
    }

    /// Reads the value that begins next. A fault says that it is nested too deeply, has a lone surrogate, or names
    /// a member twice.
    pub(super) fn read(&mut self) -> Result<Json<'a>, Fault> {
        if self.path.len() > DEPTH_MAX {
            return Err(self.fault(&format!("is nested deeper than {DEPTH_MAX} levels")));
        }
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(Json::String),
            _ => Ok(self.word()),
        }
    }

    fn array(&mut self) -> Result<Json<'a>, Fault> {
        let mut items = Vec::new();
        self.at += 1;
        while !matches!(self.peek(), Some(b']') | None) {
            self.path.push(Step::Item(items.len()));
            items.push(self.read()?);
            self.path.pop();
            self.pass_over(b',');
        }
        self.at += 1;
        Ok(Json::Array(items))
    }

    fn object(&mut self) -> Result<Json<'a>, Fault> {
        let (mut members, mut seen) = (Vec::new(), HashSet::new());
        self.at += 1;
        while !matches!(self.peek(), Some(b'}') | None) {
            let name = self.string()?;
            self.pass_over(b':');
            self.path.push(Step::Member(name.clone()));
            if !seen.insert(name.clone()) {
                return Err(self.fault("is named twice"));
            }
            members.push((name, self.read()?));
            self.path.pop();
            self.pass_over(b',');
        }
        self.at += 1;
        Ok(Json::Object(members))
    }

    /// Reads a string. It borrows where it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let rest = self.rest();
        let (mut is_escape, mut has_escapes) = (false, false);
        let inner = rest.bytes().skip(1).take_while(|byte| {
            let is_end = *byte == b'"' && !is_escape;
            is_escape = *byte == b'\\' && !is_escape;
            has_escapes |= is_escape;
            !is_end
        });
        let length = inner.count();
        self.at += length + 2;
        if !has_escapes {
            return Ok(Cow::Borrowed(rest.get(1..=length).unwrap_or_default()));
        }
        let quoted = rest.get(..length + 2).unwrap_or_default();
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|error| self.fault(&not_json(&error)))
    }

    /// Reads a value without quotes and without parts.
    fn word(&mut self) -> Json<'a> {
        let rest = self.rest();
        let ends = |byte: u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.at += length;
        match rest.get(..length).unwrap_or_default() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            number => Json::Number(Cow::Borrowed(number)),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Returns the next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let spaces = rest.iter().take_while(|byte| is_space(byte)).count();
        self.at += spaces;
        rest.get(spaces).copied()
    }

    fn pass_over(&mut self, wanted: u8) {
        if self.peek() == Some(wanted) {
            self.at += 1;
            self.peek();
        }
    }

    /// Makes a fault of the value that is being read.
    fn fault(&self, detail: &str) -> Fault {
        let steps = self.path.iter().map(|step| match step {
            Step::Item(index) => format!("/{index}"),
            Step::Member(name) => format!("/{}", escape_pointer(name)),
        });
        Fault::new(&steps.collect::<String>(), detail)
    }
}
