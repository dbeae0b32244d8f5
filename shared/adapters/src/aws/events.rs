//! Events in DynamoDB.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use waxseal_domain::delivery::{Delivery, shard};
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::{EVENT_RETENTION_S, TIME_SHARDS};
use waxseal_domain::ports::{EngineError, EventRow, EventStore, Page, PageRequest, Put};
use waxseal_domain::timestamp::Timestamp;

use super::item::{Item, Reader, json, key, ms, number, text};
use super::{DynamoStore, deliveries, failed};

/// Days looked at for one page: a tenant that was silent for long gets empty pages with cursors.
const DAYS_A_PAGE: u64 = 3;
const DAY_S: u64 = 86_400;

impl EventStore for DynamoStore {
    async fn accept(&self, row: &EventRow) -> Result<Put, EngineError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.state_table)
            .set_item(Some(item(row)?))
            .condition_expression("attribute_not_exists(pk) OR #ttl < :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(row.born.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(Put::Created) };
        if let Some(PutItemError::ConditionalCheckFailedException(refused)) =
            error.as_service_error()
            && let Some(item) = refused.item()
        {
            return Ok(Put::Exists(Box::new(read(item)?)));
        }
        Err(failed("accept event")(error))
    }

    async fn event(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> Result<Option<EventRow>, EngineError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.state_table)
            .set_key(Some(key(partition(tenant, id), "#")))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read event"))?;
        found.item().map(read).transpose()
    }

    async fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> Result<Option<(EventRow, Vec<Delivery>)>, EngineError> {
        // An event has at most a hundred targets: its deliveries fit a few pages.
        let mut pages = self
            .client
            .query()
            .table_name(&self.state_table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(partition(tenant, id)))
            .consistent_read(true)
            .into_paginator()
            .send();
        let (mut event, mut rows) = (None, Vec::new());
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed("read event and deliveries"))?.items() {
                if Reader(item).text("sk")? == "#" {
                    event = Some(read(item)?);
                } else {
                    rows.push(deliveries::read(item)?);
                }
            }
        }
        Ok(event.map(|event| (event, rows)))
    }

    async fn mark_sent(&self, row: &EventRow) -> Result<(), EngineError> {
        let marked = self
            .client
            .update_item()
            .table_name(&self.state_table)
            .set_key(Some(key(partition(&row.event.tenant, &row.event.id), "#")))
            .update_expression("SET sent = :true")
            .condition_expression("born = :born")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":born", ms(row.born))
            .send()
            .await;
        match marked {
            Err(error)
                if !error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Err(failed("mark event sent")(error))
            }
            _ => Ok(()),
        }
    }

    async fn events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<EventRow>, EngineError> {
        let (mut before, mut last_id) = cursor(page, now);
        let oldest = now.minus_s(EVENT_RETENTION_S);
        let mut items: Vec<EventRow> = Vec::new();
        for _ in 0..DAYS_A_PAGE {
            if before < oldest {
                return Ok(Page { items, cursor: None });
            }
            let left = page.limit - items.len();
            let day = self.day(tenant, before, &last_id, left).await?;
            let full = day.len() == left;
            items.extend(day);
            if full {
                let cursor = items.last().map(|row| format!("{}_{}", row.born.ms(), row.event.id));
                return Ok(Page { items, cursor });
            }
            // The last millisecond of the day before.
            before =
                Timestamp::from_ms((before.seconds() / DAY_S * DAY_S * 1_000).saturating_sub(1));
            last_id = String::from('~');
        }
        let cursor = (before >= oldest).then(|| format!("{}_~", before.ms()));
        Ok(Page { items, cursor })
    }
}

impl DynamoStore {
    /// The newest events of a day up to `before`, of all shards: keys from the index, then the rows.
    async fn day(
        &self,
        tenant: &TenantName,
        before: Timestamp,
        last_id: &str,
        limit: usize,
    ) -> Result<Vec<EventRow>, EngineError> {
        let mut keys = Vec::new();
        for shard in 0..TIME_SHARDS {
            // One more than is wanted: the one at the cursor itself is left out below.
            let limit = i32::try_from(limit.saturating_add(1)).unwrap_or(i32::MAX);
            let found = self
                .client
                .query()
                .table_name(&self.state_table)
                .index_name("by_time")
                .key_condition_expression("day_shard = :day AND received_at <= :before")
                .expression_attribute_values(":day", text(day_shard(tenant, before, shard)))
                .expression_attribute_values(":before", ms(before))
                .scan_index_forward(false)
                .limit(limit)
                .send()
                .await
                .map_err(failed("list events"))?;
            for item in found.items() {
                let reader = Reader(item);
                let (_, id) = reader.text("pk")?.rsplit_once('#').unwrap_or_default();
                keys.push((reader.timestamp("received_at")?, id.to_owned()));
            }
        }
        keys.retain(|(at, id)| (*at, id.as_str()) < (before, last_id));
        keys.sort();
        let mut rows = Vec::new();
        for (_, id) in keys.into_iter().rev().take(limit) {
            let id = id.parse().map_err(|error| EngineError::new("list events", error))?;
            rows.extend(self.event(tenant, &id).await?);
        }
        Ok(rows)
    }
}

/// Where a page begins: strictly before this time and id.
fn cursor(page: &PageRequest, now: Timestamp) -> (Timestamp, String) {
    let parts = page.cursor.as_deref().and_then(|cursor| cursor.split_once('_'));
    let read = |(at, id): (&str, &str)| Some((Timestamp::from_ms(at.parse().ok()?), id.to_owned()));
    // `~` is above every character of an id.
    parts.and_then(read).unwrap_or((now, String::from('~')))
}

pub(super) fn partition(tenant: &TenantName, id: &EventId) -> String {
    format!("E#{tenant}#{id}")
}

fn day_shard(tenant: &TenantName, at: Timestamp, shard: u32) -> String {
    format!("{tenant}#{}#{shard}", at.day())
}

fn item(row: &EventRow) -> Result<Item, EngineError> {
    let event = &row.event;
    let mut item = key(partition(&event.tenant, &event.id), "#");
    let shard = shard(event.id.as_str(), TIME_SHARDS);
    for (name, value) in [
        ("born", ms(row.born)),
        ("digest", text(&row.digest)),
        ("targets", json(&row.targets)?),
        ("nonce", text(&row.nonce)),
        ("sent", AttributeValue::Bool(row.sent)),
        ("payload", json(event)?),
        ("ttl", number(row.expires_at().seconds())),
        ("day_shard", text(day_shard(&event.tenant, row.born, shard))),
        ("received_at", ms(row.born)),
    ] {
        item.insert(name.to_owned(), value);
    }
    Ok(item)
}

pub(super) fn read(item: &Item) -> Result<EventRow, EngineError> {
    let reader = Reader(item);
    Ok(EventRow {
        event: reader.json("payload")?,
        born: reader.timestamp("born")?,
        digest: reader.text("digest")?.to_owned(),
        targets: reader.json("targets")?,
        nonce: reader.text("nonce")?.to_owned(),
        sent: reader.flag("sent"),
    })
}
