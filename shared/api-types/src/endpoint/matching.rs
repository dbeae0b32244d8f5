//! Matches: what an endpoint would have got of the last stored events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EndpointChanges;

/// Asks which of the last events an endpoint would have got. The members describe the endpoint, or what is
/// changed of it for this answer; nothing is saved.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct MatchChanges {
    /// Limits how many events are looked at, the newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// Holds the changes that are tried.
    #[serde(flatten)]
    pub changes: EndpointChanges,
}

/// Tells which of the last events an endpoint would have got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchResult {
    /// Counts the events that were looked at: fewer than `limit` where there are no more, or where those looked at
    /// have come to 4 MB, or to two million steps of matching.
    pub examined: usize,
    /// Counts the events that would have been sent.
    pub matched: usize,
    /// Lists the events that were looked at, newest first.
    pub items: Vec<MatchedEvent>,
}

/// Tells what would have become of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchedEvent {
    /// Identifies the event that was looked at.
    pub event_id: String,
    /// Names the type of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Tells when the event happened.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// Tells when the event was received.
    #[schemars(extend("format" = "date-time"))]
    pub received_at: String,
    /// Tells whether the endpoint would have got the event.
    pub matched: bool,
    /// Counts the bytes of the body that would have been sent. It is null where nothing would have been.
    pub bytes: Option<usize>,
    /// Holds the content type of the body that would have been sent.
    pub content_type: Option<String>,
    /// Holds the body that would have been sent, as text. It is null where nothing would have been sent, and
    /// where all bodies together are too long for one answer.
    pub body: Option<String>,
    /// Explains why the event could not have been sent, although the endpoint wants it; or why nobody can say whether
    /// it does, as where that takes too many steps.
    pub detail: Option<String>,
}

impl MatchChanges {
    /// Shows one of an endpoint that exists.
    pub fn example() -> Self {
        let event_types = Some(vec!["dlp.*".to_owned()]);
        Self {
            limit: Some(20),
            changes: EndpointChanges { event_types, ..EndpointChanges::default() },
        }
    }

    /// Shows one of an endpoint that does not exist.
    pub fn draft_example() -> Self {
        let changes = EndpointChanges {
            event_types: Some(vec!["dlp.*".to_owned()]),
            profile: Some("slack".to_owned()),
            ..EndpointChanges::default()
        };
        Self { limit: Some(20), changes }
    }
}
