//! Events in DynamoDB. An event's item is its payload, its duplicate check and its list of targets.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use waxseal_domain::delivery::{Delivery, shard};
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::TIME_SHARDS;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{AcceptResult, EngineError, EventRow, EventStore, Page, PageRequest};

use super::delivery_item::{event_pk, row_of};
use super::item::{
    ALONE, Item, json, key, ms, number, parse, read_json, read_ms, read_text, text, unreadable,
};
use super::{DynamoStore, failure_at};

impl EventStore for DynamoStore {
    async fn accept(&self, row: &EventRow) -> Result<AcceptResult, EngineError> {
        // Our own clock says alone that the event is new. That an earlier one has expired it does not say alone: not
        // before the earliest time that it can be, by what the store's answers have told.
        let now = row.event_accepted_at.min(self.clock.least().unwrap_or(row.event_accepted_at));
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.state_table()?)
            .set_item(Some(item_of(row)?))
            .condition_expression("attribute_not_exists(pk) OR #ttl < :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(AcceptResult::Created) };
        let Some(PutItemError::ConditionalCheckFailedException(refusal)) = error.as_service_error()
        else {
            return Err(failure_at("accept event")(error));
        };
        let found = refusal.item().ok_or_else(|| {
            EngineError::unreadable("accept event", "refused, and without the item")
        })?;
        Ok(AcceptResult::Exists(Box::new(event_of(found)?)))
    }

    async fn event(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> Result<Option<EventRow>, EngineError> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.state_table()?)
            .set_key(Some(event_key(tenant, id)))
            .consistent_read(true);
        let answer = get.send().await.map_err(failure_at("read event"))?;
        answer.item.as_ref().map(event_of).transpose()
    }

    async fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> Result<Option<(EventRow, Vec<Delivery>)>, EngineError> {
        let (mut event, mut deliveries) = (None, Vec::new());
        let mut start = None;
        loop {
            let query = self
                .dynamodb()
                .query()
                .table_name(self.state_table()?)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(event_pk(tenant, id)))
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(failure_at("read event and deliveries"))?;
            for item in answer.items() {
                if is_event(item) {
                    event = Some(event_of(item)?);
                } else {
                    deliveries.push(row_of(item)?);
                }
            }
            start = answer.last_evaluated_key;
            // The event comes first. Its targets are bounded, and so are the pages.
            if start.is_none() || event.is_none() {
                return Ok(event.map(|event| (event, deliveries)));
            }
        }
    }

    async fn put_expunged(&self, row: &EventRow) -> Result<(), EngineError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(event_key(&row.event.tenant, &row.event.id)))
            .update_expression("SET #payload = :payload")
            .condition_expression("#born = :born")
            .expression_attribute_names("#payload", "payload")
            .expression_attribute_names("#born", "born")
            .expression_attribute_values(":payload", json(&row.event)?)
            .expression_attribute_values(":born", ms(row.event_accepted_at));
        let Err(error) = update.send().await else { return Ok(()) };
        match error.as_service_error() {
            // The row is of a later event of the same id, so the payload that was to be removed is
            // gone already.
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(failure_at("expunge event")(error)),
        }
    }

    async fn mark_sent(&self, row: &EventRow) -> Result<(), EngineError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(event_key(&row.event.tenant, &row.event.id)))
            .update_expression("SET #sent = :true")
            .condition_expression("#born = :born")
            .expression_attribute_names("#sent", "sent")
            .expression_attribute_names("#born", "born")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":born", ms(row.event_accepted_at));
        let Err(error) = update.send().await else { return Ok(()) };
        match error.as_service_error() {
            // The row is of a later event of the same id, which this answer is not about.
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(failure_at("mark event sent")(error)),
        }
    }

    async fn events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<EventRow>, EngineError> {
        self.list_events_by_time(tenant, page, now).await
    }
}

/// The key of an event's item.
pub(super) fn event_key(tenant: &TenantName, id: &EventId) -> Item {
    key(event_pk(tenant, id), ALONE)
}

/// Whether an item under an event's partition key is the event.
pub(super) fn is_event(item: &Item) -> bool {
    read_text(item, "sk").is_ok_and(|sk| sk == ALONE)
}

/// The partition key in the index by time, of a tenant's day and shard.
pub(super) fn day_shard(tenant: &TenantName, day: &str, shard: u32) -> String {
    format!("{tenant}#{day}#{shard}")
}

fn item_of(row: &EventRow) -> Result<Item, EngineError> {
    let event = &row.event;
    let mut item = event_key(&event.tenant, &event.id);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    let targets = row.targets.iter().map(|id| text(id.as_str())).collect();
    let shard = shard(event.id.as_str(), TIME_SHARDS);
    set("born", ms(row.event_accepted_at));
    set("source", text(event.source.as_str()));
    set("digest", text(row.digest.as_str()));
    set("payload", json(event)?);
    set("targets", AttributeValue::L(targets));
    set("nonce", text(row.nonce.as_str()));
    set("sent", AttributeValue::Bool(row.sent));
    set("ttl", number(row.expires_at().seconds()));
    set("day_shard", text(day_shard(&event.tenant, &row.event_accepted_at.day(), shard)));
    set("received_at", ms(row.event_accepted_at));
    Ok(item)
}

/// The row of an event's item.
pub(super) fn event_of(item: &Item) -> Result<EventRow, EngineError> {
    let list = item.get("targets").and_then(|value| value.as_l().ok());
    let targets = list.ok_or_else(|| unreadable("targets", "is missing, or no list"))?;
    Ok(EventRow {
        event: read_json(item, "payload")?,
        event_accepted_at: read_ms(item, "born")?,
        digest: read_text(item, "digest")?.to_owned(),
        targets: targets
            .iter()
            .map(|value| {
                let id = value.as_s().map_err(|_| unreadable("targets", "holds no text"))?;
                parse("targets", id)
            })
            .collect::<Result<_, _>>()?,
        nonce: read_text(item, "nonce")?.to_owned(),
        sent: match item.get("sent") {
            Some(sent) => *sent.as_bool().map_err(|_| unreadable("sent", "is no flag"))?,
            None => false,
        },
    })
}
