//! Lists: a page, or with `--all` every page.

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use waxseal_adapters::client::Answer;
use waxseal_api_types::List;

use super::context::{Context, escape, print_json};
use super::failure::{CommandResult, Failure};
use super::output::{plain, print, print_json_text, say};
use super::table::Table;
use crate::client::Call;

/// The API's longest page.
const PAGE_MAX: u16 = 200;
/// Pages that `--all` follows: a list that is longer is asked for in parts.
const PAGES_MAX: usize = 1_000;

/// Which part of a list.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Page {
    /// How many, at most 200.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(PAGE_MAX)))]
    limit: Option<u16>,
    /// Where the page before ended.
    #[arg(long)]
    cursor: Option<String>,
    /// Every page; with --json one array of all items.
    #[arg(long, conflicts_with_all = ["limit", "cursor"])]
    all: bool,
}

/// A page's items, each as the API wrote it.
pub(crate) type Items = List<Box<RawValue>>;

/// Reads the page that an answer is.
pub(crate) fn read_items(answer: &Answer) -> Result<Items, Failure> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::Unavailable("the answer is no list of ours".to_owned()))
}

/// Prints a list; `row` makes an item's cells, and `none` is said where there is nothing.
pub(crate) async fn list<T: DeserializeOwned>(
    context: &Context,
    path: &str,
    page: &Page,
    titles: &[&'static str],
    none: &str,
    row: impl Fn(&T) -> Vec<String>,
) -> CommandResult {
    if page.all {
        let all = fetch_all(context, path).await?;
        if context.json {
            let texts: Vec<&str> = all.items.iter().map(|raw| raw.get()).collect();
            return print_json_text(&format!("[{}]", texts.join(",")));
        }
        return print(&make_table(&all, titles, row)?.text(none));
    }
    let path = with_query(path, page.limit, page.cursor.as_deref());
    let answer = context.send(&Call::get(path)).await?;
    if context.json {
        return print_json(&answer);
    }
    let items = read_items(&answer)?;
    print(&make_table(&items, titles, row)?.text(none))?;
    if let Some(cursor) = &items.cursor {
        say(&format!("There are more: --cursor {}, or --all", plain(cursor)));
    }
    Ok(())
}

fn make_table<T: DeserializeOwned>(
    items: &Items,
    titles: &[&'static str],
    row: impl Fn(&T) -> Vec<String>,
) -> Result<Table, Failure> {
    let mut table = Table::new(titles);
    for item in &items.items {
        let read: T = serde_json::from_str(item.get()).map_err(|error| {
            Failure::Unavailable(format!("an entry of the list cannot be read: {error}"))
        })?;
        table.row(row(&read));
    }
    Ok(table)
}

async fn fetch_all(context: &Context, path: &str) -> Result<Items, Failure> {
    let mut all = Items { items: Vec::new(), cursor: None };
    for _ in 0..PAGES_MAX {
        let path = with_query(path, Some(PAGE_MAX), all.cursor.as_deref());
        let page = read_items(&context.send(&Call::get(path)).await?)?;
        all.items.extend(page.items);
        all.cursor = page.cursor;
        if all.cursor.is_none() {
            return Ok(all);
        }
    }
    Err(Failure::Failed(format!("the list has more than {PAGES_MAX} pages: use --cursor")))
}

/// A path that may have a query already, with a page's.
pub(crate) fn with_query(path: &str, limit: Option<u16>, cursor: Option<&str>) -> String {
    let limit = limit.map(|limit| format!("limit={limit}"));
    let cursor = cursor.map(|cursor| format!("cursor={}", escape(cursor)));
    let parts: Vec<String> = limit.into_iter().chain(cursor).collect();
    match (parts.is_empty(), path.contains('?')) {
        (true, _) => path.to_owned(),
        (false, true) => format!("{path}&{}", parts.join("&")),
        (false, false) => format!("{path}?{}", parts.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_joins_the_query_that_is_there() {
        assert_eq!(with_query("/a", None, None), "/a");
        assert_eq!(with_query("/a?s=1", Some(2), Some("x_1")), "/a?s=1&limit=2&cursor=x_1");
    }
}
