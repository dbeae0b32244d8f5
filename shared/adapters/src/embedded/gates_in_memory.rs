//! Gates, rates and slots, in memory: there are few, they are asked for at every attempt, and only this process
//! writes them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use waxseal_domain::flow_control::concurrency::Slots;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;

use super::schema_value;

/// The tenant and the id of an endpoint.
pub(super) type Place = (TenantName, EndpointId);

/// Every gate, what limited endpoints have used of their rates, and what they have under way.
#[derive(Debug, Default)]
pub(super) struct Gates {
    pub(super) by_place: Mutex<HashMap<Place, Gate>>,
    pub(super) windows: Mutex<HashMap<(String, u64), u32>>,
    pub(super) slots: Mutex<HashMap<Place, Slots>>,
}

impl Gates {
    /// Reads the gates of the file, when the process starts.
    pub(super) fn load(connection: &Connection, now: Timestamp) -> rusqlite::Result<Self> {
        let gates = read(connection, now)?;
        let by_place = gates.into_iter().map(|gate| (place(&gate), gate)).collect();
        Ok(Self { by_place: Mutex::new(by_place), ..Self::default() })
    }

    /// Takes the gates as the file has them once the clock has jumped, and moves the leases of slots as much.
    pub(super) fn follow(&self, moved: &[Gate], by_ms: i64) {
        self.lock().extend(moved.iter().map(|gate| (place(gate), gate.clone())));
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values_mut().for_each(|slots| slots.move_by(by_ms));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Place, Gate>> {
        self.by_place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the gates of the file. In the place of one that cannot be read is one that releases what it held: it must keep
/// neither that nor the start of the process.
pub(super) fn read(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Gate>> {
    let mut statement = connection.prepare("SELECT doc, tenant, endpoint FROM gates")?;
    let gates = statement.query_map([], |row| {
        let error = match schema_value::from_json(row, 0) {
            Ok(gate) => return Ok(gate),
            Err(error) => error,
        };
        let (tenant, endpoint) = (schema_value::parse(row, 1)?, schema_value::parse(row, 2)?);
        tracing::error!(%tenant, %endpoint, %error, "a gate cannot be read, and is made anew");
        Ok(Gate::release_all(tenant, endpoint, now))
    })?;
    gates.collect()
}

/// Where a gate stands.
pub(super) fn place(gate: &Gate) -> Place {
    (gate.tenant.clone(), gate.endpoint.clone())
}
