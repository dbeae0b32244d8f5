//! What became of deliveries, held against what was promised.
//!
//! A history is what a store, an API or a receiver tells of one delivery; [`DeliveryHistory::check`] names what in
//! it breaks a promise. It knows no engine: the simulation, the tests that kill a server, the soak and the command
//! `audit-deliveries` all ask it.
//!
//! | kind | the promise that is broken |
//! | --- | --- |
//! | [`Kind::Lost`] | what was acknowledged is delivered, failed or open |
//! | [`Kind::Unfounded`] | what is delivered was accepted by its receiver, and what ended says so in its log |
//! | [`Kind::Early`] | no attempt is made before its time |
//! | [`Kind::BeyondPolicy`] | none is made after the last one, unless a person asks for it |
//! | [`Kind::Miscounted`] | each attempt has its number, and none begins while another is under way |
//! | [`Kind::TwoBodies`] | one id has one body |
//! | [`Kind::AfterEnd`] | nothing is sent after a cancel, an expunge or a disable, but for what was under way |
//! | [`Kind::Unknown`] | nothing is sent that nobody accepted |
//! | [`Kind::Untaken`] | what is delivered has come to its receiver |

use crate::delivery::attempt::{Attempt, Outcome};
use crate::delivery::{Delivery, Status};
use crate::limits::{EARLINESS_MS_MAX, LOG_ATTEMPTS_MAX, SILENT_AFTER_S};
use crate::timestamp::Timestamp;

/// What is known of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryHistory {
    /// The id under which receivers know it.
    pub id: String,
    /// When its event was accepted.
    pub accepted_at: Timestamp,
    /// Where it stands now.
    pub standing: Standing,
    /// The number of attempts that were recorded.
    pub attempt_count: u32,
    /// The last attempts, oldest first: all of them, or [`LOG_ATTEMPTS_MAX`]. None where only the count is known.
    pub attempts: Option<Vec<PastAttempt>>,
    /// When nothing was to be sent.
    pub silences: Vec<Silence>,
    /// The POSTs that its receiver wrote down; none where there is no such log.
    pub posts: Option<Vec<Post>>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is owed still.
    Open,
    /// Its receiver has accepted it.
    Delivered,
    /// It was given up.
    Failed,
    /// Somebody or something ended it.
    Cancelled,
}

/// An attempt that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastAttempt {
    /// Its number, from 1, over all rounds.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether the receiver accepted it.
    pub is_accepted: bool,
    /// When it said that the next one was due; none where none was to follow.
    pub next_at: Option<Timestamp>,
}

/// A POST, as its receiver wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// When it had come.
    pub at: Timestamp,
    /// What tells its body from any other.
    pub digest: String,
}

/// A time in which nothing was to be sent: from a cancel, an expunge or a disable on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When it was answered that nothing is sent any more.
    pub from: Timestamp,
    /// When that was taken back; none where it was not.
    pub until: Option<Timestamp>,
    /// What was done, as `the endpoint was disabled`.
    pub because: String,
}

/// What is known of the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// By how much the clocks of its machines, and of its receivers, may differ, in milliseconds.
    pub clocks_differ_ms: u64,
    /// Whether somebody may have replayed or recovered deliveries: no log tells it, and an attempt out of its turn
    /// may be such a one.
    pub replays: Replays,
}

/// Whether deliveries may have been replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replays {
    /// Nobody has.
    None,
    /// It is not known.
    Possible,
}

/// A promise that a history breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub kind: Kind,
    /// The id of the delivery or of the event.
    pub id: String,
    /// What was found, as the rest of a sentence that begins with the id.
    pub found: String,
}

/// Which promise is broken: see the table of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It was acknowledged, and is not there.
    Lost,
    /// Its log does not bear out its status.
    Unfounded,
    /// An attempt was made before its time.
    Early,
    /// An attempt was made after the last one.
    BeyondPolicy,
    /// Attempts have wrong numbers, or two were under way.
    Miscounted,
    /// Two POSTs of one id have different bodies.
    TwoBodies,
    /// Something was sent after it had been ended.
    AfterEnd,
    /// Something was sent that nobody accepted.
    Unknown,
    /// It is delivered, and its receiver has not seen it.
    Untaken,
}

