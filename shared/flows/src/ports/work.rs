//! Work that somebody else decides, and whose turn it is.

use waxseal_domain::id::{SourceName, TenantName};
use waxseal_domain::problem::Problem;

use super::EngineError;

/// Who decides what work costs, and waits in line for it with nobody but itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WorkOwner {
    /// Somebody who has a key of a tenant: its filters, schemas, events and questions.
    Tenant(TenantName),
    /// Whoever sends hooks to a source of a tenant: nobody knows them until their signature holds.
    Source(TenantName, SourceName),
    /// Whoever has the operator's key.
    Operator,
    /// Whoever asks for what anybody may have.
    Anybody,
}

/// Work was not begun: its turn did not come in time. Nothing was done, and the same may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Its owner has asked for so much that it waits for itself.
    Owner,
    /// Others' work has taken all places for too long.
    Server,
}

/// Where nobody is there to be told to wait, the step is taken again later.
impl From<Busy> for EngineError {
    fn from(_: Busy) -> Self {
        Self::unavailable("wait for a turn", "the work of others, or of the same owner, came first")
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        match busy {
            Busy::Owner => Self::too_much_work(),
            Busy::Server => Self::no_turn(),
        }
    }
}
