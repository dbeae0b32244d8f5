//! Holds the messages of one priority in memory, and says which is next: fairly among tenants, and
//! among the endpoints of each. An endpoint has a bounded number under way, so that a slow one
//! leaves room for the others.
//!
//! A message that was received is invisible for a while, as on SQS, and comes again if nobody
//! settles it. Only what must outlast the process is in the file: see [`super::queue`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::select;
use tokio::sync::Notify;
use waxseal_domain::delivery::message::{Message, Receipt, ReceivedMessage};
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::limits::MESSAGE_VISIBILITY_S;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;

use crate::clock::MovableClock;

/// Bytes of payloads handed over in memory; beyond them a payload is read from the file.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The messages of one priority that are not settled.
#[derive(Debug)]
pub struct Inbox {
    messages: Mutex<Messages>,
    changed: Notify,
    per_endpoint_max: usize,
    clock: MovableClock,
}

#[derive(Debug, Default)]
struct Messages {
    by_id: HashMap<i64, Entry>,
    /// When each message is visible. A message whose time has changed has a newer element here; its
    /// old one is skipped when it comes up.
    waiting: BinaryHeap<Reverse<(Timestamp, i64)>>,
    /// The messages that are visible, by endpoint; and whose turn it is, tenant by tenant.
    ready: HashMap<Line, VecDeque<i64>>,
    lines: HashMap<TenantName, VecDeque<EndpointId>>,
    turns: VecDeque<TenantName>,
    /// The number of messages of each endpoint that are under way.
    under_way: HashMap<Line, usize>,
    payload_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    visible_at: Timestamp,
    receives: u32,
    is_under_way: bool,
}

type Line = (TenantName, EndpointId);

impl Inbox {
    /// Makes an empty inbox that lets at most `per_endpoint_max` messages of one endpoint be under
    /// way.
    pub(super) fn new(per_endpoint_max: usize, clock: MovableClock) -> Self {
        let (messages, changed) = (Mutex::default(), Notify::new());
        Self { messages, changed, per_endpoint_max, clock }
    }

    /// Adds a message that is in the file.
    pub(super) fn push(&self, id: i64, mut message: Message, visible_at: Timestamp, receives: u32) {
        let mut messages = self.lock();
        let bytes = payload_bytes(&message);
        if messages.payload_bytes + bytes > PAYLOAD_BYTES_MAX {
            // Without its payload the message cannot go unread: the event comes from its row in the
            // same read as the delivery, which is slower and loses nothing.
            message.payload = None;
        } else {
            messages.payload_bytes += bytes;
        }
        messages.by_id.insert(id, Entry { message, visible_at, receives, is_under_way: false });
        messages.waiting.push(Reverse((visible_at, id)));
        drop(messages);
        self.changed.notify_one();
    }

    /// Waits until a message is visible, and receives it.
    pub async fn receive(&self) -> ReceivedMessage {
        loop {
            // Made before the look at the messages: a message that is added after the look wakes
            // this wait, and is not missed until the next one.
            let changed = self.changed.notified();
            if let Some(received) = self.receive_now() {
                return received;
            }
            match self.next_at() {
                None => changed.await,
                Some(next_at) => {
                    let visible = self.clock.sleep_until(next_at);
                    let _first = select(pin!(changed), pin!(visible)).await;
                }
            }
        }
    }

    /// Receives the next message that is visible now, if there is one.
    pub fn receive_now(&self) -> Option<ReceivedMessage> {
        let jumps = self.clock.jumps_followed();
        self.lock().take(self.clock.now(), jumps, self.per_endpoint_max)
    }

    /// Returns the time when the first message that waits becomes visible.
    fn next_at(&self) -> Option<Timestamp> {
        self.lock().waiting.peek().map(|Reverse((at, _))| *at)
    }

    /// Removes a message that is done with, and makes room for another of its endpoint.
    pub(super) fn remove(&self, id: i64) {
        let mut messages = self.lock();
        messages.release(id);
        if let Some(entry) = messages.by_id.remove(&id) {
            messages.payload_bytes -= payload_bytes(&entry.message);
        }
        drop(messages);
        self.changed.notify_one();
    }

