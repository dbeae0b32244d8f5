//! Examples of endpoints, as requests and answers have them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Breaker, CreatedEndpoint, Endpoint, EndpointChanges, Health, LiveSecret, NewEndpoint, Retry,
    ShownSecret,
};
use crate::event::Severity;
use crate::{EXAMPLE_TIME, example_json};

const URL: &str = "https://hooks.example.com/waxseal";
const NAME: &str = "Security desk";

fn filter() -> Value {
    json!({"data": {"user": [{"exists": true}]}})
}

impl NewEndpoint {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        let filter: Option<Map<String, Value>> = filter().as_object().cloned();
        let changes = EndpointChanges {
            url: Some(URL.to_owned()),
            name: Some(NAME.to_owned()),
            event_types: Some(vec!["dlp.*".to_owned()]),
            min_severity: Some(Severity::High),
            filter,
            ..EndpointChanges::default()
        };
        Self { changes, secret: None, algorithm: None }
    }
}

impl EndpointChanges {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self { name: Some("On call".to_owned()), max_per_second: Some(5), ..Self::default() }
    }
}

impl Endpoint {
    /// Shows one, with what only a single endpoint is shown with.
    pub fn example() -> Self {
        Self {
            health: Health::Verified,
            breaker: Some(Breaker::Closed),
            recent_failures: Some(Vec::new()),
            ..Self::new_example()
        }
    }

    /// Shows one that was just created.
    fn new_example() -> Self {
        Self {
            id: "ep_1".to_owned(),
            tenant: "acme".to_owned(),
            url: URL.to_owned(),
            name: Some(NAME.to_owned()),
            event_types: vec!["dlp.*".to_owned()],
            filter: Some(example_json(&filter().to_string())),
            min_severity: Some(Severity::High),
            risk_score_above: None,
            outcomes: Vec::new(),
            profile: "standard".to_owned(),
            signed: true,
            secrets: vec![LiveSecret { created_at: EXAMPLE_TIME.to_owned(), signs_until: None }],
            public_key: None,
            retry: Retry { delays_s: vec![5, 300], jitter: true, window_s: None },
            timeout_ms: 10_000,
            max_per_second: None,
            max_concurrency: None,
            headers: BTreeMap::new(),
            auth: None,
            enabled: true,
            paused: false,
            paused_at: None,
            disabled_reason: None,
            health: Health::Unverified,
            breaker: None,
            recent_failures: None,
            created_at: EXAMPLE_TIME.to_owned(),
            updated_at: EXAMPLE_TIME.to_owned(),
        }
    }
}

impl CreatedEndpoint {
    /// Shows one for which no test event was sent.
    pub fn example() -> Self {
        let secret = Some("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned());
        Self {
            endpoint: Endpoint::new_example(),
            shown: ShownSecret { secret, ..ShownSecret::default() },
            ping: None,
            active_from: "2026-11-21T12:00:10Z".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_written_once() {
        let mut created = CreatedEndpoint::example();
        created.endpoint.public_key = Some("whpk_x".to_owned());
        let written = serde_json::to_string(&created).unwrap();
        assert_eq!(written.matches("public_key").count(), 1, "{written}");
    }

    #[test]
    fn a_created_endpoint_is_read_as_it_was_written() {
        let written = serde_json::to_string(&CreatedEndpoint::example()).unwrap();
        let read: CreatedEndpoint = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        assert_eq!(read.endpoint.filter.unwrap().get(), filter().to_string());
    }
}
