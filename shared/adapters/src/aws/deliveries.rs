//! Deliveries in DynamoDB: whole rows, each write under its guard's condition.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use waxseal_domain::delivery::{Delivery, DeliveryKey, Guard, StatusName, WriteResult};
use waxseal_domain::id::{EndpointId, EventId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Claim, DeliveryStore, Due, EngineError, EventRow, Page, PageRequest};

use super::delivery_item::{
    delivery_key, due_of, due_shard, endpoint_key, item_of, key_of, row_of,
};
use super::events::{event_key, event_of, is_event};
use super::guard::condition;
use super::item::{Item, find_text, ms, number, read_ms, text};
use super::{DynamoStore, failure_at};

impl DeliveryStore for DynamoStore {
    async fn delivery(&self, key: &DeliveryKey) -> Result<Option<Delivery>, EngineError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.state_table()?)
            .set_key(Some(delivery_key(key)))
            .consistent_read(true);
        let answer = get.send().await.map_err(failure_at("read delivery"))?;
        answer.item.as_ref().map(row_of).transpose()
    }

    async fn delivery_and_event(
        &self,
        key: &DeliveryKey,
    ) -> Result<(Option<Delivery>, Option<EventRow>), EngineError> {
        let keys = [delivery_key(key), event_key(&key.tenant, &key.event)];
        let (mut delivery, mut event) = (None, None);
        for item in self.batch_get("read delivery and event", &keys).await? {
            if is_event(&item) {
                event = Some(event_of(&item)?);
            } else {
                delivery = Some(row_of(&item)?);
            }
        }
        Ok((delivery, event))
    }

    async fn record_attempt(
        &self,
        guard: Guard,
        row: &Delivery,
    ) -> Result<WriteResult, EngineError> {
        let condition = condition(guard);
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.state_table()?)
            .set_item(Some(item_of(row)?))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(WriteResult::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let found = refusal.item().map(row_of).transpose()?;
                Ok(WriteResult::Refused(found.map(Box::new)))
            }
            _ => Err(failure_at("record attempt")(error)),
        }
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, EngineError> {
        self.read_due_shard(&shard.to_string(), now, limit, due_of).await
    }

    async fn claim(&self, due: &Due, claim: &Claim) -> Result<Option<Timestamp>, EngineError> {
        let set = "SET #holder = :ticket, #due_at = :until, #due_shard = :shard, \
                   #claims = #claims + :one";
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(delivery_key(&due.key)))
            .condition_expression("#status = :open AND #due_at = :seen")
            .set_expression_attribute_names(Some(names(CLAIMED)))
            .expression_attribute_values(":shard", text(due_shard(&due.key, false)))
            .expression_attribute_values(":ticket", text(claim.ticket.as_str()))
            .expression_attribute_values(":until", ms(claim.due_at))
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":open", text(StatusName::Open.as_str()))
            .expression_attribute_values(":seen", ms(due.due_at))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match claim.taken_at {
            Some(at) => update
                .update_expression(format!("{set}, #taken_at = :taken_at"))
                .expression_attribute_names("#taken_at", "taken_at")
                .expression_attribute_values(":taken_at", ms(at)),
            None => update.update_expression(set),
        };
        let error = match update.send().await {
            Ok(answer) => return answer.attributes().map(|row| read_ms(row, "born")).transpose(),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                // The row may hold this very claim: its answer was lost, and the SDK has repeated
                // it. Without this look the row would be claimed and no message sent until the
                // lease ends.
                let own = |row: &&Item| {
                    find_text(row, "holder") == Some(claim.ticket.as_str())
                        && read_ms(row, "due_at").is_ok_and(|at| at == claim.due_at)
                };
                refusal.item().filter(own).map(|row| read_ms(row, "born")).transpose()
            }
            _ => Err(failure_at("claim due delivery")(error)),
        }
    }

    async fn deliveries_by_endpoint(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, EngineError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.state_table()?)
            .index_name("by_endpoint")
            .key_condition_expression("endpoint_key = :endpoint")
            .expression_attribute_values(":endpoint", text(endpoint_key(tenant, endpoint)))
            .scan_index_forward(false)
            .limit(i32::try_from(page.limit.max(1)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start_of(tenant, endpoint, page));
        let answer = query.send().await.map_err(failure_at("list deliveries"))?;
        // The index holds keys only and may lag, so the rows themselves are read, and one that is
        // no longer listed is left out.
        let keys = answer.items().iter().map(key_of).collect::<Result<Vec<_>, _>>()?;
        let wanted: Vec<Item> = keys.iter().map(delivery_key).collect();
        let mut rows = HashMap::new();
        let (found, seen) = self.get_page("list deliveries", &wanted).await?;
        for item in found {
            let row = row_of(&item)?;
            rows.insert(row.key.clone(), row);
        }
        let items = keys.iter().filter_map(|key| rows.remove(key)).filter(Delivery::is_listed);
        let cut_after = seen.checked_sub(1).filter(|_| seen < wanted.len());
        let last = match cut_after {
            Some(last) => answer.items().get(last),
            None => answer.last_evaluated_key.as_ref(),
        };
        let cursor = last.map(cursor_of).transpose()?;
        Ok(Page { items: items.collect(), cursor })
    }
}

