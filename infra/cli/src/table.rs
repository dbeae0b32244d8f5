//! Tables for people: columns as wide as their widest cell, colours where standard output is a terminal
//! that shows them and `NO_COLOR` is not set (`console` decides).

use console::{Alignment, Style, measure_text_width, pad_str, style};

/// Columns of a cell that is not the last of its row, at most: the longest id, a delivery's, is 165 and must
/// be whole to be copied.
const CELL_COLUMNS_MAX: usize = 168;

/// A table: rows of cells under titles.
pub(crate) struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes a table that has no rows yet.
    pub(crate) fn new(titles: &[&'static str]) -> Self {
        Self { titles: titles.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; its cells must be plain text, coloured or not.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The whole of it, or `none` where there are no rows.
    pub(crate) fn text(&self, none: &str) -> String {
        if self.rows.is_empty() {
            return none.to_owned();
        }
        let titles: Vec<String> =
            self.titles.iter().map(|title| style(*title).bold().to_string()).collect();
        let widths = self.widths(&titles);
        let lines = std::iter::once(&titles).chain(&self.rows).map(|cells| line(cells, &widths));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn widths(&self, titles: &[String]) -> Vec<usize> {
        (0..titles.len())
            .map(|column| {
                let cells = self
                    .rows
                    .iter()
                    .map(Vec::as_slice)
                    .chain([titles])
                    .filter_map(|cells| cells.get(column));
                let widest = cells.map(|cell| measure_text_width(cell)).max();
                widest.unwrap_or(0).min(CELL_COLUMNS_MAX)
            })
            .collect()
    }
}

/// The last cell is not padded, and is as long as it is.
fn line(cells: &[String], widths: &[usize]) -> String {
    let last = cells.len().saturating_sub(1);
    let padded = cells.iter().zip(widths).enumerate().map(|(at, (cell, width))| {
        if at == last {
            cell.clone()
        } else {
            pad_str(cell, *width, Alignment::Left, Some("…")).into_owned()
        }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Names and values, a line each; those without a value are left out.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let shown: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = shown.iter().map(|(name, value)| {
        let padding = " ".repeat(width - name.len());
        format!("{}{padding}  {value}", style(name).dim())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A word that says how it went, in the colour of that.
pub(crate) fn state(word: &str) -> String {
    let colour = match word {
        "delivered" | "accepted" | "verified" | "enabled" | "closed" | "ok" | "yes" => {
            Style::new().green()
        }
        "pending" | "retrying" | "unverified" | "pacing" | "throttled" | "warn" => {
            Style::new().yellow()
        }
        "" | "cancelled" | "no" => Style::new().dim(),
        _ => Style::new().red(),
    };
    colour.apply_to(word).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_the_last_is_not_padded() {
        console::set_colors_enabled(false);
        let mut table = Table::new(&["ID", "STATUS"]);
        table.row(vec!["ä1".to_owned(), "delivered".to_owned()]);
        table.row(vec!["longer".to_owned(), String::new()]);
        assert_eq!(table.text("None."), "ID      STATUS\nä1      delivered\nlonger");
        assert_eq!(Table::new(&["ID"]).text("None."), "None.");
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        console::set_colors_enabled(false);
        let pairs = [("id", "a".to_owned()), ("name", String::new()), ("health", "b".to_owned())];
        assert_eq!(fields(&pairs), "id      a\nhealth  b");
    }
}
