//! Keeps the queue in the same SQLite file as the rows, so that a row and its message are written
//! in one transaction.
//!
//! The file holds each message without its payload (the event's row has it) and when it is visible.
//! Receives are kept in memory; a message that was there before this process started is flagged
//! `check`, and its receive is written before it is driven, so that a message that kills the
//! process cannot kill it for ever.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Row, params};
use waxseal_domain::delivery::message::{Message, Receipt};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, EngineError, Queue};

use super::EmbeddedStore;
use super::inbox::{self, Inbox};
use super::inboxes::Inboxes;
use super::schema_value;
use super::writer::Durability;
use crate::clock::MovableClock;

/// Messages, in the store's file.
#[derive(Debug)]
pub struct EmbeddedQueue {
    store: Arc<EmbeddedStore>,
    inboxes: Arc<Inboxes>,
    clock: MovableClock,
}

impl EmbeddedQueue {
    pub(super) fn new(
        store: Arc<EmbeddedStore>,
        inboxes: Arc<Inboxes>,
        clock: MovableClock,
    ) -> Self {
        Self { store, inboxes, clock }
    }

    /// Where messages of a priority are received.
    pub fn inbox(&self, priority: Priority) -> &Inbox {
        self.inboxes.of(priority)
    }

    /// Removes a message that is done with, unless its result's transaction did.
    pub async fn remove(&self, receipt: &Receipt) -> Result<(), EngineError> {
        let Some((id, _)) = inbox::parse(receipt) else { return Ok(()) };
        let (inboxes, priority) = (Arc::clone(&self.inboxes), receipt.priority);
        if !inboxes.of(priority).holds(id) {
            return Ok(());
        }
        self.store
            .writer
            .write(
                "remove message",
                Durability::Lazy,
                move |connection| remove(connection, id),
                move |(): &()| inboxes.of(priority).remove(id),
            )
            .await
    }

    /// Writes how often a message was received: before a flagged one is driven.
    pub async fn write_receives(&self, receipt: &Receipt) -> Result<(), EngineError> {
        let Some((id, receives)) = inbox::parse(receipt) else { return Ok(()) };
        self.store
            .writer
            .write(
                "count receive",
                Durability::Synced,
                move |connection| {
                    let sql = "UPDATE messages SET receives = ?1 WHERE id = ?2";
                    connection.prepare_cached(sql)?.execute(params![receives, id]).map(|_| ())
                },
                |()| (),
            )
            .await
    }
}

impl Queue for EmbeddedQueue {
    async fn enqueue(&self, messages: &[Message]) -> Vec<usize> {
        let all = messages.to_vec();
        let clock = self.clock.clone();
        let inboxes = Arc::clone(&self.inboxes);
        let written = self
            .store
            .writer
            .write(
                "enqueue",
                Durability::Synced,
                move |connection| insert_all(connection, all, clock.now()),
                move |inserted| deliver_all(&inboxes, inserted),
            )
            .await;
        match written {
            Ok(_) => Vec::new(),
            Err(error) => {
                tracing::error!(%error, messages = messages.len(), "nothing was queued");
                (0..messages.len()).collect()
            }
        }
    }

    async fn wait(&self, receipt: &Receipt, wait: Duration) -> Result<(), EngineError> {
        let Some((id, _)) = inbox::parse(receipt) else { return Ok(()) };
        let clock = self.clock.clone();
        let (inboxes, receipt) = (Arc::clone(&self.inboxes), receipt.clone());
        self.store
            .writer
            .write(
                "delay message",
                Durability::Lazy,
                // By the clock as it is when this is written: it may jump meanwhile.
                move |connection| {
                    let visible_at = clock.now().plus_s(wait.as_secs());
                    set_visible(connection, id, visible_at).map(|()| visible_at)
                },
                move |visible_at| inboxes.of(receipt.priority).wait(&receipt, *visible_at),
            )
            .await
            .map(|_| ())
    }

    async fn reject(&self, body: &str, reason: &str) -> Result<(), EngineError> {
        let (body, reason, now) = (body.to_owned(), reason.to_owned(), self.clock.now());
        self.store
            .writer
            .write(
                "put aside",
                Durability::Synced,
                move |connection| {
                    let sql = "INSERT INTO rejected (at, body, reason) VALUES (?1, ?2, ?3)";
                    let values = params![schema_value::ms(now), body, reason];
                    connection.prepare_cached(sql)?.execute(values).map(|_| ())
                },
                |()| (),
            )
            .await
    }
}

/// A message in the file: its row, itself, and when it is visible.
#[derive(Clone, Debug)]
pub(super) struct QueuedMessage {
    id: i64,
    message: Message,
    visible_at: Timestamp,
}

pub(super) fn insert_all(
    connection: &Connection,
    messages: Vec<Message>,
    now: Timestamp,
) -> rusqlite::Result<Vec<QueuedMessage>> {
    let sql = "INSERT INTO messages (visible_at, receives, body) VALUES (?1, 0, ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    messages
        .into_iter()
        .map(|message| {
            let visible_at = now.plus_s(u64::from(message.delay_s));
            let body = Message { payload: None, ..message.clone() }.body();
            statement.execute(params![schema_value::ms(visible_at), body])?;
            Ok(QueuedMessage { id: connection.last_insert_rowid(), message, visible_at })
        })
        .collect()
}

pub(super) fn deliver_all(inboxes: &Inboxes, inserted: &[QueuedMessage]) {
    for QueuedMessage { id, message, visible_at } in inserted {
        inboxes.push(*id, message.clone(), *visible_at, 0);
    }
}

pub(super) fn remove(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id]).map(|_| ())
}

pub(super) fn set_visible(
    connection: &Connection,
    id: i64,
    visible_at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE messages SET visible_at = ?1 WHERE id = ?2";
    let values = params![schema_value::ms(visible_at), id];
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}

/// Reads every message of the file when the process starts, with `check` set: nothing after a
/// restart goes unread. One that cannot be read is put aside for a person, with the reason: it must not keep all
/// others from being delivered.
pub(super) fn load(
    connection: &Connection,
    inboxes: &Inboxes,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut unreadable = Vec::new();
    let mut statement =
        connection.prepare("SELECT id, visible_at, receives, body FROM messages ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        match read(row) {
            Ok((message, visible_at, receives)) => inboxes.push(id, message, visible_at, receives),
            Err(error) => unreadable.push((id, error.to_string())),
        }
    }
    for (id, reason) in unreadable {
        tracing::error!(message = id, reason, "a message cannot be read, and is put aside");
        // Whatever is there, as text: a value of another type is no reason to lose it.
        let sql = "INSERT INTO rejected (at, body, reason)
                   SELECT ?1, CAST(body AS TEXT), ?2 FROM messages WHERE id = ?3";
        connection.execute(sql, params![schema_value::ms(now), reason, id])?;
        remove(connection, id)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Message, Timestamp, u32)> {
    let body: String = row.get(3)?;
    let message = Message::parse(&body).map_err(|error| schema_value::unreadable(3, error))?;
    Ok((Message { check: true, ..message }, schema_value::timestamp(row, 1)?, row.get(2)?))
}
