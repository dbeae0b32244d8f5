//! What SQLite did not do.

use rusqlite::{Error, ErrorCode};
use waxseal_flows::ports::{EngineError, FailureKind};

/// A failure of SQLite, of the step so named.
pub(super) fn failure_at(step: &'static str) -> impl Fn(Error) -> EngineError {
    move |error| EngineError::of(kind_of(&error), step, error)
}

/// A value that is not in its form is said by rusqlite, and a file that is none by SQLite. What else there is,
/// a full disk above all, may pass.
pub(super) fn kind_of(error: &Error) -> FailureKind {
    if let Some(code) = error.sqlite_error_code() {
        return if matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) {
            FailureKind::Unreadable
        } else if matches!(
            code,
            ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::AuthorizationForStatementDenied
        ) {
            FailureKind::Denied
        } else if matches!(code, ErrorCode::CannotOpen | ErrorCode::OutOfMemory) {
            // The server has opened the file before: it is out of handles, or of memory.
            FailureKind::Shortage
        } else if code == ErrorCode::ConstraintViolation {
            FailureKind::Conflict
        } else {
            FailureKind::Unavailable
        };
    }
    FailureKind::Unreadable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_another_form_is_unreadable_and_a_busy_file_is_not() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let no_number = connection.query_row("SELECT 'x'", [], |row| row.get::<_, u32>(0));
        assert_eq!(failure_at("read")(no_number.unwrap_err()).kind(), FailureKind::Unreadable);
        connection.execute_batch("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1);").unwrap();
        let twice = connection.execute("INSERT INTO t VALUES (1)", []).unwrap_err();
        assert_eq!(kind_of(&twice), FailureKind::Conflict);
        let unopened = rusqlite::Connection::open("/dev/null/waxseal.db").unwrap_err();
        assert_eq!(kind_of(&unopened), FailureKind::Shortage);
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        assert_eq!(kind_of(&Error::SqliteFailure(busy, None)), FailureKind::Unavailable);
    }
}
