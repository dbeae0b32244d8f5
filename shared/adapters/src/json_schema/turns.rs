//! Whose check runs next: a few run at a time, on blocking threads, and one of a tenant, so that a tenant that sends
//! many waits for itself.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use waxseal_domain::id::TenantName;

/// Checks that run at the same time.
pub(super) const PLACES: usize = 2;
/// Tenants that are remembered; when there are more, those that wait for nothing are forgotten.
const TENANTS_MAX: usize = 1_000;

/// Places on threads, and one place before them for each tenant. Both are given in the order of asking.
#[derive(Debug)]
pub(super) struct Turns {
    places: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantName, Arc<Semaphore>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), tenants: Mutex::default() }
    }
}

/// The right to one check. It is given back when the check has ended, and not when nobody waits for it any more.
pub(super) struct Turn {
    _places: [OwnedSemaphorePermit; 2],
}

impl Turns {
    /// Waits for a tenant's turn.
    pub(super) async fn take(&self, tenant: &TenantName) -> Turn {
        let own = self.own(tenant);
        let never = "no semaphore of turns is closed";
        let first = own.acquire_owned().await.expect(never);
        let second = Arc::clone(&self.places).acquire_owned().await.expect(never);
        Turn { _places: [first, second] }
    }

    fn own(&self, tenant: &TenantName) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS_MAX {
            tenants.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let own = tenants.entry(tenant.clone()).or_insert_with(|| Arc::new(Semaphore::new(1)));
        Arc::clone(own)
    }
}

impl Turn {
    /// Runs the check on a blocking thread.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let working = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(self);
            result
        });
        match working.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}
