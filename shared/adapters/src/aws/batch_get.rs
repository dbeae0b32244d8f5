//! Reads items by their keys, consistently and many in one call.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;
use waxseal_flows::ports::EngineError;

use super::item::Item;
use super::{DynamoStore, failure_at};
use crate::clock::SystemClock;

/// The number of keys that one call takes, a limit of DynamoDB.
const KEYS_MAX: usize = 100;
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

fn pause_until(tries: u32) -> Timestamp {
    SystemClock.now().plus_ms(PAUSE_MS.saturating_mul(1_u64 << tries.min(10)))
}
