//! Makes a change of what is configured and writes the entry that tells of it, in one transaction.
//!
//! A transaction that meets another on the same item is cancelled, and made again.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::AUDIT_RETENTION_S;
use waxseal_flows::ports::{Change, Clock as _, EngineError, Setting, TenantVersion};

use super::super::item::{Item, number, text};
use super::super::{DynamoStore, failure_at};
use super::{
    audit, document, endpoints, event_types, keys, settings, sources, tenant_key, tenants,
};
use crate::clock::SystemClock;
use crate::entropy::entropy;

/// The number of times that a transaction is made when it meets another on the same item, with a
/// pause before each.
const TRIES_MAX: u64 = 6;
const PAUSE_MS: u64 = 20;

/// An item and what must hold of the one that is stored.
struct ItemWrite {
    item: Item,
    condition: Option<Condition>,
}

struct Condition {
    expression: &'static str,
    /// The value of `:value`; the attribute is `#name`.
    value: Option<(&'static str, AttributeValue)>,
}

impl Condition {
    const NEW: Self = Self { expression: "attribute_not_exists(pk)", value: None };
    const THERE: Self = Self { expression: "attribute_exists(pk)", value: None };

    fn version(version: u64) -> Self {
        Self { expression: "#name = :value", value: Some(("version", number(version))) }
    }
}

impl DynamoStore {
    /// Makes a change, with the entry that tells of it: only an endpoint's health goes without one.
    pub(super) async fn write_change(
        &self,
        change: Change<'_>,
        entry: Option<&Entry>,
    ) -> Result<bool, EngineError> {
        let mut items = self.items(change)?;
        if let Some(entry) = entry {
            let mut item = document(audit::entry_key(entry), entry)?;
            item.insert("ttl".to_owned(), number(entry.at.plus_s(AUDIT_RETENTION_S).seconds()));
            items.push(self.put(ItemWrite { item, condition: None })?);
        }
        for tries in 1..=TRIES_MAX {
            let write =
                self.dynamodb().transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = write.send().await else { return Ok(true) };
            let reasons = cancellation_codes(error.as_service_error());
            if reasons.iter().any(|reason| reason == "ConditionalCheckFailed") {
                return Ok(false);
            }
            if tries == TRIES_MAX || !reasons.iter().any(|reason| reason == "TransactionConflict") {
                return Err(failure_at("change configuration")(error));
            }
            let jitter_ms = u64::try_from(entropy() % u128::from(PAUSE_MS)).unwrap_or(0);
            let until = SystemClock.now().plus_ms(tries * PAUSE_MS + jitter_ms);
            SystemClock.sleep_until(until).await;
        }
        Ok(false)
    }

    fn items(&self, change: Change<'_>) -> Result<Vec<TransactWriteItem>, EngineError> {
        let put =
            |item: Item, condition: Option<Condition>| self.put(ItemWrite { item, condition });
        Ok(match change {
            Change::CreateTenant(tenant) => vec![
                put(document(tenant_key(&tenant.name), tenant)?, Some(Condition::NEW))?,
                put(document(tenants::listed_key(&tenant.name), tenant)?, None)?,
            ],
            Change::AddEndpoint(endpoint, over) => vec![
                put(endpoint_item(endpoint)?, Some(Condition::NEW))?,
                self.raise(&endpoint.tenant, over, false)?,
            ],
            Change::PutEndpoint(endpoint) => vec![self.next_version(endpoint)?],
            Change::MoveEndpoint(endpoint, over) => {
                vec![self.next_version(endpoint)?, self.raise(&endpoint.tenant, over, false)?]
            }
            Change::RemoveEndpoint(endpoint) => {
                let place = endpoints::endpoint_key(&endpoint.tenant, &endpoint.id);
                vec![self.delete(place, Some(Condition::version(endpoint.version)))?]
            }
            Change::AddApiKey(key) => vec![
                put(document(keys::by_id(&key.tenant, &key.id), key)?, Some(Condition::NEW))?,
                put(document(keys::by_hash(&key.hash), key)?, None)?,
            ],
            Change::RemoveApiKey(key) => vec![
                self.delete(keys::by_id(&key.tenant, &key.id), Some(Condition::THERE))?,
                self.delete(keys::by_hash(&key.hash), None)?,
            ],
            Change::PutSource(source) => {
                let place = sources::source_key(&source.tenant, &source.name);
                let mut items = vec![put(document(place, source)?, None)?];
                if source.has_short_path {
                    let mut item = document(sources::short_path_key(&source.name), source)?;
                    let tenant = text(source.tenant.as_str());
                    item.insert("tenant".to_owned(), tenant.clone());
                    let condition = Condition {
                        expression: "attribute_not_exists(pk) OR #name = :value",
                        value: Some(("tenant", tenant)),
                    };
                    items.push(put(item, Some(condition))?);
                }
                items
            }
            Change::RemoveSource(source) => {
                let place = sources::source_key(&source.tenant, &source.name);
                let mut items = vec![self.delete(place, Some(Condition::THERE))?];
                if source.has_short_path {
                    let value = Some(("tenant", text(source.tenant.as_str())));
                    let condition = Condition { expression: "#name = :value", value };
                    items
                        .push(self.delete(sources::short_path_key(&source.name), Some(condition))?);
                }
                items
            }
            Change::PutEventType(tenant, event_type, over) => {
                let place = event_types::event_type_key(tenant, &event_type.name);
                vec![put(document(place, event_type)?, None)?, self.raise(tenant, over, true)?]
            }
            Change::RemoveEventType(tenant, event_type) => {
                let place = event_types::event_type_key(tenant, &event_type.name);
                vec![self.delete(place, Some(Condition::THERE))?]
            }
            Change::PutProfile(name, file) => {
                vec![put(settings::setting_item(Setting::Profile, name, file)?, None)?]
            }
        })
    }

