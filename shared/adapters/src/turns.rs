//! Whose work runs next: a few pieces run at a time, on blocking threads, and one of an owner, so that whoever asks for
//! much waits for itself.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use waxseal_domain::limits::{WORK_PLACES, WORK_WAIT_MS, WORK_WAITING_BYTES_MAX};
use waxseal_flows::ports::{Busy, WorkOwner};

/// Owners that are remembered; when there are more, those that wait for nothing are forgotten.
const OWNERS_MAX: usize = 1_000;

/// Places on threads, and a line before them for each owner. Both are given in the order of asking.
#[derive(Debug)]
pub struct Turns {
    places: Arc<Semaphore>,
    lines: Mutex<HashMap<WorkOwner, Arc<Line>>>,
    /// How long one waits.
    wait: Duration,
}

/// The line of one owner.
#[derive(Debug)]
struct Line {
    /// The one turn that the owner has at a time.
    turn: Arc<Semaphore>,
    /// Bytes of what waits for it.
    waiting: AtomicUsize,
}

/// What waits in a line, for as long as this value lives.
struct Waiting {
    line: Arc<Line>,
    bytes: usize,
}

/// The right to do one piece of work. It is given back when the work has ended, and not when nobody waits for it any
/// more.
#[derive(Debug)]
pub struct Turn {
    /// First of all, then the owner's: who comes next in the line finds a place that is free.
    _places: [OwnedSemaphorePermit; 2],
}

impl Default for Turns {
    fn default() -> Self {
        Self::with_wait(Duration::from_millis(WORK_WAIT_MS))
    }
}

impl Turns {
    pub(crate) fn with_wait(wait: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(WORK_PLACES)), lines: Mutex::default(), wait }
    }

    /// Waits for an owner's turn, with so many bytes in memory meanwhile. It is refused at once where too much of the
    /// owner's waits, and where the turn does not come in time.
    pub async fn take(&self, owner: &WorkOwner, bytes: usize) -> Result<Turn, Busy> {
        let never = "no semaphore of turns is closed";
        let line = self.line(owner);
        let _waiting = Waiting::join(&line, bytes).ok_or(Busy::Owner)?;
        let until = Instant::now() + self.wait;
        let own = timeout_at(until, Arc::clone(&line.turn).acquire_owned());
        let own = own.await.map_err(|_| Busy::Owner)?.expect(never);
        let place = timeout_at(until, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| Busy::Server)?.expect(never);
        Ok(Turn { _places: [place, own] })
    }

    /// Returns how many places are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> usize {
        WORK_PLACES - self.places.available_permits()
    }

    fn line(&self, owner: &WorkOwner) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= OWNERS_MAX {
            lines.retain(|_, line| Arc::strong_count(line) > 1 || line.is_taken());
        }
        let line = lines.entry(owner.clone()).or_insert_with(|| Arc::new(Line::new()));
        Arc::clone(line)
    }
}

impl Line {
    fn new() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), waiting: AtomicUsize::new(0) }
    }

    fn is_taken(&self) -> bool {
        self.turn.available_permits() == 0
    }
}

impl Waiting {
    /// Joins a line. What is alone in it may be of any size.
    fn join(line: &Arc<Line>, bytes: usize) -> Option<Self> {
        let before = line.waiting.fetch_add(bytes, Ordering::Relaxed);
        let waiting = Self { line: Arc::clone(line), bytes };
        (before == 0 || before + bytes <= WORK_WAITING_BYTES_MAX).then_some(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.line.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Turn {
    /// Does the work on a blocking thread.
    pub(crate) async fn run<T: Send + 'static>(
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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc::channel;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn wait_for<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(future)
    }

    fn tenant(name: &str) -> WorkOwner {
        WorkOwner::Tenant(name.parse().unwrap())
    }

    fn is_ready<T>(future: impl Future<Output = T>) -> bool {
        matches!(pin!(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
    }

    #[test]
    fn an_owner_has_one_turn_at_a_time_and_leaves_the_others_to_others() {
        wait_for(async {
            let (turns, one, other) = (Turns::default(), tenant("one"), tenant("other"));
            let first = turns.take(&one, 1).await.ok().unwrap();
            assert!(!is_ready(turns.take(&one, 1)));
            assert!(is_ready(turns.take(&other, 1)));
            drop(first);
            assert!(is_ready(turns.take(&one, 1)));
        });
    }

    #[test]
    fn a_turn_that_does_not_come_in_time_is_refused_and_leaves_nothing_behind() {
        wait_for(async {
            let turns = Turns::with_wait(Duration::ZERO);
            let (one, other, third) = (tenant("one"), tenant("other"), tenant("third"));
            let mine = turns.take(&one, 1).await;
            assert_eq!(turns.take(&one, 1).await.err(), Some(Busy::Owner));
            let others = turns.take(&other, 1).await;
            assert_eq!(turns.take(&third, 1).await.err(), Some(Busy::Server));
            drop((mine, others));
            for owner in [&one, &third] {
                assert!(turns.take(owner, WORK_WAITING_BYTES_MAX).await.is_ok(), "{owner:?}");
            }
            assert_eq!(turns.taken(), 0);
        });
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_and_refused_at_once() {
        wait_for(async {
            let (turns, one) = (Turns::default(), tenant("one"));
            let _running = turns.take(&one, usize::MAX / 2).await;
            let half = WORK_WAITING_BYTES_MAX / 2;
            let mut waiting = [pin!(turns.take(&one, half)), pin!(turns.take(&one, half))];
            let mut context = Context::from_waker(Waker::noop());
            for waiting in &mut waiting {
                assert!(waiting.as_mut().poll(&mut context).is_pending());
            }
            assert_eq!(turns.take(&one, 1).await.err(), Some(Busy::Owner));
            assert!(turns.take(&tenant("other"), half).await.is_ok());
        });
    }

    /// A deadline ends the waiting and never the work: were its place given to another, as many threads would run on as
    /// requests are given up.
    #[test]
    fn work_that_nobody_waits_for_keeps_its_place_until_it_ends() {
        let (turns, one) = (Turns::default(), tenant("one"));
        let (end, ended) = channel::<()>();
        wait_for(async {
            let turn = turns.take(&one, 1).await.ok().unwrap();
            let waiting = turn.run(move || ended.recv().is_ok());
            // Asked for once, which begins it, and then given up.
            assert!(!is_ready(waiting));
            assert_eq!(turns.taken(), 1);
            assert!(!is_ready(turns.take(&one, 1)));
            end.send(()).unwrap();
            drop(turns.take(&one, 1).await);
            assert_eq!(turns.taken(), 0);
        });
    }

    #[test]
    fn owners_are_forgotten_when_they_wait_for_nothing() {
        wait_for(async {
            let turns = Turns::default();
            let held = turns.take(&tenant("held"), 1).await;
            for number in 0..2 * OWNERS_MAX {
                drop(turns.take(&tenant(&format!("t{number}")), 1).await);
            }
            assert!(turns.lines.lock().unwrap().len() <= OWNERS_MAX);
            assert!(!is_ready(turns.take(&tenant("held"), 1)), "its turn is remembered");
            drop(held);
        });
    }
}
