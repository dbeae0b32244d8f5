//! Calls to AWS that go wrong: which, and how. Drawn from a seed, call by call.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

use crate::rng::Rng;

/// What a call to KMS is known by.
const KMS: &str = "TrentService.";

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is made and answered.
    Works,
    /// It has no effect: the service has failed.
    Fails,
    /// It has no effect: there were too many.
    Throttled,
    /// It has its effect, and its connection is cut before the answer.
    Cut,
}

/// Shares of the calls, in percent.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// Answered with an error before they take effect: with a 500 and throttled, by turns of the seed.
    pub refused: u64,
    /// Cut after they have taken effect.
    pub cut: u64,
}

/// Draws the fates of calls to DynamoDB and SQS; all others work.
#[derive(Debug)]
pub struct Faults {
    shares: Shares,
    rng: Rng,
    /// Whether the key of KMS is disabled: nothing else fails then.
    no_key: bool,
}

impl Faults {
    /// With these shares, from this seed.
    pub fn new(shares: Shares, seed: u64) -> Self {
        Self { shares, rng: Rng::new(seed), no_key: false }
    }

    /// The key of KMS is disabled; all other calls work.
    pub fn no_key() -> Self {
        Self { no_key: true, ..Self::new(Shares { refused: 0, cut: 0 }, 0) }
    }

    /// The fate of the next call, by its `x-amz-target`.
    pub fn next(&mut self, target: &str) -> Fate {
        if self.no_key {
            return if target.starts_with(KMS) { Fate::Fails } else { Fate::Works };
        }
        if !["DynamoDB_", "AmazonSQS."].iter().any(|service| target.starts_with(service)) {
            return Fate::Works;
        }
        let Shares { refused, cut } = self.shares;
        match self.rng.below(100) {
            drawn if drawn >= refused + cut => Fate::Works,
            drawn if drawn >= refused => Fate::Cut,
            _ if self.rng.one_in(2) => Fate::Throttled,
            _ => Fate::Fails,
        }
    }
}

/// The error that DynamoDB, SQS and KMS answer with, in the form that all speak.
pub fn refusal(fate: Fate, target: &str) -> Response<Full<Bytes>> {
    let (status, error) = match (fate, target.starts_with("DynamoDB_")) {
        _ if target.starts_with(KMS) => (400, "com.amazonaws.kms#DisabledException"),
        (Fate::Throttled, true) => {
            (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
        }
        (Fate::Throttled, false) => (403, "com.amazonaws.sqs#RequestThrottled"),
        (_, true) => (500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
        (_, false) => (500, "com.amazonaws.sqs#InternalFailure"),
    };
    let body = format!(r#"{{"__type":"{error}","message":"a fault of the test"}}"#);
    let response = Response::builder().status(status);
    response.header("content-type", "application/x-amz-json-1.0").body(Full::from(body)).unwrap()
}
