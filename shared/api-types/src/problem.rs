//! Problem documents (RFC 9457): how every error is answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_domain::{json, problem};

/// Tells why a request was not done, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Identifies the kind of problem, as a URN that begins with `urn:waxseal:problem:`. Programs can
    /// decide by it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Names the kind of problem for people. It is the same for every problem of this type.
    pub title: String,
    /// Repeats the HTTP status code of the answer.
    pub status: u16,
    /// Explains what is wrong with this request.
    pub detail: String,
    /// Lists every fault of a request body that was read and is not valid. It is left out of other problems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// Tells what is wrong with one member of a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Points to the member that is at fault, as a JSON Pointer (RFC 6901). It is empty where the fault
    /// concerns the body as a whole.
    pub pointer: String,
    /// Explains what is wrong there.
    pub detail: String,
}

impl From<&problem::Problem> for Problem {
    fn from(problem: &problem::Problem) -> Self {
        Self {
            kind: problem.kind.clone(),
            title: problem.title.clone(),
            status: problem.status,
            detail: problem.detail.clone(),
            errors: problem.errors.iter().map(Fault::from).collect(),
        }
    }
}

impl From<&json::Fault> for Fault {
    fn from(fault: &json::Fault) -> Self {
        Self { pointer: fault.pointer.clone(), detail: fault.detail.clone() }
    }
}
