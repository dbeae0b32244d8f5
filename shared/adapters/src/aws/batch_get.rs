//! Reads items by their keys, consistently and many in one call.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;
use waxseal_flows::ports::{EngineError, PageBytes};

use super::item::{Item, find_text};
use super::{DynamoStore, failure_at};
use crate::clock::SystemClock;

/// The number of keys that one call takes, a limit of DynamoDB.
const KEYS_MAX: usize = 100;
/// The number of keys that the first call for a page takes: each item may have 400 KB, and four megabytes are a page.
const FIRST_KEYS: usize = 16;
/// The number of calls for one set of keys. Each call may leave keys unprocessed, because its
/// answer is full at 16 MB or the table is throttled.
const TRIES_MAX: u32 = 6;
/// The pause before the second call, in milliseconds. It doubles before each further one.
const PAUSE_MS: u64 = 25;

impl DynamoStore {
    /// Reads the items of these keys that exist, in no order.
    pub(super) async fn batch_get(
        &self,
        step: &'static str,
        keys: &[Item],
    ) -> Result<Vec<Item>, EngineError> {
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(KEYS_MAX) {
            let mut open = chunk.to_vec();
            for tries in 0..TRIES_MAX {
                if tries > 0 {
                    SystemClock.sleep_until(pause_until(tries)).await;
                }
                open = self.batch_get_once(step, open, &mut found).await?;
                if open.is_empty() {
                    break;
                }
            }
            // DynamoDB answers without an error where it has left keys. To return the rest would
            // make a row that exists look as if it did not, and its delivery would be attempted
            // anew.
            if !open.is_empty() {
                return Err(EngineError::throttled(
                    step,
                    format!("{} keys left unread", open.len()),
                ));
            }
        }
        Ok(found)
    }

    /// Reads the items of a page's keys, in the keys' order, until they are too many bytes for one page. Returns them,
    /// and how many of the keys they are of: an item that is not there is left out.
    pub(super) async fn get_page(
        &self,
        step: &'static str,
        keys: &[Item],
    ) -> Result<(Vec<Item>, usize), EngineError> {
        let (mut found, mut bytes, mut seen) = (Vec::new(), PageBytes::default(), 0);
        let mut at_a_time = FIRST_KEYS;
        while let Some(chunk) = keys.get(seen..).filter(|left| !left.is_empty()) {
            let chunk = chunk.get(..at_a_time).unwrap_or(chunk);
            let mut items = HashMap::new();
            for item in self.batch_get(step, chunk).await? {
                items.insert(name_of(&item), item);
            }
            for key in chunk {
                if let Some(item) = items.remove(&name_of(key)) {
                    if !bytes.take(bytes_of(&item)) {
                        return Ok((found, seen));
                    }
                    found.push(item);
                }
                seen += 1;
            }
            at_a_time = bytes.guess_room().clamp(1, KEYS_MAX);
        }
        Ok((found, seen))
    }

    /// Makes one call, adds what it found, and returns the keys that it left unprocessed.
    async fn batch_get_once(
        &self,
        step: &'static str,
        keys: Vec<Item>,
        found: &mut Vec<Item>,
    ) -> Result<Vec<Item>, EngineError> {
        let table = self.state_table()?;
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| EngineError::unreadable(step, error))?;
        let call = self.dynamodb().batch_get_item().request_items(table, wanted);
        let mut answer = call.send().await.map_err(failure_at(step))?;
        if let Some(items) = answer.responses.as_mut().and_then(|all| all.remove(table)) {
            found.extend(items);
        }
        let open = answer.unprocessed_keys.as_mut().and_then(|all| all.remove(table));
        Ok(open.map(|open| open.keys).unwrap_or_default())
    }
}

/// An item's key, by which it is told from the others of its table.
fn name_of(item: &Item) -> (Option<String>, Option<String>) {
    (find_text(item, "pk").map(str::to_owned), find_text(item, "sk").map(str::to_owned))
}

/// The bytes of an item's texts, which are nearly all of it.
fn bytes_of(item: &Item) -> usize {
    item.values().filter_map(|value| value.as_s().ok()).map(String::len).sum()
}

fn pause_until(tries: u32) -> Timestamp {
    SystemClock.now().plus_ms(PAUSE_MS.saturating_mul(1_u64 << tries.min(10)))
}
