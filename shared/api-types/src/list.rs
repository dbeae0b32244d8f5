//! Lists: a page of entries, and where the next page begins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holds one page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct List<T> {
    /// Holds the page's entries.
    pub items: Vec<T>,
    /// Tells where the next page begins: send it as the parameter `cursor` to get that page. It is null on
    /// the last page. A page can be empty and still have a cursor.
    pub cursor: Option<String>,
}

impl<T> List<T> {
    /// Makes a list that is whole on one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, cursor: None }
    }
}
