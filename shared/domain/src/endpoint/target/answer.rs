//! What an answer of SQS or EventBridge means for a delivery.

use crate::delivery::attempt::Outcome;

/// The outcome of an error: its code as the service names it, its message, and the HTTP status.
///
/// What is not known is `Rejected`, and so retried: a policy may be mended, a queue made again.
pub fn outcome_of(code: &str, message: &str, status: u16) -> Outcome {
    match plain(code) {
        "Throttling"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "KmsThrottled"
        | "OverLimit"
        | "SlowDown" => Outcome::Throttled,
        "InternalFailure"
        | "InternalError"
        | "Internal"
        | "InternalServerError"
        | "ServiceUnavailable" => Outcome::ServerError,
        // Of the message itself: the next attempt would be the same.
        "InvalidMessageContents" | "MalformedDetail" | "RequestEntityTooLarge" => {
            Outcome::Unsendable
        }
        "InvalidParameterValue" if message.contains("must be shorter than") => Outcome::Unsendable,
        _ if status == 429 => Outcome::Throttled,
        _ if status >= 500 => Outcome::ServerError,
        _ => Outcome::Rejected,
    }
}

/// Without a namespace before the code and `Exception` behind it: protocols of AWS differ in both.
fn plain(code: &str) -> &str {
    let code = code.rsplit(['.', '#']).next().unwrap_or(code);
    code.strip_suffix("Exception").unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_to_outcomes() {
        for (code, status, outcome) in [
            ("ThrottlingException", 400, Outcome::Throttled),
            ("RequestThrottled", 403, Outcome::Throttled),
            ("KmsThrottled", 400, Outcome::Throttled),
            ("Unheard", 429, Outcome::Throttled),
            ("InternalException", 200, Outcome::ServerError),
            ("ServiceUnavailable", 503, Outcome::ServerError),
            ("Unheard", 500, Outcome::ServerError),
            ("com.amazonaws.sqs#InvalidMessageContents", 400, Outcome::Unsendable),
            ("MalformedDetail", 200, Outcome::Unsendable),
            ("AccessDenied", 403, Outcome::Rejected),
            ("NotAuthorizedForSourceException", 200, Outcome::Rejected),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, Outcome::Rejected),
            ("InvalidParameterValue", 400, Outcome::Rejected),
            ("", 400, Outcome::Rejected),
        ] {
            assert_eq!(outcome_of(code, "", status), outcome, "{code} {status}");
        }
    }

    /// A queue's own limit may be lower than the service's.
    #[test]
    fn what_a_queue_finds_too_long_is_not_sent_again() {
        let message = "One or more parameters are invalid. Reason: Message must be shorter than 1024 \
                       bytes.";
        assert_eq!(outcome_of("InvalidParameterValue", message, 400), Outcome::Unsendable);
    }
}
