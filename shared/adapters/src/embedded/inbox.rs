//! The messages of the file, in memory: who is next, fairly among tenants.
//!
//! A message that was received is invisible for a while, as on SQS, and comes again if nobody
//! settles it. Only what must outlast the process is in the file: see [`super::queue`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use waxseal_domain::id::TenantName;
use waxseal_domain::message::{Message, Receipt, Received};
use waxseal_domain::ports::Clock as _;
use waxseal_domain::timestamp::Timestamp;

use crate::clock::SystemClock;

/// Seconds for which a received message is invisible: six time-outs of an invocation and one.
const VISIBILITY_S: u64 = 91;
/// Bytes of payloads handed over in memory; beyond them a payload is read from the file.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Messages in memory.
#[derive(Debug, Default)]
pub struct Inbox {
    messages: Mutex<Messages>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Messages {
    by_id: HashMap<i64, Entry>,
    /// When each is visible; an entry whose time has changed has a newer element here.
    waiting: BinaryHeap<Reverse<(Timestamp, i64)>>,
    /// Those that are visible, by tenant, and whose turn it is.
    ready: HashMap<TenantName, VecDeque<i64>>,
    turns: VecDeque<TenantName>,
    payload_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    visible_at: Timestamp,
    receives: u32,
}

impl Inbox {
    /// Adds a message that is in the file.
    pub(super) fn push(&self, id: i64, mut message: Message, visible_at: Timestamp, receives: u32) {
        let mut messages = self.lock();
        let bytes = payload_bytes(&message);
        if messages.payload_bytes + bytes > PAYLOAD_BYTES_MAX {
            message.payload = None;
        } else {
            messages.payload_bytes += bytes;
        }
        messages.by_id.insert(id, Entry { message, visible_at, receives });
        messages.waiting.push(Reverse((visible_at, id)));
        drop(messages);
        self.changed.notify_one();
    }

    /// The next message, once one is visible.
    pub async fn receive(&self) -> Received {
        loop {
            let changed = self.changed.notified();
            let now = SystemClock.now();
            let next_at = {
                let mut messages = self.lock();
                if let Some(received) = messages.take(now) {
                    return received;
                }
                messages.waiting.peek().map(|Reverse((at, _))| *at)
            };
            let nap = next_at
                .map_or(Duration::from_hours(1), |at| Duration::from_millis(at.since_ms(now)));
            let _elapsed = tokio::time::timeout(nap, changed).await;
        }
    }

    /// Removes a message.
    pub(super) fn remove(&self, id: i64) {
        let mut messages = self.lock();
        if let Some(entry) = messages.by_id.remove(&id) {
            messages.payload_bytes -= payload_bytes(&entry.message);
        }
    }

    /// Makes a message visible then, if the receipt is its last one's.
    pub(super) fn wait(&self, receipt: &Receipt, visible_at: Timestamp) {
        let Some((id, receives)) = parse(receipt) else { return };
        let mut messages = self.lock();
        let Some(entry) = messages.by_id.get_mut(&id).filter(|entry| entry.receives == receives)
        else {
            return;
        };
        entry.visible_at = visible_at;
        messages.waiting.push(Reverse((visible_at, id)));
        drop(messages);
        self.changed.notify_one();
    }

    /// Whether a message is still here.
    pub(super) fn holds(&self, id: i64) -> bool {
        self.lock().by_id.contains_key(&id)
    }

    /// Messages that are not settled.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Whether everything is settled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Messages {
    fn take(&mut self, now: Timestamp) -> Option<Received> {
        self.ripen(now);
        while let Some(tenant) = self.turns.pop_front() {
            let Some(ids) = self.ready.get_mut(&tenant) else { continue };
            let id = ids.pop_front();
            if ids.is_empty() {
                self.ready.remove(&tenant);
            } else {
                self.turns.push_back(tenant);
            }
            if let Some(received) = id.and_then(|id| self.deliver(id, now)) {
                return Some(received);
            }
        }
        None
    }

    /// Moves what is visible by now to its tenant's queue.
    fn ripen(&mut self, now: Timestamp) {
        while let Some(&Reverse((at, id))) = self.waiting.peek() {
            if at > now {
                break;
            }
            self.waiting.pop();
            let Some(entry) = self.by_id.get(&id).filter(|entry| entry.visible_at == at) else {
                continue;
            };
            let tenant = entry.message.tenant.clone();
            let ids = self.ready.entry(tenant.clone()).or_default();
            if ids.is_empty() {
                self.turns.push_back(tenant);
            }
            ids.push_back(id);
        }
    }

    fn deliver(&mut self, id: i64, now: Timestamp) -> Option<Received> {
        let entry = self.by_id.get_mut(&id)?;
        entry.receives += 1;
        entry.visible_at = now.plus_s(VISIBILITY_S);
        self.waiting.push(Reverse((entry.visible_at, id)));
        Some(Received {
            message: entry.message.clone(),
            receipt: Receipt(format!("{id}:{}", entry.receives)),
            receives: entry.receives,
        })
    }
}

/// A receipt's message, and which receive it is of.
pub(super) fn parse(receipt: &Receipt) -> Option<(i64, u32)> {
    let (id, receives) = receipt.0.split_once(':')?;
    Some((id.parse().ok()?, receives.parse().ok()?))
}

fn payload_bytes(message: &Message) -> usize {
    message.payload.as_ref().map_or(0, |payload| payload.get().len())
}
