//! Rust files as this lint reads them: comments and string literals, and what they declare. No parser: the
//! code is formatted by rustfmt, which puts every member on a line of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::run::root;

/// Folders that hold what others wrote, or what was built.
const FOREIGN: [&str; 3] = ["target", "node_modules", "corpus"];

/// A file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Reads a file of the repository, by its path from the root.
pub(super) fn read(path: &str) -> Result<File, String> {
    let text = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    Ok(File { path: path.to_owned(), text })
}

/// All files below a folder whose names end so, in order; none where there is no such folder.
pub(crate) fn files(folder: &str, ending: &str) -> Result<Vec<File>, String> {
    let mut found = Vec::new();
    if root().join(folder).is_dir() {
        collect(folder, ending, &mut found)?;
    }
    Ok(found)
}

fn collect(folder: &str, ending: &str, found: &mut Vec<File>) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{folder}: {error}");
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join(folder)).map_err(said)? {
        names.push(entry.map_err(said)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        if root().join(Path::new(&path)).is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                collect(&path, ending, found)?;
            }
        } else if name.ends_with(ending) {
            found.push(read(&path)?);
        }
    }
    Ok(())
}

/// What a part of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Literal,
}

/// A comment, or a string literal without its quotes, and the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) kind: Kind,
    pub(super) line: usize,
    pub(super) text: &'a str,
}

/// The comments and string literals of a file, in order. A comment's lines are parts of their own, unless it
/// is a block.
pub(super) fn parts(code: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut line) = (code, 1);
    while !rest.is_empty() {
        let (found, length) = first(rest);
        let (taken, left) = rest.split_at(length);
        if let Some((kind, text)) = found {
            parts.push(Part { kind, line, text });
        }
        line += taken.matches('\n').count();
        rest = left;
    }
    parts
}

/// The code of a file alone: its comments are a space, and its string literals are empty.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (found, length) = first(rest);
        let (taken, left) = rest.split_at(length);
        code.push_str(match found.map(|(kind, _)| kind) {
            Some(Kind::Comment) => " ",
            Some(Kind::Literal) => "\"\"",
            None => taken,
        });
        rest = left;
    }
    code
}

/// What a text begins with, if it is a part, and how many bytes to go on by.
fn first(rest: &str) -> (Option<(Kind, &str)>, usize) {
    if rest.starts_with("//") {
        let text = rest.lines().next().unwrap_or(rest);
        return (Some((Kind::Comment, text)), text.len());
    }
    if let Some(inside) = rest.strip_prefix("/*") {
        let text = inside.split("*/").next().unwrap_or(inside);
        return (Some((Kind::Comment, text)), (text.len() + 4).min(rest.len()));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        let text = inside.get(..find_closing_quote(inside)).unwrap_or(inside);
        return (Some((Kind::Literal, text)), (text.len() + 2).min(rest.len()));
    }
    let hashes =
        rest.strip_prefix('r').map_or(0, |after| after.len() - after.trim_start_matches('#').len());
    let opening = format!("r{}\"", "#".repeat(hashes));
    if let Some(inside) = rest.strip_prefix(&opening) {
        let closing = format!("\"{}", "#".repeat(hashes));
        let text = inside.split(&closing).next().unwrap_or(inside);
        return (
            Some((Kind::Literal, text)),
            (opening.len() + text.len() + closing.len()).min(rest.len()),
        );
    }
    (None, plain(rest))
}

/// Where a literal's closing quote is: the first that no backslash escapes.
fn find_closing_quote(inside: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        if c == '"' && !is_escaped {
            return at;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    inside.len()
}

/// Bytes of a character literal, so that a quote in one opens nothing; else of one character.
fn plain(rest: &str) -> usize {
    for literal in ["'\"'", "'\\\"'", "'\\''"] {
        if rest.starts_with(literal) {
            return literal.len();
        }
    }
    rest.chars().next().map_or(rest.len(), char::len_utf8)
}

/// A field or a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// What serde writes for a field: none where it skips it.
    pub(super) stored: Option<String>,
}

/// The functions, constants and types that files declare, by name.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    pub(super) functions: BTreeSet<String>,
    /// What stands behind the `=`, by name.
    pub(super) constants: BTreeMap<String, String>,
    /// Structs, enums and traits; of several with one name all members.
    pub(super) types: BTreeMap<String, Vec<Member>>,
}

