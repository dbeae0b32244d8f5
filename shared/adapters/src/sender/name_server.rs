//! Whether our own name server answers: told by the look-ups that it answers, and where one is slow or fails for
//! now, by asking for the name's last part, which every name server knows.
//!
//! A name that is not answered is the receiver's failure only where another name is.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::resolver::LookUp;

/// After so long without an answer the name's last part is asked for: less than the shortest attempt has.
const SLOW: Duration = Duration::from_millis(600);
/// The longest wait for that answer, once the name itself has failed.
const CONTROL_MAX: Duration = Duration::from_millis(1_000);
/// A look-up that was given up is remembered for so long: for its own attempt, which ends with it.
const REMEMBERED: Duration = Duration::from_secs(30);
/// What a resolver says of a name that it knows there is not, or not with an address: GNU's words, and musl's.
const ANSWERS: [&str; 4] = [
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "Name has no usable address",
];

/// The system's name server, as it was seen to behave.
pub(super) struct NameServer {
    look_up: LookUp,
    is_asked: AtomicBool,
    /// Told when the look-up of another name has ended.
    ended: Notify,
    seen: Mutex<Seen>,
}

impl std::fmt::Debug for NameServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NameServer").field("seen", &self.seen).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Seen {
    answered_at: Option<Instant>,
    /// When each look-up that has no answer began: it is under way, or was given up.
    unanswered: HashMap<String, Instant>,
}

impl NameServer {
    pub(super) fn new(look_up: LookUp) -> Self {
        Self {
            look_up,
            is_asked: AtomicBool::new(false),
            ended: Notify::new(),
            seen: Mutex::default(),
        }
    }

    /// Looks a name up. Where it fails for now, this asks for another name first, so that
    /// [`NameServer::is_silent_for`] knows whose fault it is.
    pub(super) async fn find(
        self: &Arc<Self>,
        name: &str,
    ) -> io::Result<Vec<std::net::SocketAddr>> {
        self.begin(name);
        let mut found = (self.look_up)(name.to_owned());
        let found = match tokio::time::timeout(SLOW, found.as_mut()).await {
            Ok(found) => found,
            Err(_) => {
                self.ask_for_another(name);
                found.await
            }
        };
        if is_answer(&found) {
            self.note_answer(Some(name));
        } else {
            // Made before the question is put, so that an answer that comes at once is not missed.
            let ended = self.ended.notified();
            self.ask_for_another(name);
            if self.is_silent_for(name) {
                let _silent = tokio::time::timeout(CONTROL_MAX, ended).await;
            }
        }
        found
    }

    /// Whether the look-up of a name has no answer, and nothing else was answered since it began.
    pub(super) fn is_silent_for(&self, name: &str) -> bool {
        let seen = self.lock();
        let Some(began) = seen.unanswered.get(name) else { return false };
        seen.answered_at.is_none_or(|answered_at| answered_at < *began)
    }

    fn begin(&self, name: &str) {
        let now = Instant::now();
        let mut seen = self.lock();
        seen.unanswered.retain(|_, began| now.duration_since(*began) < REMEMBERED);
        seen.unanswered.insert(name.to_owned(), now);
    }

    fn note_answer(&self, name: Option<&str>) {
        let mut seen = self.lock();
        seen.answered_at = Some(Instant::now());
        if let Some(name) = name {
            seen.unanswered.remove(name);
        }
    }

    /// Asks for the last part of a name in a task of its own, one at a time: many names may be slow at once.
    fn ask_for_another(self: &Arc<Self>, name: &str) {
        if self.is_asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let server = Arc::clone(self);
        let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let control = (self.look_up)(format!("{last}."));
        tokio::spawn(async move {
            if is_answer(&control.await) {
                server.note_answer(None);
            }
            server.is_asked.store(false, Ordering::Release);
            server.ended.notify_waiters();
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name server has answered: with addresses, or that there are none.
fn is_answer<T>(found: &io::Result<T>) -> bool {
    match found {
        Ok(_) => true,
        Err(error) => {
            let text = error.to_string();
            ANSWERS.iter().any(|answer| text.contains(answer))
        }
    }
}
