//! Names of the code that the book gives: functions, types' members, constants, guards, and what is stored.

use std::collections::BTreeSet;

use super::Fault;
use super::markdown::{self, Row, Table};
use super::source::{self, Declarations, File, Kind};

/// Where nouns, rules and flows are, and so the names that stand for what is stored.
const INSIDE: [&str; 2] = ["shared/domain/", "shared/flows/"];
/// Where each engine's names are, by the header of their column.
const ENGINES: [(&str, &str); 2] =
    [("DynamoDB", "shared/adapters/src/aws"), ("SQLite", "shared/adapters/src/embedded")];

/// Of a page, each `name()` must be a function, and each `Type::name` be declared.
pub(super) fn check_names(page: &File, declared: &Declarations) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        for word in markdown::code(line).filter_map(name_of) {
            let is_there = match word {
                Name::Function(name) => declared.functions.contains(name),
                Name::Member(type_name, name) => declared.has(type_name, name),
            };
            if !is_there {
                faults.push(Fault::new(&page.path, index + 1, format!("the code has no {word}")));
            }
        }
    }
    faults
}

enum Name<'a> {
    Function(&'a str),
    Member(&'a str, &'a str),
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Function(name) => write!(f, "{name}()"),
            Self::Member(type_name, name) => write!(f, "{type_name}::{name}"),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// `name()`, with a path before it or not, or `Type::name`.
fn name_of(code: &str) -> Option<Name<'_>> {
    let function = code.strip_suffix("()");
    let path: Vec<&str> = function.unwrap_or(code).split("::").collect();
    if !path.iter().copied().all(is_word) {
        return None;
    }
    match (function, path.as_slice()) {
        (_, [.., type_name, name]) if type_name.starts_with(char::is_uppercase) => {
            Some(Name::Member(type_name, name))
        }
        (Some(_), [.., name]) => Some(Name::Function(name)),
        _ => None,
    }
}

/// The protocol's tables of constants, guards and stored names.
pub(super) fn tables(protocol: &File, code: &[File]) -> Vec<Fault> {
    let inside = Declarations::of(
        code.iter().filter(|file| INSIDE.iter().any(|folder| file.path.starts_with(folder))),
    );
    let mut book = Book { protocol, inside, faults: Vec::new() };
    let mut kinds = BTreeSet::new();
    for table in markdown::tables(&protocol.text) {
        let kind = table.header.first().copied().unwrap_or_default();
        match kind {
            "constant" => book.constants(&table),
            "guard" => book.guards(&table, code),
            "DynamoDB" => book.check_stored(&table, code),
            "member" => book.members(&table),
            _ => continue,
        }
        kinds.insert(kind);
    }
    for kind in ["constant", "guard", "DynamoDB", "member"] {
        if !kinds.contains(kind) {
            book.fault(1, format!("there is no table whose first column is {kind}"));
        }
    }
    book.faults
}

struct Book<'a> {
    protocol: &'a File,
    /// What is declared where nouns, rules and flows are.
    inside: Declarations,
    faults: Vec<Fault>,
}