impl Standing {
    fn of(status: &Status) -> Self {
        match status {
            Status::Open(_) => Self::Open,
            Status::Delivered => Self::Delivered,
            Status::Failed(_) => Self::Failed,
            Status::Cancelled(_) => Self::Cancelled,
        }
    }
}

impl PastAttempt {
    fn of(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            is_accepted: attempt.outcome == Outcome::Accepted,
            next_at: attempt.next_attempt_at,
        }
    }
}

impl Kind {
    /// Every kind, in the order of the module's table.
    pub const ALL: [Self; 9] = [
        Self::Lost,
        Self::Unfounded,
        Self::Early,
        Self::BeyondPolicy,
        Self::Miscounted,
        Self::TwoBodies,
        Self::AfterEnd,
        Self::Unknown,
        Self::Untaken,
    ];

    /// The kind's word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Unfounded => "unfounded",
            Self::Early => "early",
            Self::BeyondPolicy => "beyond_policy",
            Self::Miscounted => "miscounted",
            Self::TwoBodies => "two_bodies",
            Self::AfterEnd => "after_end",
            Self::Unknown => "unknown",
            Self::Untaken => "untaken",
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.id, self.found)
    }
}

impl Violation {
    /// What was acknowledged and is not there.
    pub fn lost(id: &str) -> Self {
        Self::new(Kind::Lost, id, "was acknowledged, and is not there".to_owned())
    }

    /// What came to a receiver and was accepted by nobody.
    pub fn unknown(id: &str) -> Self {
        Self::new(
            Kind::Unknown,
            id,
            "came to a receiver, and no event that was accepted owes it".to_owned(),
        )
    }

    fn new(kind: Kind, id: &str, found: String) -> Self {
        Self { kind, id: id.to_owned(), found }
    }
}

impl DeliveryHistory {
    /// What a stored row tells.
    pub fn of(row: &Delivery) -> Self {
        Self {
            id: row.key.id().to_string(),
            accepted_at: row.event_accepted_at,
            standing: Standing::of(&row.status),
            attempt_count: row.attempts,
            attempts: Some(row.log.iter().map(PastAttempt::of).collect()),
            silences: Vec::new(),
            posts: None,
        }
    }

    /// Names each promise that the history breaks.
    pub fn check(&self, circumstances: Circumstances) -> Vec<Violation> {
        let mut found = Vec::new();
        if let Some(attempts) = &self.attempts {
            found.extend(self.check_counts(attempts));
            found.extend(self.check_standing(attempts, circumstances.replays));
            found.extend(self.check_times(attempts, circumstances));
        }
        found.extend(self.check_silences(circumstances));
        if let Some(posts) = &self.posts {
            found.extend(self.check_posts(posts));
        }
        let violation = |(kind, text)| Violation::new(kind, &self.id, text);
        found.into_iter().map(violation).collect()
    }

