//! Which events: event types, a pattern, and shorthands for its commonest parts. The same flags for an
//! endpoint, for a draft that is matched, and for `listen`.

use clap::Args;
use serde_json::{Map, Value, json};
use waxseal_domain::event::SEVERITIES;

use super::body;
use super::failure::Failure;

/// What is wanted.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which events")]
pub(crate) struct Wanted {
    /// Event types: exact, dlp.*, or *. Repeated, or between commas.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub(crate) event_types: Vec<String>,
    /// An EventBridge pattern over the event: JSON, @file or -.
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<String>,
    /// Of this severity or graver: critical, high, medium, low, info.
    #[arg(long, value_name = "SEVERITY", value_parser = SEVERITIES)]
    pub(crate) min_severity: Option<String>,
    /// With a risk score above this: 0 to 1.
    #[arg(long, value_name = "SCORE", value_parser = score)]
    pub(crate) risk_score_above: Option<f64>,
    /// With one of these outcomes. Repeated, or between commas.
    #[arg(long, value_name = "OUTCOMES", value_delimiter = ',')]
    pub(crate) outcome: Vec<String>,
}

fn score(text: &str) -> Result<f64, String> {
    let score = text.parse().ok().filter(|score: &f64| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

impl Wanted {
    /// The pattern, shorthands included; none where nothing was said.
    pub(crate) fn pattern(&self) -> Result<Option<Value>, Failure> {
        let filter = self.filter.as_ref().map(|text| body::json("--filter", text)).transpose()?;
        let no_object = || Failure::Usage("--filter must be a JSON object".to_owned());
        let mut pattern = match filter {
            None => Map::new(),
            Some(filter) => filter.as_object().cloned().ok_or_else(no_object)?,
        };
        for (name, flag, test) in self.shorthands() {
            if pattern.insert(name.to_owned(), test).is_some() {
                return Err(Failure::Usage(format!(
                    "{flag} and --filter both say what {name} must be"
                )));
            }
        }
        Ok(Some(pattern).filter(|pattern| !pattern.is_empty()).map(Value::Object))
    }

    fn shorthands(&self) -> Vec<(&'static str, &'static str, Value)> {
        let severities = self.min_severity.as_deref().map(|least| {
            let graver = SEVERITIES.iter().take_while(|severity| **severity != least);
            graver.copied().chain([least]).collect::<Vec<_>>()
        });
        let severity = severities.map(|all| ("severity", "--min-severity", json!(all)));
        let score = |score| ("riskscore", "--risk-score-above", json!([{"numeric": [">", score]}]));
        let outcome = ("outcome", "--outcome", json!(self.outcome));
        let outcome = Some(outcome).filter(|_| !self.outcome.is_empty());
        severity.into_iter().chain(self.risk_score_above.map(score)).chain(outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorthands_join_the_pattern_and_do_not_overwrite_it() {
        let wanted = Wanted {
            filter: Some(r#"{"source": ["/a"]}"#.to_owned()),
            min_severity: Some("medium".to_owned()),
            risk_score_above: Some(0.5),
            outcome: vec!["blocked".to_owned()],
            ..Wanted::default()
        };
        let expected = json!({"source": ["/a"], "severity": ["critical", "high", "medium"],
            "riskscore": [{"numeric": [">", 0.5]}], "outcome": ["blocked"]});
        assert_eq!(wanted.pattern(), Ok(Some(expected)));
        let twice = Wanted { filter: Some(r#"{"outcome": ["x"]}"#.to_owned()), ..wanted };
        assert!(matches!(twice.pattern(), Err(Failure::Usage(_))));
        assert_eq!(Wanted::default().pattern(), Ok(None));
    }
}