impl Book<'_> {
    fn fault(&mut self, line: usize, detail: String) {
        self.faults.push(Fault::new(&self.protocol.path, line, detail));
    }

    /// Each constant's value is what stands in the code.
    fn constants(&mut self, table: &Table<'_>) {
        for row in &table.rows {
            let (name, value) = (code_of(row, 0), code_of(row, 1));
            match self.inside.constants.get(name).cloned() {
                None => self.fault(row.line, format!("domain and flows have no constant {name}")),
                Some(found) if found != value => {
                    self.fault(
                        row.line,
                        format!("{name} is {found} in the code, and {value} here"),
                    );
                }
                Some(_) => {}
            }
        }
    }

    /// The guards are those that the simulation can remove.
    fn guards(&mut self, table: &Table<'_>, code: &[File]) {
        let all = Declarations::of(code);
        let known = all.types.get("BrokenGuard").map(Vec::as_slice).unwrap_or_default();
        let known = known.iter().map(|variant| variant.name.as_str()).collect();
        self.same(table, &known, "a guard of the simulation");
    }

    /// Each engine's names are in its code, and their names in Rust in ours. What DynamoDB really holds, a
    /// test on the emulator compares (`stored_names.rs`).
    fn check_stored(&mut self, table: &Table<'_>, code: &[File]) {
        for (column, header) in table.header.iter().enumerate() {
            let Some((_, folder)) = ENGINES.iter().find(|(engine, _)| engine == header) else {
                continue;
            };
            let words = literal_words(code, folder);
            for row in &table.rows {
                for name in codes(row, column).filter(|name| !words.contains(name)) {
                    self.fault(row.line, format!("no text in {folder} holds {name}"));
                }
            }
            if *header == "SQLite" {
                self.check_columns(table, column, &sql_tables(code, folder));
            }
        }
        let column =
            table.header.iter().position(|header| *header == "in Rust").unwrap_or_default();
        for row in &table.rows {
            let name = code_of(row, column);
            let is_there = name
                .split_once("::")
                .is_some_and(|(type_name, name)| self.inside.has(type_name, name));
            if !is_there {
                self.fault(row.line, format!("domain and flows have no {name}"));
            }
        }
    }

    /// The names of a column are those of one of the tables in SQL, no more and no fewer.
    fn check_columns(&mut self, table: &Table<'_>, column: usize, all: &[BTreeSet<&str>]) {
        let here: BTreeSet<&str> = table.rows.iter().flat_map(|row| codes(row, column)).collect();
        if !all.contains(&here) {
            let line = table.rows.first().map_or(1, |row| row.line);
            let names = here.into_iter().collect::<Vec<_>>().join(", ");
            self.fault(line, format!("no table of SQLite has the columns {names} and no others"));
        }
    }

    /// The members are those that serde makes of a type's fields, each of the field beside it.
    fn members(&mut self, table: &Table<'_>) {
        let Some(first) = table.rows.first() else { return };
        let type_name = code_of(first, 1).split("::").next().unwrap_or_default();
        let fields = self.inside.types.get(type_name).cloned().unwrap_or_default();
        for row in &table.rows {
            let (stored, rust) = (code_of(row, 0), code_of(row, 1));
            let field = fields.iter().find(|field| rust == format!("{type_name}::{}", field.name));
            match field.map(|field| field.stored.as_deref()) {
                Some(Some(found)) if found == stored => {}
                Some(found) => {
                    let found = found.unwrap_or("nothing").to_owned();
                    self.fault(
                        row.line,
                        format!("{rust} is stored as {found}, and as {stored} here"),
                    );
                }
                None => self.fault(row.line, format!("domain and flows have no field {rust}")),
            }
        }
        let known = fields.iter().filter_map(|field| field.stored.as_deref()).collect();
        self.same(table, &known, "a stored member");
    }

    /// The first column is these names, no more and no fewer.
    fn same(&mut self, table: &Table<'_>, known: &BTreeSet<&str>, what: &str) {
        let here: BTreeSet<&str> = table.rows.iter().map(|row| code_of(row, 0)).collect();
        for row in table.rows.iter().filter(|row| !known.contains(code_of(row, 0))) {
            self.fault(row.line, format!("{} is not {what}", code_of(row, 0)));
        }
        let line = table.rows.first().map_or(1, |row| row.line);
        for missing in known.difference(&here) {
            self.fault(line, format!("{missing} is {what}, and has no row"));
        }
    }
}

/// The first name in backticks of a cell.
fn code_of<'a>(row: &Row<'a>, column: usize) -> &'a str {
    codes(row, column).next().unwrap_or_default()
}

fn codes<'a>(row: &Row<'a>, column: usize) -> impl Iterator<Item = &'a str> {
    markdown::code(row.cells.get(column).copied().unwrap_or_default())
}

/// The string literals below a folder.
fn literals<'a>(code: &'a [File], folder: &str) -> impl Iterator<Item = &'a str> {
    let files = code.iter().filter(move |file| file.path.starts_with(folder));
    let parts = files.flat_map(|file| source::parts(&file.text));
    parts.filter(|part| part.kind == Kind::Literal).map(|part| part.text)
}

/// The words of all string literals below a folder.
fn literal_words<'a>(code: &'a [File], folder: &str) -> BTreeSet<&'a str> {
    literals(code, folder).flat_map(words).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The columns of each table that a literal below a folder creates. Those of a key are columns, too.
