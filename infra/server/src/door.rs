//! The door: gives each connection its place, and has another leave where there is none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::client::ClientAddress;
use crate::places::{ConnectionId, Entry, Places};

/// How long a connection that was told to close is waited for, before another is told.
const LEAVE_MAX: Duration = Duration::from_millis(500);

/// Every place, and how whoever has it is told to leave.
#[derive(Debug)]
pub(crate) struct Door {
    held: Mutex<Held>,
    left: Notify,
}

#[derive(Debug)]
struct Held {
    places: Places,
    told: HashMap<ConnectionId, watch::Sender<bool>>,
}

/// A place that is held, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    door: Arc<Door>,
    id: ConnectionId,
    told: watch::Receiver<bool>,
}

impl Door {
    pub(crate) fn new(places: Places) -> Arc<Self> {
        let held = Mutex::new(Held { places, told: HashMap::new() });
        Arc::new(Self { held, left: Notify::new() })
    }

    /// Gives a connection its place, once another has left if need be; none where none can be freed.
    pub(crate) async fn enter(self: &Arc<Self>, address: Option<ClientAddress>) -> Option<Place> {
        loop {
            // Made before the look at the places: one that is left just after it is not missed.
            let left = self.left.notified();
            match self.with(|held| held.enter(address)) {
                Entry::Admitted(id) => {
                    let told = self.with(|held| held.add(id));
                    return Some(Place { door: Arc::clone(self), id, told });
                }
                Entry::After(_) => {
                    let _late = tokio::time::timeout(LEAVE_MAX, left).await;
                }
                Entry::Full => return None,
            }
        }
    }

    /// Gives a place to whoever comes from an address, where it has one left; nobody leaves for it.
    pub(crate) fn try_enter(self: &Arc<Self>, address: ClientAddress) -> Option<Place> {
        let entered = self.with(|held| {
            let id = held.places.enter_if_free(address)?;
            Some((id, held.add(id)))
        });
        entered.map(|(id, told)| Place { door: Arc::clone(self), id, told })
    }

    /// Has one leave that gives way, where we are short of handles.
    pub(crate) fn free_one(&self) {
        self.with(|held| {
            if let Some(id) = held.places.free_one() {
                held.tell(id);
            }
        });
    }

    /// Waits until every place is given back.
    pub(crate) async fn until_empty(&self) {
        loop {
            let left = self.left.notified();
            if self.with(|held| held.places.count().0) == 0 {
                return;
            }
            left.await;
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn enter(&mut self, address: Option<ClientAddress>) -> Entry {
        let entry = self.places.enter(address);
        if let Entry::After(id) = entry {
            self.tell(id);
        }
        entry
    }

    fn add(&mut self, id: ConnectionId) -> watch::Receiver<bool> {
        let (sender, told) = watch::channel(false);
        self.told.insert(id, sender);
        told
    }

    fn tell(&self, id: ConnectionId) {
        if let Some(told) = self.told.get(&id) {
            told.send_replace(true);
        }
    }
}

impl Place {
    /// Says that a request is under way, or that the last one is answered.
    pub(crate) fn set_busy(&self, is_busy: bool) {
        self.door.with(|held| held.places.set_busy(self.id, is_busy));
    }

    /// Says that a valid key has come over the connection.
    pub(crate) fn set_known(&self) {
        self.door.with(|held| held.places.set_known(self.id));
    }

    /// Waits until the connection is told to close, for another.
    pub(crate) async fn until_told(&self) {
        let mut told = self.told.clone();
        // The sender is kept for as long as the place is held.
        let _gone = told.wait_for(|told| *told).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.with(|held| {
            held.places.leave(self.id);
            held.told.remove(&self.id);
        });
        self.door.left.notify_waiters();
    }
}
