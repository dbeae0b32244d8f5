//! Which events an endpoint wants: event types with wildcards, shorthands, and a content filter.

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;
use crate::event::event_type::EventTypePattern;
use crate::event::{Event, Severity};
use crate::filter::{self, Filter};
use crate::json::{Fault, Json, compact};
use crate::limits::{ATTRIBUTE_CHARS_MAX, OUTCOMES_PER_ENDPOINT_MAX, RISK_SCORE};

/// What an endpoint wants. All must hold; by default, every event is wanted. The shorthands are asked
/// before the filter, and without the event's tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// The patterns of event types, of which at least one must match.
    pub event_types: Vec<EventTypePattern>,
    /// The event is this grave or graver. One that says nothing counts as `info`, the least: a
    /// minimum of `info` keeps nothing back, a higher one keeps back what nobody called grave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_severity: Option<Severity>,
    /// The attribute `riskscore` is above this, not equal to it; an event without one is not wanted.
    /// See [`risk_score`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_score_above: Option<f64>,
    /// The attribute `outcome` is one of these; any, or none at all, where the list is empty. See
    /// [`outcomes`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<String>,
    /// An `EventBridge` pattern over the whole event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<CompiledFilter>,
}

impl Default for Subscription {
    /// By default, every event of the tenant is wanted.
    fn default() -> Self {
        Self {
            event_types: vec![EventTypePattern::all()],
            min_severity: None,
            risk_score_above: None,
            outcomes: Vec::new(),
            filter: None,
        }
    }
}

/// A score that [`Subscription::risk_score_above`] may be, or what is wrong with it.
pub fn risk_score(score: f64) -> Result<f64, Fault> {
    let (least, most) = (RISK_SCORE.start(), RISK_SCORE.end());
    if RISK_SCORE.contains(&score) {
        Ok(score)
    } else {
        Err(Fault::new("", &format!("must be a number from {least} to {most}")))
    }
}

/// Values that [`Subscription::outcomes`] may be, or every fault in them; pointers start at the list.
pub fn outcomes(values: Vec<String>) -> Result<Vec<String>, Vec<Fault>> {
    if !(1..=OUTCOMES_PER_ENDPOINT_MAX).contains(&values.len()) {
        let detail = format!("must be 1 to {OUTCOMES_PER_ENDPOINT_MAX} values");
        return Err(vec![Fault::new("", &detail)]);
    }
    let fits = |value: &String| {
        (1..=ATTRIBUTE_CHARS_MAX).contains(&value.chars().count())
            && !value.chars().any(char::is_control)
    };
    let detail = format!("must be text of 1 to {ATTRIBUTE_CHARS_MAX} characters");
    let bad = values.iter().enumerate().filter(|(_, value)| !fits(value));
    let faults: Vec<_> = bad.map(|(index, _)| Fault::new(&format!("/{index}"), &detail)).collect();
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// A filter's text, kept as it came but for white space, and what it was compiled to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CompiledFilter {
    text: Box<RawValue>,
    filter: Filter,
}

impl CompiledFilter {
    /// Compiles a pattern, or names every fault in it; pointers start at the pattern.
    pub fn compile(text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > filter::BYTES_MAX {
            let detail = format!("is longer than {} bytes", filter::BYTES_MAX);
            return Err(vec![Fault::new("", &detail)]);
        }
        let json = Json::parse(text).map_err(|fault| vec![fault])?;
        let filter = Filter::compile(&json)?;
        let text = RawValue::from_string(compact(text))
            .map_err(|error| vec![Fault::new("", &error.to_string())])?;
        Ok(Self { text, filter })
    }

    /// Returns the pattern as JSON, without insignificant white space.
    pub fn json(&self) -> &RawValue {
        &self.text
    }
}

impl TryFrom<String> for CompiledFilter {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::compile(&text)
            .map_err(|faults| faults.first().map_or_else(String::new, |fault| fault.detail.clone()))
    }
}

impl From<CompiledFilter> for String {
    fn from(filter: CompiledFilter) -> String {
        filter.text.get().to_owned()
    }
}

/// An event as subscriptions look at it: its tree is made once, and only if some filter asks.
pub struct Candidate<'a> {
    event: &'a Event,
    /// A fault where the payload is not what an event may have.
    tree: OnceCell<Result<Json<'a>, Fault>>,
}

impl<'a> Candidate<'a> {
    /// Makes a candidate, which can be matched with any number of subscriptions.
    pub fn new(event: &'a Event) -> Self {
        Self { event, tree: OnceCell::new() }
    }

    fn matches(&self, filter: &Filter) -> Result<bool, Fault> {
        match self.tree.get_or_init(|| self.event.tree()) {
            Ok(tree) => Ok(filter.matches(tree)),
            Err(fault) => Err(fault.clone().within("/data")),
        }
    }
}

impl Subscription {
    /// Says whether the event is wanted. It is a fault where a filter is asked and the payload cannot be read:
    /// nobody can say then that the event is not wanted, and whoever took it for that would drop it.
    pub fn wants(&self, candidate: &Candidate<'_>) -> Result<bool, Fault> {
        let passes_shorthands =
            self.event_types.iter().any(|pattern| pattern.matches(&candidate.event.event_type))
                && self.is_grave_enough(candidate.event)
                && self.is_risky_enough(candidate.event)
                && self.has_outcome(candidate.event);
        match &self.filter {
            Some(filter) if passes_shorthands => candidate.matches(&filter.filter),
            Some(_) | None => Ok(passes_shorthands),
        }
    }

    fn is_grave_enough(&self, event: &Event) -> bool {
        self.min_severity.is_none_or(|least| event.severity().unwrap_or(Severity::Info) >= least)
    }

    fn is_risky_enough(&self, event: &Event) -> bool {
        let score = || event.attributes.get("riskscore").and_then(serde_json::Value::as_f64);
        self.risk_score_above.is_none_or(|bound| score().is_some_and(|score| score > bound))
    }

    fn has_outcome(&self, event: &Event) -> bool {
        self.outcomes.is_empty()
            || event
                .attribute("outcome")
                .is_some_and(|outcome| self.outcomes.iter().any(|wanted| wanted == outcome))
    }
}

/// Finds the enabled endpoints that want the event. It is a fault where [`Subscription::wants`] cannot say of
/// one of them.
pub fn select<'a>(endpoints: &'a [Endpoint], event: &Event) -> Result<Vec<&'a Endpoint>, Fault> {
    let candidate = Candidate::new(event);
    let mut found = Vec::new();
    for endpoint in endpoints {
        if endpoint.is_enabled() && endpoint.subscription.wants(&candidate)? {
            found.push(endpoint);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
