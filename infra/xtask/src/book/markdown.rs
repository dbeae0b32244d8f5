//! Markdown as the book uses it: numbered headings, tables, names in backticks, and citations.

/// A table's row that is not its header, and the line that it stands on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) line: usize,
    pub(super) cells: Vec<&'a str>,
}

/// A table, by its header's cells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table<'a> {
    pub(super) header: Vec<&'a str>,
    pub(super) rows: Vec<Row<'a>>,
}

/// All tables of a text.
pub(super) fn tables(text: &str) -> Vec<Table<'_>> {
    let mut tables: Vec<Table<'_>> = Vec::new();
    let mut is_within = false;
    for (index, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            is_within = false;
            continue;
        };
        match tables.last_mut().filter(|_| is_within) {
            None => tables.push(Table { header: cells, rows: Vec::new() }),
            Some(_) if cells.iter().all(|cell| cell.starts_with("---")) => {}
            Some(table) => table.rows.push(Row { line: index + 1, cells }),
        }
        is_within = true;
    }
    tables
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inside.split('|').map(str::trim).collect())
}

/// The steps that a text defines, each as the first cell of a row, and the lines that they stand on.
pub(super) fn steps(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let cells = cells(line)?;
            Some((index + 1, *cells.first()?))
        })
        .filter(|(_, cell)| is_step(cell))
        .collect()
}

/// The numbers of a text's sections.
pub(super) fn sections(text: &str) -> Vec<u32> {
    text.lines().filter_map(|line| number(line.strip_prefix("## ")?)).collect()
}

/// The steps that a text cites. A range cites its ends.
pub(super) fn cited_steps(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| is_step(word))
}

/// The sections that a text cites, as in `§10`.
pub(super) fn cited_sections(text: &str) -> impl Iterator<Item = u32> {
    text.split('§').skip(1).filter_map(number)
}

/// What stands between backticks in a line.
pub(super) fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_step(word: &str) -> bool {
    let digits = word.strip_prefix(['I', 'D', 'S', 'T']).unwrap_or_default();
    matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_apart_and_know_their_lines() {
        let text = "a\n| x | y |\n| --- | --- |\n| 1 | `b` |\n\n| z |\n| --- |\n| 2 |\n| 3 |\n";
        let all = tables(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].header, ["x", "y"]);
        assert_eq!(all[0].rows, [Row { line: 4, cells: vec!["1", "`b`"] }]);
        assert_eq!(all[1].rows.iter().map(|row| row.line).collect::<Vec<_>>(), [8, 9]);
    }

    #[test]
    fn steps_are_first_cells_and_sections_have_numbers() {
        let text = "## 3 In: I1\n| I1 | then I2 |\n| word | I3 |\n## Notes\n## 10 Guards\n";
        assert_eq!(steps(text), [(2, "I1")]);
        assert_eq!(sections(text), [3, 10]);
    }

    #[test]
    fn citations_are_whole_words() {
        let text =
            "/// I1 to I4, (D5); T1–T4. Not SHA1, UTF8, I18N, D, S3_x, 2026-11-21T12 nor IPv4.";
        assert_eq!(cited_steps(text).collect::<Vec<_>>(), ["I1", "I4", "D5", "T1", "T4"]);
        assert_eq!(cited_sections("see §10, § 4 and §x").collect::<Vec<_>>(), [10, 4]);
    }

    #[test]
    fn code_stands_between_backticks() {
        assert_eq!(code("`a`, b and `c()`").collect::<Vec<_>>(), ["a", "c()"]);
    }
}
