//! Test events: sent at once, and answered with all that came back.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::delivery::Outcome;

/// Asks for a test event.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewTest {
    /// Names the type of the test event. The default is `webhook.test`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Holds the data of the test event. The default is the example of its type, from the catalogue of event
    /// types or from the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

/// Tells what became of a test event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestResult {
    /// Identifies the delivery, as its receiver saw it. Test events are not stored.
    pub delivery_id: String,
    /// Tells what the attempt came to.
    pub outcome: Outcome,
    /// Explains why there was no response. It is left out where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Tells how long the attempt took, in milliseconds.
    pub duration_ms: u64,
    /// Holds the receiver's response. It is null where there was none.
    pub response: Option<TestResponse>,
    /// Holds the headers that were sent, the signature included.
    pub request_headers: BTreeMap<String, String>,
    /// Tells what the receiver answered when it was asked whether it wants to be sent to. It is left out
    /// where the profile asks no such question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
}

/// Holds what a receiver responded. Long headers and bodies are cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestResponse {
    /// Holds the HTTP status code.
    pub status: u16,
    /// Holds the headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Holds the beginning of the body.
    pub body: String,
}

/// Tells what a receiver answered when it was asked whether it wants to be sent to, as the HTTP webhook
/// specification of CloudEvents demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handshake {
    /// Tells whether the receiver allows deliveries.
    pub allowed: bool,
    /// Explains why it does not. It is left out where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Tells how many requests per minute the receiver allows. It is left out where the receiver did not
    /// say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_rate: Option<String>,
}

impl NewTest {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self { event_type: Some("dlp.violation".to_owned()), data: None }
    }
}
