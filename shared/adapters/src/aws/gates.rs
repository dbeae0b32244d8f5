//! Gates in DynamoDB: rows of the state table, found by the due index as deliveries are.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::flow_control::rate::TokenRequest;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Due, EngineError, GateStore, MaxAge};

use super::deliveries::read_each;
use super::delivery_item::{due_of, held_shard};
use super::item::{ALONE, Item, json, key, ms, number, read_json, read_text, text};
use super::versioned::Version;
use super::{DynamoStore, failure_at};

/// The shard of the due index that holds gates.
const SHARD: &str = "G";

impl GateStore for DynamoStore {
    async fn gate(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        max_age: MaxAge,
    ) -> Result<Option<Gate>, EngineError> {
        let place = (tenant.clone(), endpoint.clone());
        let start = match self.cache.gates.get(&place, max_age) {
            Ok(copy) => return Ok(copy),
            Err(start) => start,
        };
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.state_table()?)
            .set_key(Some(gate_key(tenant, endpoint)))
            .consistent_read(true);
        let answer = get.send().await.map_err(failure_at("read gate"))?;
        let gate: Option<Gate> = answer.item.map(|item| read_json(&item, "doc")).transpose()?;
        self.cache.gates.keep(start, place, gate.clone());
        Ok(gate)
    }

    async fn put_gate(&self, gate: &Gate, before: Option<&Gate>) -> Result<bool, EngineError> {
        let mut item = gate_key(&gate.tenant, &gate.endpoint);
        let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
        set("doc", json(gate)?);
        set("due_shard", text(SHARD));
        set("due_at", ms(gate.due_at));
        let over = before.map(|before| before.version);
        let version = Version { new: gate.version, over };
        let put = self.put_versioned("write gate", self.state_table()?, item, version).await;
        self.cache.gates.forget(&(gate.tenant.clone(), gate.endpoint.clone()));
        put
    }

    async fn delete_gate(&self, gate: &Gate) -> Result<bool, EngineError> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.state_table()?)
            .set_key(Some(gate_key(&gate.tenant, &gate.endpoint)))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(gate.version));
        let deleted = delete.send().await;
        self.cache.gates.forget(&(gate.tenant.clone(), gate.endpoint.clone()));
        let Err(error) = deleted else { return Ok(true) };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failure_at("remove gate")(error)),
        }
    }

    async fn due_gates(&self, now: Timestamp, limit: usize) -> Result<Vec<Gate>, EngineError> {
        let keys = self
            .read_due_shard(SHARD, now, limit, |item| Ok(key(read_text(item, "pk")?, ALONE)))
            .await?;
        let found = self.batch_get("read gates", &keys).await?;
        let mut gates: Vec<Gate> = read_each(&found, |item| read_json(item, "doc"));
        gates.retain(|gate| gate.due_at <= now);
        gates.sort_by_key(|gate| gate.due_at);
        Ok(gates)
    }

    async fn take_tokens(&self, whose: &str, wanted: TokenRequest) -> Result<u32, EngineError> {
        let Some(used_most) = wanted.most.checked_sub(wanted.count) else { return Ok(0) };
        let place = key(format!("R#{whose}"), wanted.window.to_string());
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(place))
            .update_expression("ADD #used :count SET #ttl = :ttl")
            .condition_expression("attribute_not_exists(#used) OR #used <= :most")
            .expression_attribute_names("#used", "used")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":count", number(wanted.count))
            .expression_attribute_values(":most", number(used_most))
            .expression_attribute_values(":ttl", number(wanted.expires_at().seconds()));
        let Err(error) = update.send().await else { return Ok(wanted.count) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(0),
            _ => Err(failure_at("take tokens")(error)),
        }
    }

    async fn take_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> Result<Option<Slot>, EngineError> {
        self.lease_slot(tenant, endpoint, wanted).await
    }

    async fn give_back_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> Result<(), EngineError> {
        self.end_lease(tenant, endpoint, slot).await
    }

    async fn held_deliveries(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, EngineError> {
        self.read_due_shard(&held_shard(tenant, endpoint), now, limit, due_of).await
    }
}

fn gate_key(tenant: &TenantName, endpoint: &EndpointId) -> Item {
    key(format!("G#{tenant}#{endpoint}"), ALONE)
}
