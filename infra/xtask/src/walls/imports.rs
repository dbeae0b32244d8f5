//! Which file of a crate imports which, by their `use` lines, and the circles that these make.
//!
//! A `pub use` of a module's own children counts for nothing, unless the module's code uses the name itself: it
//! is a table of contents. Tests count for nothing either: they may look at whatever they test.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::source;

/// The place of a module: the names of the modules above it, and its own.
type Place = Vec<String>;

/// A crate's files, and what each of them imports.
#[derive(Debug, Default)]
pub(super) struct Crate {
    files: BTreeMap<Place, String>,
    imports: BTreeMap<Place, Vec<Import>>,
}

/// One path of a `use`.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    path: Vec<String>,
    /// Whether it is for others, and for others only.
    is_passed_on: bool,
}

impl Crate {
    /// Takes a file, by its path under `src`.
    pub(super) fn add(&mut self, file: &str, text: &str) {
        let mut place: Place = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if place.iter().any(|name| name == "tests") {
            return;
        }
        if place.len() == 1 && place.iter().any(|name| name == "lib" || name == "main") {
            place.clear();
        }
        self.imports.entry(place.clone()).or_default().extend(imports(text));
        self.files.insert(place, file.to_owned());
    }

    /// The files that a file imports.
    fn imported_by(&self, place: &Place) -> BTreeSet<&Place> {
        let imports = self.imports.get(place).into_iter().flatten();
        imports.filter_map(|import| self.resolve(place, import)).collect()
    }

    /// The file that an import names, if it is another one of this crate.
    fn resolve(&self, from: &Place, import: &Import) -> Option<&Place> {
        let mut names = import.path.iter().map(String::as_str).peekable();
        let mut at: Place = match names.peek().copied()? {
            "crate" => Place::new(),
            "self" | "super" => from.clone(),
            child if self.files.contains_key(&join(from, child)) => from.clone(),
            _ => return None,
        };
        while let Some(name) = names.next_if(|name| matches!(*name, "crate" | "self" | "super")) {
            if name == "super" {
                at.pop();
            }
        }
        for name in names {
            let inner = join(&at, name);
            if !self.files.contains_key(&inner) {
                break;
            }
            at = inner;
        }
        let is_contents = import.is_passed_on && at.starts_with(from);
        let (place, _) = self.files.get_key_value(&at)?;
        (place != from && !is_contents).then_some(place)
    }

    /// Every file that a file imports, or that those import, and so on.
    fn reached_from<'a>(&'a self, place: &Place) -> BTreeSet<&'a Place> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Place> = self.imported_by(place).into_iter().collect();
        while let Some(found) = next.pop() {
            if reached.insert(found) {
                next.extend(self.imported_by(found));
            }
        }
        reached
    }
}

fn join(place: &Place, name: &str) -> Place {
    place.iter().cloned().chain([name.to_owned()]).collect()
}

/// The circles of a crate: files each of which reaches all the others, by name.
pub(super) fn circles(found: &Crate) -> Vec<Vec<String>> {
    let reached: BTreeMap<&Place, BTreeSet<&Place>> =
        found.files.keys().map(|place| (place, found.reached_from(place))).collect();
    let reaches = |from: &Place, to: &Place| reached.get(from).is_some_and(|all| all.contains(to));
    let mut circles = BTreeSet::new();
    for place in found.files.keys().filter(|place| reaches(place, place)) {
        let members = found.files.iter().filter(|(other, _)| {
            *other == place || (reaches(place, other) && reaches(other, place))
        });
        circles.insert(members.map(|(_, file)| file.clone()).collect::<Vec<_>>());
    }
    circles.into_iter().collect()
}

/// The paths that a text imports, outside of its tests.
fn imports(text: &str) -> Vec<Import> {
    let code = source::code(text);
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let statements = statements(code);
    let mut rest = code.to_owned();
    for statement in &statements {
        rest = rest.replace(statement.text, "");
    }
    let used: BTreeSet<&str> = words(&rest).collect();
    let mut found = Vec::new();
    for statement in &statements {
        for (path, name) in expand(&statement.tree()) {
            let is_passed_on = statement.is_public && name != "*" && !used.contains(name.as_str());
            found.push(Import { path, is_passed_on });
        }
    }
    found
}

/// The paths that code names in its `use` statements.
pub(super) fn paths(code: &str) -> Vec<Vec<String>> {
    let trees = statements(code).into_iter().map(|statement| statement.tree());
    trees.flat_map(|tree| expand(&tree)).map(|(path, _)| path).collect()
}