    fn check_counts(&self, attempts: &[PastAttempt]) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        let first = attempts.first().map_or(0, |first| first.number);
        if first > 1 && attempts.len() < LOG_ATTEMPTS_MAX {
            found.push((Kind::Miscounted, format!("has a log that begins with attempt {first}")));
        }
        for pair in attempts.windows(2) {
            let [one, next] = pair else { continue };
            if next.number != one.number + 1 {
                let text = format!("has attempt {} right after {}", next.number, one.number);
                found.push((Kind::Miscounted, text));
            }
        }
        let last = attempts.last().map_or(0, |last| last.number);
        // A cancel that comes while an attempt is under way wins: the attempt is in the log, and not counted.
        let uncounted = u32::from(self.standing == Standing::Cancelled);
        if !(self.attempt_count..=self.attempt_count + uncounted).contains(&last) {
            let text =
                format!("counts {} attempts, and the last one is {last}", self.attempt_count);
            found.push((Kind::Miscounted, text));
        }
        found
    }

    fn check_standing(&self, attempts: &[PastAttempt], replays: Replays) -> Vec<(Kind, String)> {
        let last = attempts.last();
        let is_accepted = last.is_some_and(|last| last.is_accepted);
        let text = match self.standing {
            Standing::Delivered if !is_accepted => {
                "is delivered, and its last attempt was not accepted"
            }
            // A replay opens what was delivered, and it may fail then without an attempt.
            Standing::Failed if is_accepted && replays == Replays::None => {
                "is failed, and its last attempt was accepted"
            }
            Standing::Open | Standing::Delivered | Standing::Failed | Standing::Cancelled => {
                return Vec::new();
            }
        };
        vec![(Kind::Unfounded, text.to_owned())]
    }

    fn check_times(
        &self,
        attempts: &[PastAttempt],
        circumstances: Circumstances,
    ) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        let differ_ms = circumstances.clocks_differ_ms;
        let at = |time: Timestamp| time.rfc3339();
        if let Some(first) = attempts.first()
            && first.started_at.plus_ms(differ_ms) < self.accepted_at
        {
            let (began, accepted) = (at(first.started_at), at(self.accepted_at));
            found.push((
                Kind::Early,
                format!("was attempted at {began}, and accepted at {accepted}"),
            ));
        }
        for pair in attempts.windows(2) {
            let [one, next] = pair else { continue };
            let ended_at = one.started_at.plus_ms(one.duration_ms);
            if next.started_at.plus_ms(differ_ms) < ended_at {
                let text =
                    format!("had attempts {} and {} under way at once", one.number, next.number);
                found.push((Kind::Miscounted, text));
            }
            if circumstances.replays == Replays::Possible {
                continue;
            }
            let began = at(next.started_at);
            match one.next_at {
                None => {
                    let text = format!(
                        "had attempt {} at {began}, and none was to follow attempt {}",
                        next.number, one.number
                    );
                    found.push((Kind::BeyondPolicy, text));
                }
                Some(due) if next.started_at.plus_ms(EARLINESS_MS_MAX + differ_ms) < due => {
                    let text =
                        format!("had attempt {} at {began}, due at {}", next.number, at(due));
                    found.push((Kind::Early, text));
                }
                Some(_) => {}
            }
        }
        found
    }

    /// What was sent in a silence, by the log or by the receiver's. What is under way when it begins ends within
    /// [`SILENT_AFTER_S`].
    fn check_silences(&self, circumstances: Circumstances) -> Vec<(Kind, String)> {
        let mut sent: Vec<Timestamp> = Vec::new();
        sent.extend(self.attempts.iter().flatten().map(|attempt| attempt.started_at));
        sent.extend(self.posts.iter().flatten().map(|post| post.at));
        let mut found = Vec::new();
        for Silence { from, until, because } in &self.silences {
            let silent_from = from.plus_s(SILENT_AFTER_S).plus_ms(circumstances.clocks_differ_ms);
            let is_broken = |at: &&Timestamp| {
                let is_over =
                    until.is_some_and(|until| at.plus_ms(circumstances.clocks_differ_ms) >= until);
                **at > silent_from && !is_over
            };
            if let Some(at) = sent.iter().find(is_broken) {
                let (at, from) = (at.rfc3339(), from.rfc3339());
                found.push((Kind::AfterEnd, format!("was sent at {at}, and {because} at {from}")));
            }
        }
        found
    }

    fn check_posts(&self, posts: &[Post]) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        if self.standing == Standing::Delivered && posts.is_empty() {
            let text = "is delivered, and its receiver has not written it down".to_owned();
            found.push((Kind::Untaken, text));
        }
        let other =
            posts.first().and_then(|first| posts.iter().find(|one| one.digest != first.digest));
        if let (Some(first), Some(other)) = (posts.first(), other) {
            let text = format!(
                "came with one body at {} and with another at {}",
                first.at.rfc3339(),
                other.at.rfc3339()
            );
            found.push((Kind::TwoBodies, text));
        }
        found
    }
}

#[cfg(test)]
mod tests;
