//! Why a command did not do what was asked, in words, and as an exit code. Never with a key in it.

use waxseal_adapters::client::{Answer, Fault};
use waxseal_api_types::Problem;

use super::output::{plain, say};

/// What a command comes to: done, or why not.
pub(crate) type CommandResult = Result<(), Failure>;

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What was asked about failed, or was refused.
    Failed(String),
    /// The command cannot be understood.
    Usage(String),
    /// No key, an unknown one, or one that may not do this.
    Unauthorised(String),
    /// There is no such thing, for this key.
    NotFound(String),
    /// The server or the network failed.
    Unavailable(String),
    /// Whoever read our output has gone, as `head` does: no failure of ours.
    NobodyReads,
    /// All has been said already.
    Said,
}

impl Failure {
    /// The exit code of this kind of failure.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NobodyReads => 0,
            Self::Failed(_) | Self::Said => 1,
            Self::Usage(_) => 2,
            Self::Unauthorised(_) => 3,
            Self::NotFound(_) => 4,
            Self::Unavailable(_) => 5,
        }
    }

    /// Says it on standard error.
    pub(crate) fn tell(&self) {
        if !self.text().is_empty() {
            say(&format!("waxseal: {}", self.text()));
        }
    }

    /// What is wrong; empty where all has been said.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Failed(text)
            | Self::Usage(text)
            | Self::Unauthorised(text)
            | Self::NotFound(text)
            | Self::Unavailable(text) => text,
            Self::NobodyReads | Self::Said => "",
        }
    }

    /// Of an answer that is not 2xx.
    pub(crate) fn of(answer: &Answer) -> Self {
        let text = problem_text(answer.status, &answer.body);
        match answer.status {
            401 => Self::Unauthorised(format!("{text}; `waxseal login` with a key that is known")),
            403 => Self::Unauthorised(text),
            404 => Self::NotFound(text),
            // Not of ours but of what stands before it, or not an API at all.
            300..=399 => Self::Unavailable(format!("{text}: is the server's URL right?")),
            500..=599 => Self::Unavailable(text),
            429 => Self::Unavailable(text),
            _ => Self::Failed(text),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}

/// Says what is wrong, where an answer is a problem document.
fn problem_text(status: u16, body: &[u8]) -> String {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => describe_problem(&problem),
        Err(_) => format!("the server answered {status}"),
    }
}

/// Lays a problem out for people: what is wrong, then each fault with its pointer on a line.
pub(crate) fn describe_problem(problem: &Problem) -> String {
    let Problem { title, detail, status, errors, .. } = problem;
    let mut text = format!("{} ({status}): {}", plain(title), plain(detail));
    for fault in errors {
        let pointer = if fault.pointer.is_empty() { "the body" } else { &fault.pointer };
        text.extend(["\n  ", &plain(pointer), " ", &plain(&fault.detail)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_with_its_pointer_and_cannot_steer_the_terminal() {
        let body =
            br#"{"type":"x","title":"The body does not fit","status":422,"detail":"2 members",
            "errors":[{"pointer":"/url","detail":"must be https"},
                      {"pointer":"","detail":"a\u001b[31mb"}]}"#;
        let expected =
            "The body does not fit (422): 2 members\n  /url must be https\n  the body a [31mb";
        assert_eq!(problem_text(422, body), expected);
        assert_eq!(problem_text(502, b"<html>"), "the server answered 502");
    }
}
