//! Parts of lists, and where they begin.

use waxseal_domain::id::EventId;
use waxseal_domain::limits::PAGE_BYTES_MAX;

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

/// Counts the bytes of a page, which ends at [`PAGE_BYTES_MAX`] and has one entry at least.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageBytes {
    bytes: usize,
    entries: usize,
}

impl PageBytes {
    /// Adds an entry of so many bytes. False where the page has to end before it.
    pub fn take(&mut self, bytes: usize) -> bool {
        if self.entries > 0 && self.bytes.saturating_add(bytes) > PAGE_BYTES_MAX {
            return false;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries += 1;
        true
    }

    /// Guesses how many more entries fit, if they are like those so far.
    pub fn guess_room(&self) -> usize {
        let each = self.bytes.checked_div(self.entries).unwrap_or(PAGE_BYTES_MAX).max(1);
        PAGE_BYTES_MAX.saturating_sub(self.bytes) / each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_it_is_too_long_and_is_never_empty_for_that() {
        let mut bytes = PageBytes::default();
        assert!(bytes.take(PAGE_BYTES_MAX + 1), "alone");
        assert!(!bytes.take(1));
        let mut halves = PageBytes::default();
        assert!(halves.take(PAGE_BYTES_MAX / 2));
        assert_eq!(halves.guess_room(), 1);
        assert!(halves.take(PAGE_BYTES_MAX / 2) && !halves.take(1));
        assert_eq!(halves.guess_room(), 0);
    }
}
