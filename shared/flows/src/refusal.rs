//! Says why a flow did not do what it was asked: a problem of the caller's, or a failure of our
//! own.

use waxseal_domain::problem::Problem;

use crate::ports::{Busy, EngineError};

/// Why a flow did not do what it was asked.
#[derive(Debug)]
pub enum Refusal {
    /// The caller must change something: the same request would get the same answer again.
    Problem(Problem),
    /// The turn of the caller's work did not come: nothing was done, nobody failed, and the same request may succeed
    /// later.
    Busy(Busy),
    /// We failed, and the same request may succeed later.
    Ours(EngineError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Busy> for Refusal {
    fn from(busy: Busy) -> Self {
        Self::Busy(busy)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Ours(error)
    }
}

impl Refusal {
    /// Turns the refusal into the problem to answer with. Our own failure is logged here, since the
    /// caller is told only that it happened.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Busy(busy) => busy.into(),
            Self::Ours(error) => {
                tracing::error!(%error, "nothing was acknowledged");
                Problem::unavailable()
            }
        }
    }
}
