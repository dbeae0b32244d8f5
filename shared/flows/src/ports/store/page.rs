//! Parts of lists, and where they begin.

use waxseal_domain::id::EventId;

/// A part of a list, newest first. It may be empty and yet have a cursor.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries of this part, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub cursor: Option<String>,
}

/// Which part of a list to read.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The largest number of entries to return.
    pub limit: usize,
    /// The cursor of the page before; none for the first page. Whoever takes one from outside has refused
    /// what cannot be one: the store begins at the start where it cannot read it.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// Says whether the text can be a cursor of a list of events or deliveries: the milliseconds since 1970
    /// and, behind `_`, the id of the event before which the next page begins; of events no id where a day is
    /// over.
    pub fn is_event_cursor(text: &str) -> bool {
        text.split_once('_').is_some_and(|(ms, id)| {
            ms.bytes().all(|byte| byte.is_ascii_digit())
                // Stores may keep a time as a signed number.
                && ms.parse::<i64>().is_ok()
                && (id.is_empty() || id.parse::<EventId>().is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_among_events_is_a_time_and_an_event() {
        for cursor in ["17_evt_1", "17_", "0_a:b"] {
            assert!(PageRequest::is_event_cursor(cursor), "{cursor}");
        }
        for other in ["", "17", "_evt_1", "+17_evt_1", "x_evt_1", "17_a/b", "9223372036854775808_a"]
        {
            assert!(!PageRequest::is_event_cursor(other), "{other}");
        }
    }
}
