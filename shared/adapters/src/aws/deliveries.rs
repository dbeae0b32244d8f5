//! Deliveries in DynamoDB: the whole row in one conditional write, and the sweep's claim.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use waxseal_domain::delivery::{Delivery, DeliveryKey, Guard, Open, Status, StatusName, Written};
use waxseal_domain::id::{EndpointId, TenantName, Ticket};
use waxseal_domain::ports::{DeliveryStore, Due, EngineError, EventRow, Page, PageRequest};
use waxseal_domain::timestamp::Timestamp;

use super::guard::condition;
use super::item::{Item, Reader, json, key, ms, number, text};
use super::{DynamoStore, events, failed};

impl DeliveryStore for DynamoStore {
    async fn delivery(&self, key: &DeliveryKey) -> Result<Option<Delivery>, EngineError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.state_table)
            .set_key(Some(place(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read delivery"))?;
        found.item().map(read).transpose()
    }

    async fn delivery_and_event(
        &self,
        delivery: &DeliveryKey,
    ) -> Result<(Option<Delivery>, Option<EventRow>), EngineError> {
        let event = key(events::partition(&delivery.tenant, &delivery.event), "#");
        let mut wanted = vec![place(delivery), event];
        let (mut row, mut event) = (None, None);
        // What DynamoDB leaves unprocessed is asked for again, a bounded number of times.
        for _ in 0..5 {
            let (found, left) = self.batch_get(wanted).await?;
            for item in &found {
                if Reader(item).text("sk")? == "#" {
                    event = Some(events::read(item)?);
                } else {
                    row = Some(read(item)?);
                }
            }
            if left.is_empty() {
                return Ok((row, event));
            }
            wanted = left;
        }
        Err(EngineError::new("read delivery and event", "keys were left unprocessed"))
    }

    async fn record_attempt(&self, guard: Guard, row: &Delivery) -> Result<Written, EngineError> {
        let condition = condition(guard);
        let names_status = condition.names_status();
        let mut put = self
            .client
            .put_item()
            .table_name(&self.state_table)
            .set_item(Some(item(row)?))
            .condition_expression(condition.expression)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in condition.values {
            put = put.expression_attribute_values(name, value);
        }
        if names_status {
            put = put.expression_attribute_names("#status", "status");
        }
        let Err(error) = put.send().await else { return Ok(Written::Done) };
        if let Some(PutItemError::ConditionalCheckFailedException(refused)) =
            error.as_service_error()
        {
            let before = refused.item().filter(|item| !item.is_empty()).map(read).transpose()?;
            return Ok(Written::Refused(before.map(Box::new)));
        }
        Err(failed("record attempt")(error))
    }

    async fn due(&self, shard: u32, now: Timestamp, limit: usize) -> Result<Vec<Due>, EngineError> {
        let found = self
            .client
            .query()
            .table_name(&self.state_table)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", text(shard.to_string()))
            .expression_attribute_values(":now", ms(now))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed("read due index"))?;
        found.items().iter().map(read_due).collect()
    }

    async fn claim(
        &self,
        due: &Due,
        ticket: &Ticket,
        due_at: Timestamp,
    ) -> Result<Option<Timestamp>, EngineError> {
        let claimed = self
            .client
            .update_item()
            .table_name(&self.state_table)
            .set_key(Some(place(&due.key)))
            .update_expression("SET holder = :ticket, due_at = :due_at ADD claims :one")
            .condition_expression("#status = :open AND due_at = :seen")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":ticket", text(ticket.as_str()))
            .expression_attribute_values(":due_at", ms(due_at))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":open", text("open"))
            .expression_attribute_values(":seen", ms(due.due_at))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match claimed {
            Ok(claimed) => {
                claimed.attributes().map(|item| Reader(item).timestamp("born")).transpose()
            }
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("claim due delivery")(error)),
        }
    }

    async fn deliveries_by_endpoint(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, EngineError> {
        let parts = page.cursor.as_deref().and_then(|cursor| cursor.split_once('_'));
        let parts = parts.and_then(|(at, event)| Some((at.parse::<u64>().ok()?, event)));
        let start = parts.map(|(at, event)| {
            let mut start = key(format!("E#{tenant}#{event}"), format!("D#{endpoint}"));
            start.insert("endpoint_key".to_owned(), text(endpoint_key(tenant, endpoint)));
            start.insert("born".to_owned(), number(at));
            start
        });
        let found = self
            .client
            .query()
            .table_name(&self.state_table)
            .index_name("by_endpoint")
            .key_condition_expression("endpoint_key = :key")
            .expression_attribute_values(":key", text(endpoint_key(tenant, endpoint)))
            .scan_index_forward(false)
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("list deliveries"))?;
        let mut items = Vec::new();
        for entry in found.items() {
            items.extend(self.delivery(&read_key(entry)?).await?);
        }
        let last = found.last_evaluated_key().map(|last| {
            let (born, key) = (Reader(last).timestamp("born")?, read_key(last)?);
            Ok(format!("{}_{}", born.ms(), key.event))
        });
        Ok(Page { items, cursor: last.transpose()? })
    }
}

