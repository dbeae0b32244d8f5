//! What a sender is told of an event that was acknowledged: its id, and to whom it is owed.

pub use crate::event::acceptance::{Acceptance, Owed};
