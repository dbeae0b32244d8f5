//! Writing a tree: in a language's values, with a layout, perhaps sorted.

use super::node::{Member, Node};
use super::{number, order, text};

/// The language whose rules hold for numbers and for the order of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Values as JavaScript writes them: `JSON.stringify(JSON.parse(text))`.
    JavaScript,
    /// Values as Python writes them: `json.dumps(json.loads(text))`.
    Python,
    /// Values as JavaScript writes them, except that a value which it would change stays as it
    /// came.
    Kept,
}

/// Where white space is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// No white space is written.
    Compact,
    /// A space follows each comma and each colon.
    Spaced,
    /// A line for each value, indented by so many spaces.
    Pretty(usize),
}

/// A way to write JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// The language whose rules hold for numbers and for the order of members.
    pub(crate) dialect: Dialect,
    /// Where white space is written.
    pub(crate) layout: Layout,
    /// Whether all but ASCII is escaped.
    pub(crate) ascii: bool,
    /// Whether members are sorted by name.
    pub(crate) sorted: bool,
    /// Bytes after which it is given up: indentation can be a hundred times the text.
    pub(crate) bytes_max: usize,
}

impl Style {
    /// Compact, non-ASCII raw, in order.
    pub(crate) fn compact(dialect: Dialect) -> Self {
        Self {
            dialect,
            layout: Layout::Compact,
            ascii: false,
            sorted: false,
            bytes_max: usize::MAX,
        }
    }

    /// The text of a tree; none where it is longer than its bound.
    pub(crate) fn write_within(self, node: &Node<'_>) -> Option<String> {
        Some(self.write(node)).filter(|text| text.len() <= self.bytes_max)
    }

    /// The text of a tree, cut off somewhere beyond its bound.
    pub(crate) fn write(self, node: &Node<'_>) -> String {
        let mut out = String::new();
        self.value(&mut out, node, 1);
        out
    }

    fn value(self, out: &mut String, node: &Node<'_>, level: usize) {
        match node {
            Node::Word(word) => out.push_str(word),
            Node::Number(written) => out.push_str(&self.number(written)),
            Node::Text(raw) => text::write(out, raw, self.ascii),
            Node::Array(items) => self.list(out, ['[', ']'], items, level, |out, item| {
                self.value(out, item, level + 1);
            }),
            Node::Object(members) => {
                let members = self.members(members);
                self.list(out, ['{', '}'], &members, level, |out, member| {
                    text::write(out, member.name, self.ascii);
                    out.push_str(if self.layout == Layout::Compact { ":" } else { ": " });
                    self.value(out, &member.value, level + 1);
                });
            }
        }
    }

    fn list<T>(
        self,
        out: &mut String,
        [open, close]: [char; 2],
        items: &[T],
        level: usize,
        item: impl Fn(&mut String, &T),
    ) {
        out.push(open);
        for (index, one) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(if self.layout == Layout::Spaced { ", " } else { "," });
            }
            self.line(out, level);
            item(out, one);
            if out.len() > self.bytes_max {
                return;
            }
        }
        if !items.is_empty() {
            self.line(out, level - 1);
        }
        out.push(close);
    }

    fn line(self, out: &mut String, level: usize) {
        if let Layout::Pretty(spaces) = self.layout {
            out.push('\n');
            out.push_str(&" ".repeat(level * spaces));
        }
    }

    fn members<'n, 'a>(self, members: &'n [Member<'a>]) -> Vec<&'n Member<'a>> {
        let held = match self.dialect {
            Dialect::JavaScript => order::javascript(members),
            Dialect::Python => order::deduplicate(members),
            Dialect::Kept => members.iter().collect(),
        };
        if self.sorted { order::sort(held) } else { held }
    }

    fn number(self, written: &str) -> String {
        match self.dialect {
            Dialect::JavaScript => number::javascript(written),
            Dialect::Python => number::python(written),
            Dialect::Kept if number::is_exact(written) => number::javascript(written),
            Dialect::Kept => written.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn indentation_is_given_up_beyond_its_bound() {
        let text = format!("{}{}0{}", "[".repeat(60), "0,".repeat(10_000), "]".repeat(60));
        let node = parse(&text).unwrap();
        let style = |bytes_max| Style {
            layout: Layout::Pretty(4),
            bytes_max,
            ..Style::compact(Dialect::JavaScript)
        };
        let whole = style(usize::MAX).write(&node);
        assert!(whole.len() > 100 * text.len());
        assert_eq!(style(whole.len()).write_within(&node).as_ref(), Some(&whole));
        assert_eq!(style(whole.len() - 1).write_within(&node), None);
        assert!(style(1_000).write(&node).len() < 20_000, "it stops soon after");
    }
}
