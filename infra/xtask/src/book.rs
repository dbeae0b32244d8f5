//! The book: `PROTOCOL.md` and `infra/docs`, compared with the code that they tell of.
//!
//! Steps and sections that the code cites must be in the protocol, and its steps must be cited; functions,
//! names, constants and guards that the book names must be in the code. Called by the lint; a
//! test here runs it too.

mod markdown;
mod names;
pub(crate) mod source;

use std::collections::BTreeSet;

use self::source::{Declarations, File, Kind};

/// The page whose steps and sections the code cites.
const PROTOCOL: &str = "shared/flows/PROTOCOL.md";
/// What speaks of steps and sections, too: existence is checked, and they cite nothing for the code.
const PROSE: [&str; 2] = ["infra/docs", "infra/decisions"];
/// What else may cite a step or a section, and names nothing of the code that is checked.
const CITING: [&str; 4] = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "template.yaml"];
const CITING_PROGRAMS: &str = "infra/tools";
/// This lint speaks of steps in general.
const ITSELF: &str = "infra/xtask/";

/// A file, a line of it, and what is wrong there.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    file: String,
    line: usize,
    detail: String,
}

impl Fault {
    fn new(file: &str, line: usize, detail: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, detail: detail.into() }
    }
}

/// Says everything in which book and code differ.
pub(crate) fn check() -> Result<(), String> {
    println!("── the book");
    let protocol = source::read(PROTOCOL)?;
    let mut code = Vec::new();
    for folder in ["functions", "infra", "shared", "tests"] {
        code.extend(source::files(folder, ".rs")?);
    }
    let mut prose = Vec::new();
    for folder in PROSE {
        prose.extend(source::files(folder, ".md")?);
    }
    let mut citing = source::files(CITING_PROGRAMS, ".py")?;
    for file in CITING {
        citing.push(source::read(file)?);
    }
    let mut faults = check_citations(&protocol, &code, prose.iter().chain(&citing));
    let declared = Declarations::of(&code);
    for page in std::iter::once(&protocol).chain(&prose) {
        if !page.path.starts_with("infra/decisions") {
            faults.extend(names::check_names(page, &declared));
        }
    }
    faults.extend(names::tables(&protocol, &code));
    if faults.is_empty() {
        return Ok(());
    }
    faults.sort();
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}:{}: {}", fault.file, fault.line, fault.detail))
        .collect();
    Err(format!("the book and the code differ:\n{}", lines.join("\n")))
}

/// Steps and sections: every one that is cited exists, also in what a program says, and every step is cited in
/// a comment.
fn check_citations<'a>(
    protocol: &'a File,
    code: &[File],
    prose: impl Iterator<Item = &'a File>,
) -> Vec<Fault> {
    let steps = markdown::steps(&protocol.text);
    let sections = markdown::sections(&protocol.text);
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    let mut look = |file: &File, line: usize, text: &str, is_comment: bool| {
        for step in markdown::cited_steps(text) {
            if !steps.iter().any(|(_, known)| *known == step) {
                faults.push(Fault::new(&file.path, line, format!("{PROTOCOL} has no step {step}")));
            } else if is_comment {
                used.insert(step.to_owned());
            }
        }
        for section in markdown::cited_sections(text) {
            if !sections.contains(&section) {
                let detail = format!("{PROTOCOL} has no section {section}");
                faults.push(Fault::new(&file.path, line, detail));
            }
        }
    };
    for file in code.iter().filter(|file| !file.path.starts_with(ITSELF)) {
        for part in source::parts(&file.text) {
            look(file, part.line, part.text, part.kind == Kind::Comment);
        }
    }
    for file in prose.chain([protocol]) {
        for (index, line) in file.text.lines().enumerate() {
            look(file, index + 1, line, false);
        }
    }
    for (line, step) in steps {
        if !used.contains(step) {
            let detail = format!("no comment in the code cites step {step}");
            faults.push(Fault::new(&protocol.path, line, detail));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_book_is_true_of_the_code() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn a_step_that_is_not_there_and_one_that_nobody_cites_are_named() {
        let protocol =
            file(PROTOCOL, "## 1 In\n| step | what |\n| --- | --- |\n| D1 | a |\n| D2 | b |\n");
        let text = "/// D1, and D9 (§2).\nfn a() { \"D2\"; \"after S8 (§7)\"; S8(); }\n";
        let code = [file("functions/a.rs", text)];
        let prose = [file("infra/docs/b.md", "D2, then T7.")];
        let faults = check_citations(&protocol, &code, prose.iter());
        let told: Vec<_> =
            faults.iter().map(|one| (one.file.as_str(), one.line, one.detail.as_str())).collect();
        assert_eq!(
            told,
            [
                ("functions/a.rs", 1, "shared/flows/PROTOCOL.md has no step D9"),
                ("functions/a.rs", 1, "shared/flows/PROTOCOL.md has no section 2"),
                ("functions/a.rs", 2, "shared/flows/PROTOCOL.md has no step S8"),
                ("functions/a.rs", 2, "shared/flows/PROTOCOL.md has no section 7"),
                ("infra/docs/b.md", 1, "shared/flows/PROTOCOL.md has no step T7"),
                (PROTOCOL, 5, "no comment in the code cites step D2"),
            ]
        );
    }

    #[test]
    fn the_lints_own_comments_cite_nothing() {
        let protocol = file(PROTOCOL, "| I1 | a |\n");
        let code = [file("infra/xtask/src/book.rs", "// I1 and I8\n")];
        let faults = check_citations(&protocol, &code, std::iter::empty());
        assert_eq!(faults, [Fault::new(PROTOCOL, 1, "no comment in the code cites step I1")]);
    }
}