/// The words and names of code.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// A `use`, without the word itself.
struct Statement<'a> {
    text: &'a str,
    is_public: bool,
}

impl Statement<'_> {
    /// What it imports, on one line.
    fn tree(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Each `use` of code.
fn statements(code: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    for (at, word) in code.match_indices("use") {
        let (before, after) = (code.get(..at), code.get(at + word.len()..));
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '#';
        // With `<` it is no statement: it says what a type captures.
        if !before.ends_with(is_word) && after.starts_with(char::is_whitespace) {
            let text = after.split(';').next().unwrap_or_default();
            found.push(Statement { text, is_public: is_visibility(before.trim_end()) });
        }
    }
    found
}

/// Whether code ends in `pub`, or `pub(…)`.
fn is_visibility(before: &str) -> bool {
    let scope = before.strip_suffix(')').and_then(|scope| scope.rsplit_once('('));
    scope.map_or(before, |(word, _)| word).ends_with("pub")
}

/// `a::{b, c::{d, e as f}}` as `a::b`, `a::c::d` and `a::c::e`, each with the name that it is known by.
fn expand(tree: &str) -> Vec<(Vec<String>, String)> {
    let Some((before, inside)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let names = path.split("::").map(|name| name.trim().to_owned());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        let Some(name) = names.iter().rev().find(|name| *name != "self").cloned() else {
            return Vec::new();
        };
        let alias = alias.trim().to_owned();
        return vec![(names, if alias.is_empty() { name } else { alias })];
    };
    let inside = inside.rsplit_once('}').map_or(inside, |(inside, _)| inside);
    let parts = split_list(inside);
    parts.iter().flat_map(|part| expand(&format!("{before}{}", part.trim()))).collect()
}

/// A list's parts, at the commas that are in no inner braces.
fn split_list(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut found = Crate::default();
        for (file, text) in files {
            found.add(file, text);
        }
        circles(&found)
    }

    #[test]
    fn a_tree_of_imports_is_its_paths() {
        let paths = |tree: &str| -> Vec<String> {
            expand(tree).into_iter().map(|(path, _)| path.join("::")).collect()
        };
        assert_eq!(paths("crate::a::B"), ["crate::a::B"]);
        let tree = "super::{a::{B, C as D}, self, e}";
        assert_eq!(paths(tree), ["super::a::B", "super::a::C", "super::self", "super::e"]);
        let long = imports("use crate::{\n    a,\n    b::C,\n};\n// use crate::d;\n");
        assert_eq!(long.len(), 2, "{long:?}");
    }

    #[test]
    fn a_circle_is_found_through_items_parents_and_long_lists() {
        let files = [
            ("lib.rs", "pub mod a;\npub mod b;\npub mod c;\n"),
            ("a.rs", "use crate::b::Item;\n"),
            ("b.rs", "use std::fmt;\n\nuse crate::{\n    c::inner::{Thing, Other},\n};\n"),
            ("c.rs", "pub mod inner;\n"),
            ("c/inner.rs", "use super::super::a;\n"),
        ];
        assert_eq!(circles_of(&files), [["a.rs", "b.rs", "c/inner.rs"]]);
    }

    #[test]
    fn a_table_of_contents_and_a_test_make_no_circle() {
        let parent = "mod child;\n\npub use child::Child;\npub use self::child::other;\n";
        let child =
            "use super::Parent;\n\n#[cfg(test)]\nmod tests {\n    use crate::far::Far;\n}\n";
        let far = "use crate::parent::Child;\n";
        let files = [("parent.rs", parent), ("parent/child.rs", child), ("far.rs", far)];
        assert_eq!(circles_of(&files), [[""; 0]; 0]);
        // What the parent uses itself it imports, whoever else gets it from there.
        for parent in [
            "mod child;\npub use self::child::{Child, other};\ntrait All: Child {}\n",
            "mod child;\npub use self::child::Child as Own;\npub(crate) use self::child::other;\nfn a(_: Own) {}\n",
            "mod child;\npub use self::child::*;\n",
        ] {
            let used = [("parent.rs", parent), ("parent/child.rs", child)];
            assert_eq!(circles_of(&used), [["parent.rs", "parent/child.rs"]], "{parent}");
        }
        let used = [("parent.rs", "use child::Child;\n"), ("parent/child.rs", child)];
        assert_eq!(circles_of(&used), [["parent.rs", "parent/child.rs"]]);
    }
}
