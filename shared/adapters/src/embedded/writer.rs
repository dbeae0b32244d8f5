//! Writes to the SQLite file on one thread, and groups the commits of concurrent requests.
//!
//! Whatever jobs wait when the thread is free share one transaction and one sync, each in its own
//! savepoint, so that one that fails leaves the others alone. Nothing is answered before the
//! commit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use waxseal_flows::ports::{EngineError, FailureKind};

use super::failure::{failure_at, kind_of};

/// The number of jobs in one transaction: large enough for the cost of the sync not to count, small
/// enough for the wait not to be felt.
const GROUP_MAX: usize = 256;
/// What the caller of a job is told where the log says why.
const NOT_WRITTEN: &str = "it was not written; see the log";
/// How long jobs that need no sync wait for one that does.
const LAZY: Duration = Duration::from_millis(5);

/// Whether a job's result must outlast a power cut before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The result must outlast a power cut: something is acknowledged on it.
    Synced,
    /// The result may be lost in a power cut: that repeats a POST and loses nothing. It outlasts
    /// `kill -9` all the same.
    Lazy,
    /// As synced, and in a transaction with no other job: what other jobs do in memory after their commit lies wholly
    /// before it, or wholly after it.
    Alone,
}

/// Answers the caller of a job whose work is done: that it was committed, or which kind of failure kept it from
/// that.
type Reply = Box<dyn FnOnce(Result<(), FailureKind>) + Send>;

/// Does the work of a job. Work that fails answers its caller by itself, and has no reply.
type Work = Box<dyn FnOnce(&Connection) -> Option<Reply> + Send>;

struct Job {
    durability: Durability,
    run: Work,
}

/// Hands jobs to the writing thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("waxseal-writer".to_owned())
            .spawn(move || write_all(&connection, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a transaction; after its commit runs `then` on the writing thread, whether or
    /// not the caller still waits, and answers.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        step: &'static str,
        durability: Durability,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, EngineError> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            durability,
            run: Box::new(move |connection| match work(connection) {
                Ok(result) => Some(Box::new(move |committed| {
                    let answered = match committed {
                        Ok(()) => {
                            then(&result);
                            Ok(result)
                        }
                        Err(kind) => Err(EngineError::of(kind, step, NOT_WRITTEN)),
                    };
                    // The caller may have gone; what was written stays written.
                    let _gone = answer.send(answered);
                })),
                Err(error) => {
                    tracing::error!(%error, step, "a write was refused by the store");
                    let _gone = answer.send(Err(failure_at(step)(error)));
                    None
                }
            }),
        };
        let jobs = self
            .jobs
            .as_ref()
            .ok_or_else(|| EngineError::unavailable(step, "the store is closed"))?;
        jobs.send(job)
            .map_err(|_| EngineError::unavailable(step, "the store's writer has ended"))?;
        answered.await.unwrap_or_else(|_| Err(EngineError::unavailable(step, NOT_WRITTEN)))
    }
}

impl Drop for Writer {
    /// Waits for the jobs in hand, so that a clean stop leaves nothing half done.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn write_all(connection: &Connection, queue: &Receiver<Job>) {
    let mut synced = true;
    let mut left = None;
    while let Some(first) = left.take().or_else(|| queue.recv().ok()) {
        let (group, alone) = gather(first, queue);
        left = alone;
        let sync = group.iter().any(|job| job.durability != Durability::Lazy);
        if let Err(error) = set_sync(connection, &mut synced, sync) {
            // The jobs go with their group, and their callers are told that nothing was written.
            tracing::error!(%error, "a group of writes was not begun");
            continue;
        }
        commit(connection, group);
    }
}

/// Takes all jobs that wait. If none of them needs a sync, it waits a moment for one that does, and
/// shares its commit. A job that must be alone ends a group, and is returned beside it as the next.
fn gather(first: Job, queue: &Receiver<Job>) -> (Vec<Job>, Option<Job>) {
    let mut lazy = first.durability == Durability::Lazy;
    let is_alone = first.durability == Durability::Alone;
    let mut group = vec![first];
    while group.len() < GROUP_MAX && !is_alone {
        let next = match queue.try_recv() {
            Ok(job) => Ok(job),
            Err(_) if lazy => queue.recv_timeout(LAZY),
            Err(_) => Err(RecvTimeoutError::Timeout),
        };
        let Ok(job) = next else { break };
        if job.durability == Durability::Alone {
            return (group, Some(job));
        }
        lazy &= job.durability == Durability::Lazy;
        group.push(job);
    }
    (group, None)
}

fn set_sync(connection: &Connection, synced: &mut bool, wanted: bool) -> rusqlite::Result<()> {
    if *synced != wanted {
        connection.execute_batch(if wanted {
            "PRAGMA synchronous = FULL"
        } else {
            "PRAGMA synchronous = NORMAL"
        })?;
        *synced = wanted;
    }
    Ok(())
}

/// Commits a group, and only then answers: an answer before the commit would acknowledge an event that a crash
/// could still lose.
fn commit(connection: &Connection, group: Vec<Job>) {
    let mut replies = Vec::with_capacity(group.len());
    let committed = run_all(connection, group, &mut replies).map_err(|error| {
        tracing::error!(%error, "a group of writes was not committed");
        let _no_transaction = connection.execute_batch("ROLLBACK");
        kind_of(&error)
    });
    for reply in replies {
        reply(committed);
    }
}

/// Runs the jobs in one transaction, each in a savepoint, and commits it.
fn run_all(
    connection: &Connection,
    group: Vec<Job>,
    replies: &mut Vec<Reply>,
) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for job in group {
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        match (job.run)(connection) {
            Some(reply) => replies.push(reply),
            None => connection.execute_batch("ROLLBACK TO job")?,
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
    }
    connection.execute_batch("COMMIT")
}

#[cfg(test)]
mod tests {
    use futures_util::future::join4;

    use super::*;

    #[test]
    fn a_write_that_fails_says_its_kind_and_leaves_the_others_of_its_group() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a UNIQUE)").unwrap();
        let writer = Writer::start(connection).unwrap();
        let insert = |value: u32| {
            writer.write(
                "insert",
                Durability::Synced,
                move |connection| connection.execute("INSERT INTO t VALUES (?1)", [value]),
                |_| (),
            )
        };
        let unreadable = writer.write(
            "read",
            Durability::Synced,
            |connection| connection.query_row("SELECT 'x'", [], |row| row.get::<_, u32>(0)),
            |_| (),
        );
        let all = join4(insert(1), unreadable, insert(1), insert(2));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (first, unread, again, other) = runtime.block_on(all);
        assert_eq!((first.unwrap(), other.unwrap()), (1, 1));
        let unread = unread.unwrap_err();
        assert_eq!((unread.kind(), unread.step()), (FailureKind::Unreadable, "read"));
        assert_eq!(again.unwrap_err().kind(), FailureKind::Conflict);
    }
}