impl DynamoStore {
    /// Reads entries of a shard of the due index, earliest first. One that cannot be read is logged and left
    /// out, and the page is filled with those that come after it: else it would keep all others from being
    /// looked at, at each sweep.
    pub(super) async fn read_due_shard<T: Send>(
        &self,
        shard: &str,
        now: Timestamp,
        limit: usize,
        read: impl Fn(&Item) -> Result<T, EngineError> + Send + Sync,
    ) -> Result<Vec<T>, EngineError> {
        let mut found: Vec<T> = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let query = self
                .dynamodb()
                .query()
                .table_name(self.state_table()?)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", text(shard))
                .expression_attribute_values(":now", ms(now))
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(failure_at("read due index"))?;
            found.extend(read_each(answer.items(), &read));
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// Reads the items that can be read, and logs each that cannot.
pub(super) fn read_each<T>(
    items: &[Item],
    read: impl Fn(&Item) -> Result<T, EngineError>,
) -> Vec<T> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        match read(item) {
            Ok(entry) => found.push(entry),
            Err(error) => {
                let (pk, sk) = (find_text(item, "pk"), find_text(item, "sk"));
                tracing::error!(pk, sk, %error, "an entry of the due index cannot be read");
            }
        }
    }
    found
}

/// The attributes that a claim writes or asks for.
const CLAIMED: [&str; 5] = ["holder", "due_at", "due_shard", "claims", "status"];

fn names<const N: usize>(names: [&str; N]) -> HashMap<String, String> {
    names.into_iter().map(|name| (format!("#{name}"), name.to_owned())).collect()
}

/// Makes a cursor of the index's last key, as `<born>_<event>`: tenant and endpoint are the list's
/// own.
fn cursor_of(last: &Item) -> Result<String, EngineError> {
    Ok(format!("{}_{}", read_ms(last, "born")?.ms(), key_of(last)?.event))
}

/// The index's key that a cursor stands for.
fn start_of(tenant: &TenantName, endpoint: &EndpointId, page: &PageRequest) -> Option<Item> {
    let (event_accepted_at, event) = page.cursor.as_deref()?.split_once('_')?;
    let (event_accepted_at, event): (u64, EventId) =
        (event_accepted_at.parse().ok()?, event.parse().ok()?);
    let (tenant, endpoint) = (tenant.clone(), endpoint.clone());
    let list = endpoint_key(&tenant, &endpoint);
    let mut start = delivery_key(&DeliveryKey { tenant, event, endpoint });
    start.insert("endpoint_key".to_owned(), text(list));
    start.insert("born".to_owned(), number(event_accepted_at));
    Some(start)
}

#[cfg(test)]
mod tests {
    use waxseal_domain::delivery::priority::Priority;

    use super::*;

    #[test]
    fn an_entry_that_cannot_be_read_does_not_hide_the_others() {
        let key = |event: &str| DeliveryKey {
            tenant: "acme".parse().unwrap(),
            event: event.parse().unwrap(),
            endpoint: "ep_1".parse().unwrap(),
        };
        let row = |event: &str| {
            Delivery::pending(key(event), Timestamp::from_ms(1_000), Priority::Normal)
        };
        let mut items = ["a", "b", "c"].map(|event| item_of(&row(event)).unwrap());
        items[1].insert("due_at".to_owned(), text("soon"));
        let events: Vec<_> =
            read_each(&items, due_of).into_iter().map(|due| due.key.event).collect();
        assert_eq!(events, ["a".parse().unwrap(), "c".parse().unwrap()]);
    }

    #[test]
    fn a_cursor_is_the_indexes_key() {
        let (tenant, endpoint) = ("acme".parse().unwrap(), "ep_1".parse().unwrap());
        let at = |cursor: &str| {
            let page = PageRequest { limit: 1, cursor: Some(cursor.to_owned()) };
            start_of(&tenant, &endpoint, &page)
        };
        let start = at("17_a_b:c").unwrap();
        assert_eq!(cursor_of(&start).unwrap(), "17_a_b:c");
        assert_eq!(start.len(), 4);
        assert!(at("x_a").is_none() && at("17").is_none() && at("17_a#b").is_none());
    }
}
