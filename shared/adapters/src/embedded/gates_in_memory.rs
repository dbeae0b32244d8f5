//! Gates, rates and slots, in memory: there are few, they are asked for at every attempt, and only this process
//! writes them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use waxseal_domain::flow_control::concurrency::Slots;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::id::{EndpointId, TenantName};

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
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT doc FROM gates")?;
        let gates = statement.query_map([], |row| schema_value::from_json::<Gate>(row, 0))?;
        let placed = gates.map(|gate| gate.map(|gate| (place(&gate), gate)));
        let by_place = Mutex::new(placed.collect::<Result<_, _>>()?);
        Ok(Self { by_place, ..Self::default() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Place, Gate>> {
        self.by_place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a gate stands.
pub(super) fn place(gate: &Gate) -> Place {
    (gate.tenant.clone(), gate.endpoint.clone())
}