impl Declarations {
    /// Collects what these files declare.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = &'a File>) -> Self {
        let mut all = Self::default();
        for file in files {
            all.read(&file.text);
        }
        all
    }

    fn read(&mut self, text: &str) {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = declared_name(line, "fn ") {
                self.functions.insert(name.to_owned());
            } else if let Some(name) = declared_name(line, "const ") {
                let value = line.split_once(" = ").and_then(|(_, value)| value.strip_suffix(';'));
                self.constants.insert(name.to_owned(), value.unwrap_or_default().to_owned());
            } else if let Some(name) =
                ["struct ", "enum ", "trait "].iter().find_map(|word| declared_name(line, word))
            {
                let members = self.types.entry(name.to_owned()).or_default();
                if line.ends_with('{') && declared_name(line, "trait ").is_none() {
                    members.extend(body(line, &mut lines));
                }
            }
        }
    }

    /// Whether a type has a field, a variant or a function of that name; functions are not told apart by
    /// their types.
    pub(super) fn has(&self, type_name: &str, name: &str) -> bool {
        self.types.get(type_name).is_some_and(|members| {
            members.iter().any(|member| member.name == name) || self.functions.contains(name)
        })
    }
}

/// The name that a line declares with a keyword, before which only such words stand.
fn declared_name<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let (before, after) = line.split_once(keyword)?;
    let mut words = before.split_whitespace();
    words
        .all(|word| word == "async" || word == "const" || word.starts_with("pub"))
        .then(|| identifier(after))
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The members that follow a type's first line, up to the line that closes it.
fn body<'a>(opening: &str, lines: &mut impl Iterator<Item = &'a str>) -> Vec<Member> {
    let depth = indent(opening);
    let mut members = Vec::new();
    let mut attributes = String::new();
    for line in lines.take_while(|line| line.is_empty() || indent(line) > depth) {
        let text = line.trim_start();
        if text.starts_with("#[") {
            attributes.push_str(text);
        } else if indent(line) == depth + 4 && !text.starts_with("//") {
            let name = identifier(without_visibility(text));
            if !name.is_empty() {
                members
                    .push(Member { name: name.to_owned(), stored: stored_name(name, &attributes) });
            }
            attributes.clear();
        }
    }
    members
}

/// `pub` and its scope left out.
fn without_visibility(text: &str) -> &str {
    match text.strip_prefix("pub") {
        Some(after) if after.starts_with('(') => {
            after.split_once(") ").map_or(text, |(_, rest)| rest)
        }
        Some(after) if after.starts_with(' ') => after.trim_start(),
        _ => text,
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name that serde gives a field with these attributes.
fn stored_name(name: &str, attributes: &str) -> Option<String> {
    if attributes.contains("serde(skip)") {
        return None;
    }
    let renamed =
        attributes.split_once("rename = \"").and_then(|(_, after)| after.split('"').next());
    Some(renamed.unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: Kind, line: usize, text: &str) -> Part<'_> {
        Part { kind, line, text }
    }

    #[test]
    fn comments_and_literals_are_told_apart() {
        let code = "let url = \"https://a\"; // b \"c\"\nlet q = ['\"', 'x']; /* d\ne */\nlet s = \"f\\\"g\";\n";
        assert_eq!(
            parts(code),
            [
                part(Kind::Literal, 1, "https://a"),
                part(Kind::Comment, 1, "// b \"c\""),
                part(Kind::Comment, 2, " d\ne "),
                part(Kind::Literal, 4, "f\\\"g"),
            ]
        );
    }

    #[test]
    fn raw_literals_and_lifetimes_do_not_lead_astray() {
        let code = "fn a<'a>(b: &'a str) { r#\"x \"y\" // z\"#; r\"\\\"; }\n/// end\n";
        assert_eq!(
            parts(code),
            [
                part(Kind::Literal, 1, "x \"y\" // z"),
                part(Kind::Literal, 1, "\\"),
                part(Kind::Comment, 2, "/// end"),
            ]
        );
    }

    #[test]
    fn a_file_declares_functions_constants_and_types_with_their_members() {
        let text = "\
/// A fn of nobody's: struct X {
pub(crate) async fn a() {}
pub const B_S: u64 = 15 * 60;
pub struct C {
    /// Doc.
    #[serde(rename = \"born\")]
    pub accepted_at: u64,
    pub(super) plain: Vec<(u8, u8)>,
    #[serde(skip)]
    pub delay_s: u32,
}
pub enum D {
    E,
    F {
        inner: u8,
    },
    G(u8),
}
";
        let declared = Declarations::of(&[File { path: String::new(), text: text.to_owned() }]);
        assert_eq!(declared.functions.iter().collect::<Vec<_>>(), ["a"]);
        assert_eq!(declared.constants["B_S"], "15 * 60");
        let members = |name: &str| -> Vec<(String, Option<String>)> {
            declared.types[name].iter().map(|one| (one.name.clone(), one.stored.clone())).collect()
        };
        let text = |text: &str| text.to_owned();
        assert_eq!(
            members("C"),
            [
                (text("accepted_at"), Some(text("born"))),
                (text("plain"), Some(text("plain"))),
                (text("delay_s"), None),
            ]
        );
        let variants: Vec<_> = members("D").into_iter().map(|(name, _)| name).collect();
        assert_eq!(variants, ["E", "F", "G"]);
        assert!(declared.has("C", "plain") && declared.has("D", "F") && declared.has("D", "a"));
        assert!(!declared.has("C", "inner") && !declared.has("X", "a"));
    }
}
