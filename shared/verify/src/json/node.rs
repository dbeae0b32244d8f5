//! A JSON text as a tree of its own slices: numbers and strings as written, members with places.

use std::ops::Range;

use serde::de::IgnoredAny;

/// Levels of nesting that are read: more than events have, and few enough for the recursion here.
pub const DEPTH_MAX: usize = 64;

/// A JSON value, borrowed from its text.
pub(crate) enum Node<'a> {
    /// `null`, `true` or `false`.
    Word(&'a str),
    /// A number, as written.
    Number(&'a str),
    /// What stands between a string's quotes, its escapes not undone.
    Text(&'a str),
    /// An array, its items in order.
    Array(Vec<Node<'a>>),
    /// An object, its members in order, names perhaps twice.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
pub(crate) struct Member<'a> {
    /// What stands between the name's quotes.
    pub(crate) name: &'a str,
    /// The value of the member.
    pub(crate) value: Node<'a>,
    /// The range from the name's first quote to the value's end, in bytes of the text.
    pub(crate) place: Range<usize>,
}

/// Reads a text; none where it is not JSON, or is too deep.
///
/// serde_json says whether it is JSON at all, so that the reader below need not refuse anything.
pub(crate) fn parse(text: &str) -> Option<Node<'_>> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Reader { text, at: 0 }.value(0)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        match self.peek()? {
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => Some(Node::Text(self.string()?)),
            b't' | b'f' | b'n' => Some(Node::Word(self.run(|byte| byte.is_ascii_lowercase())?)),
            _ => Some(Node::Number(
                self.run(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
                    .filter(|run| !run.is_empty())?,
            )),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Node<'a>> {
        let mut items = Vec::new();
        self.open(depth)?;
        while self.peek()? != b']' {
            items.push(self.value(depth)?);
            self.comma();
        }
        self.at += 1;
        Some(Node::Array(items))
    }

    fn object(&mut self, depth: usize) -> Option<Node<'a>> {
        let mut members = Vec::new();
        self.open(depth)?;
        while self.peek()? != b'}' {
            let start = self.at;
            let name = self.string()?;
            self.peek()?;
            self.at += 1;
            let value = self.value(depth)?;
            members.push(Member { name, value, place: start..self.at });
            self.comma();
        }
        self.at += 1;
        Some(Node::Object(members))
    }

    fn open(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        (depth <= DEPTH_MAX).then_some(())
    }

    fn comma(&mut self) {
        if self.peek() == Some(b',') {
            self.at += 1;
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn run(&mut self, wanted: impl Fn(u8) -> bool) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let length = rest.bytes().take_while(|byte| wanted(*byte)).count();
        self.at += length;
        rest.get(..length)
    }

    fn string(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at + 1..)?;
        let mut escaped = false;
        let length = rest.bytes().position(|byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        })?;
        self.at += length + 2;
        rest.get(..length)
    }
}
