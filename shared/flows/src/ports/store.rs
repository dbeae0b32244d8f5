//! The store's ports: events, deliveries, and what is configured.
//!
//! | row | key | found also by |
//! | --- | --- | --- |
//! | event | tenant, event | `by_time`: tenant and day |
//! | delivery | tenant, event, endpoint | `due`: shard; `by_endpoint`: tenant and endpoint |
//! | tenant, endpoint, API key, source | tenant and id; a key by its hash, a source by its name | – |
//!
//! Every read is consistent, unless a [`MaxAge`] allows a copy.

mod change;
mod config;
mod deliveries;
mod events;
mod gates;
mod page;

pub use self::change::Change;
pub use self::config::{ConfigStore, Setting, Tenant, TenantEndpoints, TenantVersion};
pub use self::deliveries::{Claim, DeliveryStore, Due};
pub use self::events::{AcceptResult, EventRow, EventStore};
pub use self::gates::GateStore;
pub use self::page::{Page, PageRequest};
use super::EngineError;

type StoreResult<T> = Result<T, EngineError>;

/// How old a copy may be that a read is answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(u64);

impl MaxAge {
    /// No copy at all: the store is read now.
    pub const NOW: Self = Self(0);

    /// A copy of at most so many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the age in seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }
}

/// Joins the four stores, which one engine implements together.
pub trait Store: EventStore + DeliveryStore + GateStore + ConfigStore {}

impl<T: EventStore + DeliveryStore + GateStore + ConfigStore> Store for T {}
