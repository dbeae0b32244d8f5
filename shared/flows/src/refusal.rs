//! Why a flow did not do what it was asked: a problem of the caller's, or a failure of our own.

use waxseal_domain::problem::Problem;

use crate::ports::EngineError;

/// Why a request was not done.
#[derive(Debug)]
pub enum Refusal {
    /// The request cannot be done: the same one again would get the same answer.
    Problem(Problem),
    /// We failed: the same request may succeed later.
    Ours(EngineError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Ours(error)
    }
}

impl Refusal {
    /// As it is answered. Our own failure is logged, since its caller learns nothing of it.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Ours(error) => {
                tracing::error!(%error, "nothing was acknowledged");
                Problem::unavailable()
            }
        }
    }
}
