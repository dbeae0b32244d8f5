//! Recoveries: deliveries of an endpoint that failed or were never made, sent again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::word::words;

words! {
    /// Tells which deliveries are recovered.
    pub enum RecoveryScope {
        /// Deliveries that ended as failed.
        Failed = "failed",
        /// Deliveries that were never attempted, such as those of events that came before the endpoint.
        Missing = "missing",
        /// Deliveries that failed, and those that were never attempted.
        All = "all",
    }
}

/// Asks for deliveries to be sent again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewRecovery {
    /// Selects events that were accepted at this time or later.
    pub since: String,
    /// Selects events that were accepted at this time or earlier. The default is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Tells which deliveries of those events are meant: those that `failed`, those that went `missing`
    /// because they were never attempted, or `all` of them. The default is `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<RecoveryScope>,
    /// Only counts the deliveries, and sends none. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Goes on where an earlier request stopped: send the `cursor` of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Tells how many deliveries are sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// Counts the deliveries that this request queued, or that it would have queued.
    pub deliveries: u32,
    /// Tells whether deliveries were only counted.
    pub dry_run: bool,
    /// Tells where to go on: repeat the request with this `cursor`. It is null where all deliveries were
    /// looked at.
    pub cursor: Option<String>,
}

impl NewRecovery {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            since: "2026-11-20T00:00:00Z".to_owned(),
            until: None,
            which: None,
            dry_run: Some(true),
            cursor: None,
        }
    }
}
