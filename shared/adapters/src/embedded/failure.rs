//! What SQLite did not do.

use waxseal_flows::ports::EngineError;

/// A failure of SQLite, of the step so named.
pub(super) fn failed(step: &'static str) -> impl Fn(rusqlite::Error) -> EngineError {
    move |error| EngineError::new(step, error)
}