    /// Makes a message visible at a time. A receipt of an earlier receive changes nothing: whoever
    /// has it is no longer responsible.
    pub(super) fn wait(&self, receipt: &Receipt, visible_at: Timestamp) {
        let Some((id, receives)) = parse(receipt) else { return };
        let mut messages = self.lock();
        let Some(entry) = messages.by_id.get_mut(&id).filter(|entry| entry.receives == receives)
        else {
            return;
        };
        entry.visible_at = visible_at;
        messages.waiting.push(Reverse((visible_at, id)));
        messages.release(id);
        drop(messages);
        self.changed.notify_one();
    }

    /// Moves when each message is visible by so many milliseconds, since the clock has jumped by as much.
    pub(super) fn move_by(&self, by_ms: i64) {
        let mut messages = self.lock();
        for entry in messages.by_id.values_mut() {
            entry.visible_at = entry.visible_at.moved_ms(by_ms);
        }
        let waiting = std::mem::take(&mut messages.waiting);
        let moved = waiting.into_iter().map(|Reverse((at, id))| Reverse((at.moved_ms(by_ms), id)));
        messages.waiting = moved.collect();
        drop(messages);
        self.changed.notify_one();
    }

    /// Whether a message is still here.
    pub(super) fn holds(&self, id: i64) -> bool {
        self.lock().by_id.contains_key(&id)
    }

    /// Returns the number of messages that are not settled.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Whether every message is settled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Messages {
    fn take(
        &mut self,
        now: Timestamp,
        jumps: u64,
        per_endpoint_max: usize,
    ) -> Option<ReceivedMessage> {
        self.ripen(now);
        for _ in 0..self.turns.len() {
            let tenant = self.turns.pop_front()?;
            let id = self.next_of(&tenant, per_endpoint_max);
            if self.lines.contains_key(&tenant) {
                self.turns.push_back(tenant);
            }
            if let Some(received) = id.and_then(|id| self.deliver(id, now, jumps)) {
                return Some(received);
            }
        }
        None
    }

    /// Returns the next message of a tenant. Its endpoints take turns, and one that has enough
    /// under way waits.
    fn next_of(&mut self, tenant: &TenantName, per_endpoint_max: usize) -> Option<i64> {
        let mut lines = self.lines.remove(tenant)?;
        let mut next = None;
        for _ in 0..lines.len() {
            let Some(endpoint) = lines.pop_front() else { break };
            let line = (tenant.clone(), endpoint);
            let is_full =
                self.under_way.get(&line).is_some_and(|under_way| *under_way >= per_endpoint_max);
            if !is_full {
                next = self.ready.get_mut(&line).and_then(VecDeque::pop_front);
            }
            if self.ready.get(&line).is_some_and(|ids| !ids.is_empty()) {
                lines.push_back(line.1);
            } else {
                self.ready.remove(&line);
            }
            if next.is_some() {
                break;
            }
        }
        if !lines.is_empty() {
            self.lines.insert(tenant.clone(), lines);
        }
        next
    }

    /// Counts a received message as no longer under way.
    fn release(&mut self, id: i64) {
        let Some(entry) = self.by_id.get_mut(&id).filter(|entry| entry.is_under_way) else {
            return;
        };
        entry.is_under_way = false;
        let line = entry.line();
        if let Some(under_way) = self.under_way.get_mut(&line) {
            *under_way -= 1;
            if *under_way == 0 {
                self.under_way.remove(&line);
            }
        }
    }