fn sql_tables<'a>(code: &'a [File], folder: &str) -> Vec<BTreeSet<&'a str>> {
    let statements = literals(code, folder).flat_map(|text| text.split(';'));
    let tables = statements.filter_map(|statement| {
        let (_, columns) =
            statement.split_once("CREATE TABLE IF NOT EXISTS ")?.1.split_once('(')?;
        let firsts = columns.split(',').filter_map(|column| words(column).next());
        Some(firsts.filter(|word| *word != "PRIMARY").collect())
    });
    tables.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    const CODE: &str = "\
pub const WAIT_S: u64 = 15 * 60;
pub struct Row {
    #[serde(rename = \"born\")]
    pub accepted_at: u64,
    pub lane: u8,
}
pub fn judge() {}
";

    fn details(faults: &[Fault]) -> Vec<(usize, &str)> {
        faults.iter().map(|fault| (fault.line, fault.detail.as_str())).collect()
    }

    #[test]
    fn functions_and_members_that_a_page_names_must_be_there() {
        let declared = Declarations::of(&[file("shared/domain/a.rs", CODE)]);
        let page = file(
            "a.md",
            "`judge()`, `domain::judge()`, `Row::lane`, `lane`\n`gone()`, `Row::base`, `a b()`",
        );
        assert_eq!(
            details(&check_names(&page, &declared)),
            [(2, "the code has no gone()"), (2, "the code has no Row::base")]
        );
    }

    const BOOK: &str = "\
| constant | value |
| --- | --- |
| `WAIT_S` | `15 * 60` |

| guard | breaks |
| --- | --- |
| `Watch` | 1 |

| DynamoDB | SQLite | in Rust | meaning |
| --- | --- | --- | --- |
| `born` | `born` | `Row::accepted_at` | a |

| member | in Rust | meaning |
| --- | --- | --- |
| `born` | `Row::accepted_at` | a |
| `lane` | `Row::lane` | b |
";

    const SCHEMA: &str = "const A: &str = \"\\
CREATE TABLE IF NOT EXISTS others (lane INTEGER, born INTEGER);
CREATE TABLE IF NOT EXISTS rows (born INTEGER NOT NULL, PRIMARY KEY (born)) WITHOUT ROWID;
\";\n";

    fn check_page(book: &str) -> Vec<(usize, String)> {
        let code = [
            file("shared/domain/src/a.rs", CODE),
            file("shared/adapters/src/aws/a.rs", "fn a() { set(\"born\", 1); }\n"),
            file("shared/adapters/src/embedded/a.rs", SCHEMA),
            file("tests/src/broken.rs", "pub enum BrokenGuard {\n    Watch,\n}\n"),
        ];
        let faults = tables(&file("p.md", book), &code);
        faults.into_iter().map(|fault| (fault.line, fault.detail)).collect()
    }

    #[test]
    fn tables_that_are_true_have_no_faults() {
        assert_eq!(check_page(BOOK), []);
    }

    #[test]
    fn what_is_no_longer_true_is_named() {
        let one = |from: &str, to: &str| check_page(&BOOK.replacen(from, to, 1));
        let told = |line: usize, detail: &str| vec![(line, detail.to_owned())];
        assert_eq!(
            one("`15 * 60`", "`900`"),
            told(3, "WAIT_S is 15 * 60 in the code, and 900 here")
        );
        assert_eq!(one("`WAIT_S`", "`WAITS`"), told(3, "domain and flows have no constant WAITS"));
        assert_eq!(
            one("`born` | `born` | `Row::acc", "`lane` | `born` | `Row::acc"),
            told(11, "no text in shared/adapters/src/aws holds lane")
        );
        assert_eq!(
            one("`born` | `born`", "`born` | `lane`"),
            told(11, "no table of SQLite has the columns lane and no others")
        );
        assert_eq!(
            one("| `Row::accepted_at` |", "| `Row::born` |"),
            told(11, "domain and flows have no Row::born")
        );
        assert_eq!(
            one("`lane` | `Row::lane`", "`row` | `Row::lane`"),
            [
                (16, "Row::lane is stored as lane, and as row here".to_owned()),
                (16, "row is not a stored member".to_owned()),
                (15, "lane is a stored member, and has no row".to_owned()),
            ]
        );
        assert_eq!(
            one("`Watch`", "`Lease`"),
            [
                (7, "Lease is not a guard of the simulation".to_owned()),
                (7, "Watch is a guard of the simulation, and has no row".to_owned()),
            ]
        );
        assert_eq!(
            one("| guard |", "| other |"),
            told(1, "there is no table whose first column is guard")
        );
    }
}
