//! Gates in SQLite. There are few, they are asked for at every attempt, and only this process writes
//! them: all are kept in memory.

use std::sync::{Arc, PoisonError};

use rusqlite::{Connection, params};
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::flow_control::rate::TokenRequest;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Due, EngineError, GateStore, MaxAge};

use super::gates_in_memory::place;
use super::writer::Durability;
use super::{EmbeddedStore, deliveries, schema_value};

/// Windows of rates that are kept, before old ones are dropped.
const WINDOWS_MAX: usize = 10_000;

impl GateStore for EmbeddedStore {
    async fn gate(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        _: MaxAge,
    ) -> Result<Option<Gate>, EngineError> {
        Ok(self.gates.lock().get(&(tenant.clone(), endpoint.clone())).cloned())
    }

    async fn put_gate(&self, gate: &Gate, before: Option<&Gate>) -> Result<bool, EngineError> {
        let over = before.map(|before| before.version);
        let (gates, gate) = (Arc::clone(&self.gates), gate.clone());
        let (clock, jumps) = (self.clock.clone(), self.clock.jumps_followed());
        self.writer
            .write(
                "write gate",
                Durability::Synced,
                move |connection| {
                    // The writing thread is the only one that changes them: what is here is what is stored.
                    if gates.lock().get(&place(&gate)).map(|before| before.version) != over {
                        return Ok(false);
                    }
                    // Planned by the clock before a jump: whoever made it makes another.
                    if clock.jumps_followed() != jumps {
                        return Ok(false);
                    }
                    write(connection, &gate)?;
                    gates.lock().insert(place(&gate), gate);
                    Ok(true)
                },
                |_| (),
            )
            .await
    }

    async fn delete_gate(&self, gate: &Gate) -> Result<bool, EngineError> {
        let (gates, gate) = (Arc::clone(&self.gates), gate.clone());
        self.writer
            .write(
                "remove gate",
                Durability::Synced,
                move |connection| {
                    let before = gates.lock().get(&place(&gate)).map(|before| before.version);
                    if before != Some(gate.version) {
                        return Ok(false);
                    }
                    let sql = "DELETE FROM gates WHERE tenant = ?1 AND endpoint = ?2";
                    let keys = params![gate.tenant.as_str(), gate.endpoint.as_str()];
                    connection.prepare_cached(sql)?.execute(keys)?;
                    gates.lock().remove(&place(&gate));
                    Ok(true)
                },
                |_| (),
            )
            .await
    }

    async fn due_gates(&self, now: Timestamp, limit: usize) -> Result<Vec<Gate>, EngineError> {
        let gates = self.gates.lock();
        let mut due: Vec<Gate> =
            gates.values().filter(|gate| gate.due_at <= now).cloned().collect();
        due.sort_by_key(|gate| gate.due_at);
        due.truncate(limit);
        Ok(due)
    }

    async fn take_tokens(&self, whose: &str, wanted: TokenRequest) -> Result<u32, EngineError> {
        // Tokens are kept in memory only. A restart forgets at most one window of ten seconds,
        // which is not worth a write for each attempt.
        let mut windows = self.gates.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_MAX {
            let oldest = wanted.window.saturating_sub(1);
            windows.retain(|(_, window), _| *window >= oldest);
        }
        let used = windows.entry((whose.to_owned(), wanted.window)).or_default();
        let granted = wanted.grant(*used);
        *used += granted;
        Ok(granted)
    }

    async fn take_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> Result<Option<Slot>, EngineError> {
        // Slots are kept in memory only: the attempts that hold them end with the process.
        let mut slots = self.gates.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(slots.entry((tenant.clone(), endpoint.clone())).or_default().take(wanted))
    }

    async fn give_back_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> Result<(), EngineError> {
        let mut all = self.gates.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (tenant.clone(), endpoint.clone());
        let Some(slots) = all.get_mut(&place) else { return Ok(()) };
        slots.give_back(slot);
        if slots.0.is_empty() {
            all.remove(&place);
        }
        Ok(())
    }

    async fn held_deliveries(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, EngineError> {
        let (tenant, endpoint) = (tenant.clone(), endpoint.clone());
        self.readers
            .read("read held deliveries", move |connection| {
                deliveries::find_held(connection, &tenant, &endpoint, now, limit)
            })
            .await
    }
}

/// Writes a gate into the file.
pub(super) fn write(connection: &Connection, gate: &Gate) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO gates (tenant, endpoint, doc) VALUES (?1, ?2, ?3)";
    let doc = schema_value::json(gate)?;
    let values = params![gate.tenant.as_str(), gate.endpoint.as_str(), doc];
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}