    /// Moves what is visible by now to its tenant's queue.
    fn ripen(&mut self, now: Timestamp) {
        while let Some(&Reverse((at, id))) = self.waiting.peek() {
            if at > now {
                break;
            }
            self.waiting.pop();
            // An element of an earlier time: the message was settled, or made visible at another
            // time.
            let Some(entry) = self.by_id.get(&id).filter(|entry| entry.visible_at == at) else {
                continue;
            };
            let line = entry.line();
            self.release(id);
            let lines = self.lines.entry(line.0.clone()).or_insert_with(|| {
                self.turns.push_back(line.0.clone());
                VecDeque::new()
            });
            let ids = self.ready.entry(line.clone()).or_default();
            if ids.is_empty() {
                lines.push_back(line.1);
            }
            ids.push_back(id);
        }
    }

    fn deliver(&mut self, id: i64, now: Timestamp, jumps: u64) -> Option<ReceivedMessage> {
        let entry = self.by_id.get_mut(&id)?;
        entry.receives += 1;
        entry.is_under_way = true;
        *self.under_way.entry(entry.line()).or_default() += 1;
        entry.visible_at = now.plus_s(MESSAGE_VISIBILITY_S);
        self.waiting.push(Reverse((entry.visible_at, id)));
        Some(ReceivedMessage {
            message: entry.message.clone(),
            receipt: Receipt {
                priority: entry.message.priority,
                handle: format!("{id}:{}:{jumps}", entry.receives),
            },
            receives: entry.receives,
        })
    }
}

impl Entry {
    fn line(&self) -> Line {
        (self.message.tenant.clone(), self.message.endpoint.clone())
    }
}

/// Reads a receipt: the message's id, and the number of the receive that it belongs to.
pub(super) fn parse(receipt: &Receipt) -> Option<(i64, u32)> {
    let mut parts = receipt.handle.split(':');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Reads from a receipt how many jumps of the clock had been followed when the message was received.
pub(super) fn jumps_before(receipt: &Receipt) -> Option<u64> {
    receipt.handle.split(':').nth(2)?.parse().ok()
}

fn payload_bytes(message: &Message) -> usize {
    message.payload.as_ref().map_or(0, |payload| payload.get().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_domain::delivery::DeliveryKey;
    use waxseal_domain::delivery::priority::Priority;

    fn push(inbox: &Inbox, id: i64, tenant: &str, endpoint: &str) {
        let now = Timestamp::from_ms(0);
        let key = DeliveryKey {
            tenant: tenant.parse().unwrap(),
            event: format!("e{id}").parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        };
        inbox.push(id, Message::reissue(&key, now, "t".parse().unwrap(), now), now, 0);
    }

    fn take(inbox: &Inbox) -> Option<i64> {
        inbox.receive_now().and_then(|received| parse(&received.receipt)).map(|(id, _)| id)
    }

    #[test]
    fn a_backlog_delays_neither_another_tenant_nor_another_endpoint() {
        let inbox = Inbox::new(100, MovableClock::default());
        (0..50).for_each(|id| push(&inbox, id, "busy", "ep_1"));
        push(&inbox, 50, "busy", "ep_2");
        push(&inbox, 51, "quiet", "ep_3");
        let first: Vec<_> = (0..4).filter_map(|_| take(&inbox)).collect();
        assert!(first.contains(&50) && first.contains(&51), "{first:?}");
        let rest: Vec<_> = std::iter::from_fn(|| take(&inbox)).collect();
        assert_eq!(rest.len(), 48, "and nothing is left behind");
    }

    #[test]
    fn an_endpoint_has_a_bounded_number_under_way() {
        let inbox = Inbox::new(2, MovableClock::default());
        (0..5).for_each(|id| push(&inbox, id, "acme", "ep_1"));
        push(&inbox, 5, "acme", "ep_2");
        let mut taken: Vec<_> = std::iter::from_fn(|| take(&inbox)).collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 5]);
        inbox.remove(0);
        assert_eq!(take(&inbox), Some(2));
        assert_eq!(take(&inbox), None);
        let receipt = Receipt { priority: Priority::Normal, handle: "1:1".to_owned() };
        inbox.wait(&receipt, inbox.clock.now().plus_s(60));
        assert_eq!(take(&inbox), Some(3), "what waits is not under way");
    }
}
