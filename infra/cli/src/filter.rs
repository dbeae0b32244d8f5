//! Which events: event types, a pattern, and shorthands for what is asked for most. The same flags for an
//! endpoint, for a draft that is matched, and for `listen`.

use clap::Args;
use serde_json::{Map, Value};
use waxseal_api_types::{self as api, EndpointChanges};
use waxseal_domain::endpoint::subscription::{CompiledFilter, Subscription};
use waxseal_domain::event::Severity;
use waxseal_domain::event::event_type::EventTypePattern;

use super::body;
use super::failure::Failure;

/// Which events are wanted, as flags say it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which events")]
pub(crate) struct EventChoice {
    /// Event types: exact, dlp.*, or *. Repeated, or between commas.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub(crate) event_types: Vec<String>,
    /// An EventBridge pattern over the event: JSON, @file or -.
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<String>,
    /// Of this severity or graver: critical, high, medium, low, info.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) min_severity: Option<Severity>,
    /// With a risk score above this: 0 to 1.
    #[arg(long, value_name = "SCORE", value_parser = parse_score)]
    pub(crate) risk_score_above: Option<f64>,
    /// With one of these outcomes. Repeated, or between commas.
    #[arg(long, value_name = "OUTCOMES", value_delimiter = ',')]
    pub(crate) outcome: Vec<String>,
}

fn parse_score(text: &str) -> Result<f64, String> {
    let score = text.parse().ok().filter(|score: &f64| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

fn non_empty(list: &[String]) -> Option<Vec<String>> {
    if list.is_empty() { None } else { Some(list.to_vec()) }
}

impl EventChoice {
    /// The members that were said, as the API takes them.
    pub(crate) fn changes(&self) -> Result<EndpointChanges, Failure> {
        Ok(EndpointChanges {
            event_types: non_empty(&self.event_types),
            filter: self.read_filter()?,
            min_severity: self.min_severity.map(api::event::Severity::from),
            risk_score_above: self.risk_score_above,
            outcomes: non_empty(&self.outcome),
            ..EndpointChanges::default()
        })
    }

    fn read_filter(&self) -> Result<Option<Map<String, Value>>, Failure> {
        let Some(text) = &self.filter else { return Ok(None) };
        match body::json("--filter", text)? {
            Value::Object(filter) => Ok(Some(filter)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(Failure::Usage("--filter must be a JSON object".to_owned())),
        }
    }

    /// Compiles them: what a session of `listen` selects events by.
    pub(crate) fn subscription(&self) -> Result<Subscription, Failure> {
        let usual = Subscription::default();
        let types: Vec<EventTypePattern> = self
            .event_types
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::Usage(format!("--event-types: {error}")))?;
        let filter = self.read_filter()?.map(Value::Object);
        Ok(Subscription {
            event_types: if types.is_empty() { usual.event_types } else { types },
            filter: filter.map(|filter| compile(&filter.to_string())).transpose()?,
            min_severity: self.min_severity,
            risk_score_above: self.risk_score_above,
            outcomes: self.outcome.clone(),
        })
    }
}

/// Compiles a pattern; the failure names every fault in it.
pub(crate) fn compile(pattern: &str) -> Result<CompiledFilter, Failure> {
    CompiledFilter::compile(pattern).map_err(|faults| {
        let lines = faults.iter().map(|fault| format!("\n  {} {}", fault.pointer, fault.detail));
        Failure::Usage(format!("the filter does not fit:{}", lines.collect::<String>()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_said_is_a_member_and_selects() {
        let wanted = EventChoice {
            filter: Some(r#"{"source": ["/a"]}"#.to_owned()),
            min_severity: Some(Severity::Medium),
            risk_score_above: Some(0.5),
            outcome: vec!["blocked".to_owned()],
            ..EventChoice::default()
        };
        let expected = json!({"filter": {"source": ["/a"]}, "min_severity": "medium",
            "risk_score_above": 0.5, "outcomes": ["blocked"]});
        assert_eq!(wanted.changes().map(|changes| json!(changes)), Ok(expected));
        assert!(wanted.subscription().unwrap().filter.is_some());
        assert_eq!(EventChoice::default().changes().map(|changes| json!(changes)), Ok(json!({})));
        let wrong =
            EventChoice { filter: Some(r#"{"source": [{"sufix": 1}]}"#.to_owned()), ..wanted };
        let Err(Failure::Usage(said)) = wrong.subscription() else { panic!("compiled") };
        assert!(said.contains("/source/0/sufix"), "{said}");
    }
}
