//! What a store answers with.

use crate::ports::EngineError;

/// What was asked for, or our own failure.
pub(super) type StoreResult<T> = Result<T, EngineError>;
