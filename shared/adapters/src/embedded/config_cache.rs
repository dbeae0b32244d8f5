//! Tenants' endpoints and event types, kept in memory since they are asked for at every event. This process
//! is the only one that writes them: a copy is dropped when its tenant's configuration changes, and is never
//! old.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use waxseal_domain::bounded_map::BoundedMap;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::{ENDPOINTS_KEPT_BYTES_MAX, EVENT_TYPES_KEPT_BYTES_MAX};
use waxseal_flows::ports::TenantEndpoints;

/// Tenants whose endpoints are kept in memory.
const TENANTS_MAX: usize = 1_000;

/// A tenant's endpoints; none where there is no such tenant.
pub(super) type Endpoints = Option<Arc<TenantEndpoints>>;

/// Tenants' endpoints, in memory.
#[derive(Debug)]
pub(super) struct ConfigCache(Mutex<CacheEntry>);

#[derive(Debug)]
struct CacheEntry {
    /// Rises with every change. A read that began before a change may have found the old rows, and
    /// is not kept.
    generation: u64,
    endpoints: BoundedMap<TenantName, Endpoints>,
    event_types: BoundedMap<TenantName, Arc<Vec<EventType>>>,
}

impl Default for ConfigCache {
    fn default() -> Self {
        Self(Mutex::new(CacheEntry {
            generation: 0,
            endpoints: BoundedMap::with_bytes(TENANTS_MAX, ENDPOINTS_KEPT_BYTES_MAX, |found| {
                found.iter().flat_map(|found| found.iter()).map(Endpoint::bytes).sum()
            }),
            event_types: BoundedMap::with_bytes(TENANTS_MAX, EVENT_TYPES_KEPT_BYTES_MAX, |found| {
                found.iter().map(EventType::bytes).sum()
            }),
        }))
    }
}

impl ConfigCache {
    pub(super) fn endpoints(&self, tenant: &TenantName) -> Result<Endpoints, u64> {
        let cached = self.lock();
        cached.endpoints.get(tenant).cloned().ok_or(cached.generation)
    }

    pub(super) fn event_types(&self, tenant: &TenantName) -> Result<Arc<Vec<EventType>>, u64> {
        let cached = self.lock();
        cached.event_types.get(tenant).cloned().ok_or(cached.generation)
    }

    pub(super) fn keep_endpoints(&self, generation: u64, tenant: TenantName, endpoints: Endpoints) {
        let mut cached = self.lock();
        if cached.generation == generation && endpoints.is_some() {
            cached.endpoints.insert(tenant, endpoints);
        }
    }

    pub(super) fn keep_event_types(
        &self,
        generation: u64,
        tenant: TenantName,
        found: Arc<Vec<EventType>>,
    ) {
        let mut cached = self.lock();
        if cached.generation == generation {
            cached.event_types.insert(tenant, found);
        }
    }

    pub(super) fn forget(&self, tenant: &TenantName) {
        let mut cached = self.lock();
        cached.generation += 1;
        cached.endpoints.remove(tenant);
        cached.event_types.remove(tenant);
    }

    fn lock(&self) -> MutexGuard<'_, CacheEntry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