impl DynamoStore {
    async fn batch_get(&self, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), EngineError> {
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(failed("read delivery and event"))?;
        let found = self
            .client
            .batch_get_item()
            .request_items(&self.state_table, wanted)
            .send()
            .await
            .map_err(failed("read delivery and event"))?;
        let items = found.responses().and_then(|tables| tables.get(&self.state_table));
        let left = found.unprocessed_keys().and_then(|tables| tables.get(&self.state_table));
        let left = left.map(|left| left.keys().to_vec()).unwrap_or_default();
        Ok((items.cloned().unwrap_or_default(), left))
    }
}

fn place(delivery: &DeliveryKey) -> Item {
    let pk = events::partition(&delivery.tenant, &delivery.event);
    key(pk, format!("D#{}", delivery.endpoint))
}

fn endpoint_key(tenant: &TenantName, endpoint: &EndpointId) -> String {
    format!("{tenant}#{endpoint}")
}

fn item(row: &Delivery) -> Result<Item, EngineError> {
    let mut item = place(&row.key);
    let mut set = |name: &str, value: AttributeValue| drop(item.insert(name.to_owned(), value));
    set("born", ms(row.born));
    set("status", text(StatusName::from(&row.status).as_str()));
    set("attempts", number(row.attempts));
    set("base", number(row.base));
    set("log", json(&row.log)?);
    if let Some(reason) = row.reason_word() {
        set("reason", text(reason));
    }
    if let Some(open) = row.open() {
        set("next_at", ms(open.next_at));
        set("due_shard", text(row.key.due_shard().to_string()));
        set("due_at", ms(open.due_at));
        set("claims", number(open.claims));
        if let Some(holder) = &open.holder {
            set("holder", text(holder.as_str()));
        }
    }
    if let Some(expires_at) = row.expires_at() {
        set("ttl", number(expires_at.seconds()));
    }
    if row.is_listed() {
        set("endpoint_key", text(endpoint_key(&row.key.tenant, &row.key.endpoint)));
    }
    Ok(item)
}

fn read_key(item: &Item) -> Result<DeliveryKey, EngineError> {
    let reader = Reader(item);
    let strange = || EngineError::new("read item", "its key is not a delivery's");
    let mut parts = reader.text("pk")?.split('#').skip(1);
    let (tenant, event) = (parts.next().ok_or_else(strange)?, parts.next().ok_or_else(strange)?);
    let endpoint = reader.text("sk")?.strip_prefix("D#").ok_or_else(strange)?;
    Ok(DeliveryKey {
        tenant: tenant.parse().map_err(|_| strange())?,
        event: event.parse().map_err(|_| strange())?,
        endpoint: endpoint.parse().map_err(|_| strange())?,
    })
}

fn read_due(item: &Item) -> Result<Due, EngineError> {
    let reader = Reader(item);
    Ok(Due {
        key: read_key(item)?,
        due_at: reader.timestamp("due_at")?,
        next_at: reader.timestamp("next_at")?,
        claims: reader.number("claims")?,
    })
}

pub(super) fn read(item: &Item) -> Result<Delivery, EngineError> {
    let reader = Reader(item);
    let status = match reader.text("status")? {
        "open" => Status::Open(Open {
            next_at: reader.timestamp("next_at")?,
            holder: reader.optional_text("holder").and_then(|text| text.parse().ok()),
            due_at: reader.timestamp("due_at")?,
            claims: reader.number("claims")?,
        }),
        status => Status::ended(status, reader.optional_text("reason"))
            .map_err(|error| EngineError::new("read item", error))?,
    };
    Ok(Delivery {
        key: read_key(item)?,
        born: reader.timestamp("born")?,
        status,
        attempts: reader.number("attempts")?,
        base: reader.number("base")?,
        log: reader.json("log")?,
    })
}
