//! Whether a hook is another profile's.

use super::mistake::Mistake;
use crate::key::Key;
use crate::profile::Profile;
use crate::verify::Fault;
use crate::window::{Window, seconds};

/// The other profile of a hook: one that it verifies as, else, where it lacks this profile's own
/// signature, one whose header it has.
pub(super) fn find<'h>(
    profile: &Profile,
    header: &impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    secrets: &[&str],
    has_own: bool,
) -> Option<Mistake> {
    let others = || {
        Profile::builtins().iter().filter(|other| {
            let there = other.signature_header().and_then(header).is_some_and(|v| !v.is_empty());
            there && other.name() != profile.name()
        })
    };
    let named = |name: &str, verifies| Mistake::OtherProfile { name: name.to_owned(), verifies };
    if let Some(other) = others().find(|other| verifies(other, header, body, secrets)) {
        return Some(named(other.name(), true));
    }
    let foreign = others().find(|other| other.signature_header() != profile.signature_header());
    foreign.filter(|_| !has_own).map(|other| named(other.name(), false))
}

/// Whether the hook verifies under a profile, at whatever time it came.
fn verifies<'h>(
    profile: &Profile,
    header: &impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    secrets: &[&str],
) -> bool {
    let keys: Vec<Key> = secrets.iter().filter_map(|secret| profile.key(secret).ok()).collect();
    let window = Window { now_s: 0, tolerance_s: u64::MAX };
    match profile.verify(header, body, &keys, window) {
        Ok(_) => true,
        Err(Fault::NoKey | Fault::Missing(_) | Fault::TooLong(_) | Fault::Id) => false,
        Err(Fault::Timestamp | Fault::TooOld | Fault::TooNew | Fault::Mismatch) => false,
    }
}

/// What is wrong with a timestamp, its signature aside.
pub(super) fn timestamp(text: &str, window: Window) -> Vec<Mistake> {
    /// Seconds that far are in the year 5138: no clock is that wrong.
    const MILLISECONDS_FROM: u64 = 100_000_000_000;
    let Some(number) = seconds(text) else { return vec![Mistake::TimestampMalformed] };
    let in_milliseconds = number >= MILLISECONDS_FROM;
    let at = if in_milliseconds { number / 1_000 } else { number };
    let (before, after) = (window.now_s.saturating_sub(at), at.saturating_sub(window.now_s));
    let mut mistakes = Vec::new();
    if in_milliseconds {
        mistakes.push(Mistake::TimestampMilliseconds);
    }
    if before > window.tolerance_s {
        mistakes.push(Mistake::TimestampStale { by_s: before });
    }
    if after > window.tolerance_s {
        mistakes.push(Mistake::TimestampFuture { by_s: after });
    }
    mistakes
}
