//! The clock of the embedded engine: what the file knows of it, and how all that is planned is moved when it jumps.

use rusqlite::{Connection, OptionalExtension as _};
use waxseal_domain::clock::{Jump, LastSeen};
use waxseal_domain::delivery::{Delivery, Settlement};
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Check, Clock as _};

use super::{deliveries, gates, gates_in_memory, schema_value};
use crate::clock::MovableClock;

/// Compares the clock with what the file saw of it last, before anything of the file is read. A jump that is known
/// moves the schedule; one that may as well have been a long absence only keeps what is owed from getting older.
pub(super) fn start(connection: &Connection, clock: &MovableClock) -> rusqlite::Result<()> {
    // All of it or nothing: a process that ends in between must not move the schedule once more.
    let transaction = connection.unchecked_transaction()?;
    let seen = last_seen(connection)?;
    let (now, uptime) = (clock.wall(), clock.uptime());
    let jump = seen.as_ref().and_then(|seen| seen.jump_until(now, uptime.as_ref()));
    let mut jumps = seen.unwrap_or_default().jumps;
    if let Some((jump, is_known)) = jump {
        tell(jump, if is_known { "the schedule moves with it" } else { "or nothing ran for long" });
        jumps.add(jump);
        if is_known {
            move_schedule(connection, jump.by_ms, now)?;
        }
    }
    clock.go_by_time_passed(jumps);
    keep(connection, &clock.last_seen())?;
    transaction.commit()
}

/// Says that the clock has jumped, with what follows from it.
pub(super) fn tell(jump: Jump, follows: &str) {
    let Jump { to, by_ms } = jump;
    let to = to.rfc3339();
    tracing::warn!(by_ms, to, follows, "the clock has jumped: nothing that is owed expires by it");
}

/// Keeps what the next process compares its clock with.
pub(super) fn keep(connection: &Connection, seen: &LastSeen) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO clock (name, doc) VALUES ('last_seen', ?1)";
    connection.prepare_cached(sql)?.execute([schema_value::json(seen)?]).map(|_| ())
}

/// Moves all that is planned in the file by so many milliseconds, and returns the gates as they are then.
pub(super) fn move_schedule(
    connection: &Connection,
    by_ms: i64,
    now: Timestamp,
) -> rusqlite::Result<Vec<Gate>> {
    connection.execute(
        "UPDATE deliveries SET next_at = max(next_at + ?1, 0), due_at = max(due_at + ?1, 0),
           taken_at = max(taken_at + ?1, 0) WHERE due_at IS NOT NULL",
        [by_ms],
    )?;
    let sql = "UPDATE messages SET visible_at = max(visible_at + ?1, 0)";
    connection.execute(sql, [by_ms])?;
    let gates = gates_in_memory::read(connection, now)?;
    let gates: Vec<Gate> = gates.into_iter().map(|gate| gate.moved(by_ms)).collect();
    for gate in &gates {
        gates::write(connection, gate)?;
    }
    Ok(gates)
}

/// Plans what came of a message anew that was received before the clock jumped: see [`Delivery::plan_anew`].
pub(super) fn plan_anew(
    connection: &Connection,
    clock: &MovableClock,
    row: Delivery,
    settlement: Settlement,
) -> rusqlite::Result<Option<(Delivery, Settlement)>> {
    let Some(jump) = clock.jumps().last() else { return Ok(Some((row, settlement))) };
    let stored = deliveries::find(connection, &row.key)?;
    let own = stored.filter(|found| found.event_accepted_at == row.event_accepted_at);
    let recorded = own.map_or(0, |found| found.attempts);
    Ok(row.plan_anew(recorded, jump, clock.now()).map(|(row, by_ms)| match settlement {
        Settlement::VisibleAt(at) => (row, Settlement::VisibleAt(at.moved_ms(by_ms))),
        Settlement::Done => (row, Settlement::Done),
    }))
}

/// Reads what was seen last. A file of an earlier version does not say: then it is when its last event was accepted.
fn last_seen(connection: &Connection) -> rusqlite::Result<Option<LastSeen>> {
    let sql = "SELECT doc FROM clock WHERE name = 'last_seen'";
    let doc = connection.query_row(sql, [], |row| row.get::<_, String>(0)).optional()?;
    match doc.as_deref().map(serde_json::from_str) {
        Some(Ok(seen)) => return Ok(Some(seen)),
        Some(Err(error)) => tracing::error!(%error, "what was seen of the clock cannot be read"),
        None => {}
    }
    let sql = "SELECT born FROM events ORDER BY born DESC LIMIT 1";
    let at = connection.query_row(sql, [], |row| schema_value::timestamp(row, 0)).optional()?;
    Ok(at.map(|at| LastSeen { at, ..LastSeen::default() }))
}

/// Says how the clock is, for who asks.
pub(super) fn check(clock: &MovableClock, now: Timestamp) -> Check {
    match clock.jumps().last() {
        Some(jump) if now.since_ms(jump.to) < TOLD_MS && now >= jump.to => Check::warn(
            "clock",
            format!(
                "jumped by {} s, to {}: is it right now?",
                jump.by_ms / 1_000,
                jump.to.rfc3339()
            ),
        ),
        Some(jump) => Check::ok("clock", format!("steady since {}", jump.to.rfc3339())),
        None => Check::ok("clock", "has never jumped"),
    }
}

/// How long a jump is warned of, in milliseconds: a day.
const TOLD_MS: u64 = 86_400_000;
