//! The store's ports: events, deliveries, and what is configured.
//!
//! | row | key | found also by |
//! | --- | --- | --- |
//! | event | tenant, event | `by_time`: tenant and day |
//! | delivery | tenant, event, endpoint | `due`: shard; `by_endpoint`: tenant and endpoint |
//! | tenant, endpoint, API key, source | tenant and id; a key by its hash, a source by its short path | – |
//!
//! Every read is consistent, unless a [`MaxAge`] allows a copy.

mod change;
mod config;
mod deliveries;
mod events;
mod gates;
mod max_age;
mod page;
mod result;
mod tenant;

pub use self::change::Change;
pub use self::config::{ConfigStore, Setting};
pub use self::deliveries::{Claim, DeliveryStore, Due};
pub use self::events::{AcceptResult, EventRow, EventStore};
pub use self::gates::GateStore;
pub use self::max_age::MaxAge;
pub use self::page::{Page, PageBytes, PageRequest};
pub use self::tenant::{Tenant, TenantEndpoints, TenantVersion};

/// Joins the four stores, which one engine implements together.
pub trait Store: EventStore + DeliveryStore + GateStore + ConfigStore {}

impl<T: EventStore + DeliveryStore + GateStore + ConfigStore> Store for T {}