    fn next_version(&self, endpoint: &Endpoint) -> Result<TransactWriteItem, EngineError> {
        let condition = Some(Condition::version(endpoint.version.saturating_sub(1)));
        self.put(ItemWrite { item: endpoint_item(endpoint)?, condition })
    }

    /// Raises the version of a tenant's endpoints, which the tenant's own item holds once it is
    /// above 0. The condition on it is what keeps limits exact when several endpoints are added at
    /// once; a counter could drift.
    fn raise(
        &self,
        tenant: &TenantName,
        over: TenantVersion,
        has_catalogue: bool,
    ) -> Result<TransactWriteItem, EngineError> {
        let condition = match over {
            TenantVersion(0) => "attribute_exists(pk) AND attribute_not_exists(#roster)",
            _ => "#roster = :over",
        };
        let set = if has_catalogue {
            "SET #roster = :new, has_catalogue = :yes"
        } else {
            "SET #roster = :new"
        };
        let update = Update::builder()
            .table_name(self.config_table()?)
            .set_key(Some(tenant_key(tenant)))
            .update_expression(set)
            .condition_expression(condition)
            .expression_attribute_names("#roster", "roster")
            .expression_attribute_values(":new", number(over.next().0));
        let update = if has_catalogue {
            update.expression_attribute_values(":yes", AttributeValue::Bool(true))
        } else {
            update
        };
        let update = if over == TenantVersion(0) {
            update
        } else {
            update.expression_attribute_values(":over", number(over.0))
        };
        let update = update.build().map_err(build_failure)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn put(
        &self,
        ItemWrite { item, condition }: ItemWrite,
    ) -> Result<TransactWriteItem, EngineError> {
        let put = Put::builder().table_name(self.config_table()?).set_item(Some(item));
        let put = match condition {
            None => put,
            Some(Condition { expression, value: None }) => put.condition_expression(expression),
            Some(Condition { expression, value: Some((name, value)) }) => put
                .condition_expression(expression)
                .expression_attribute_names("#name", name)
                .expression_attribute_values(":value", value),
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(build_failure)?).build())
    }

    fn delete(
        &self,
        place: Item,
        condition: Option<Condition>,
    ) -> Result<TransactWriteItem, EngineError> {
        let delete = Delete::builder().table_name(self.config_table()?).set_key(Some(place));
        let delete = match condition {
            None => delete,
            Some(Condition { expression, value: None }) => delete.condition_expression(expression),
            Some(Condition { expression, value: Some((name, value)) }) => delete
                .condition_expression(expression)
                .expression_attribute_names("#name", name)
                .expression_attribute_values(":value", value),
        };
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(build_failure)?).build())
    }
}

fn endpoint_item(endpoint: &Endpoint) -> Result<Item, EngineError> {
    let mut item = document(endpoints::endpoint_key(&endpoint.tenant, &endpoint.id), endpoint)?;
    item.insert("version".to_owned(), number(endpoint.version));
    Ok(item)
}

fn build_failure(error: aws_smithy_types::error::operation::BuildError) -> EngineError {
    EngineError::unreadable("build transaction", error)
}

/// Why a transaction was cancelled, item by item.
fn cancellation_codes(error: Option<&TransactWriteItemsError>) -> Vec<String> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else {
        return Vec::new();
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    codes.map(str::to_owned).collect()
}
