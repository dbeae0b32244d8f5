//! Which events an endpoint wants: event types with wildcards, shorthands, and a content filter.

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::endpoint::Endpoint;
use crate::event::event_type::EventTypePattern;
use crate::event::{Event, Severity};
use crate::filter::{self, Filter, Subject};
use crate::json::{Fault, Json, compact};
use crate::limits::{ATTRIBUTE_CHARS_MAX, OUTCOMES_PER_ENDPOINT_MAX, RISK_SCORE};
use crate::work::{Meter, TooDear};

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

/// Bytes that a compiled filter takes up for each byte of its text at the most: a list of numbers of one digit holds
/// each as a text of its own.
const FILTER_BYTES_PER_BYTE: usize = 32;

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

    /// Returns about how many bytes it takes up in memory.
    pub fn bytes(&self) -> usize {
        self.text.get().len() * FILTER_BYTES_PER_BYTE
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

/// An event as subscriptions look at it: its tree is made once, and only if some filter asks. What all of them together
/// cost is counted.
pub struct Candidate<'a> {
    event: &'a Event,
    /// A fault where the payload is not what an event may have.
    subject: OnceCell<Result<Subject<'a>, Fault>>,
    meter: Meter,
}

/// Why nobody can say whether a subscription wants an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Undecided {
    /// The payload cannot be read.
    #[error("{}", .0.detail)]
    Unreadable(Fault),
    /// Filters and event together would take too many steps.
    #[error("is too dear to match with the endpoints' filters: it takes {0}")]
    TooDear(TooDear),
}

impl From<Undecided> for Fault {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Unreadable(fault) => fault,
            Undecided::TooDear(_) => Self::new("", &undecided.to_string()),
        }
    }
}

impl<'a> Candidate<'a> {
    /// Makes a candidate, which can be matched with any number of subscriptions within so many steps in all.
    pub fn new(event: &'a Event, steps: u64) -> Self {
        Self { event, subject: OnceCell::new(), meter: Meter::new(steps) }
    }

    /// Returns how many steps were taken so far.
    pub fn steps(&self) -> u64 {
        self.meter.spent()
    }

    fn matches(&self, filter: &Filter) -> Result<bool, Undecided> {
        let read = || self.event.tree().map(Subject::new);
        match self.subject.get_or_init(read) {
            Ok(subject) => filter.matches(subject, &self.meter).map_err(Undecided::TooDear),
            Err(fault) => Err(Undecided::Unreadable(fault.clone().within("/data"))),
        }
    }
}

impl Subscription {
    /// Says whether the event is wanted. It is undecided where a filter is asked and the payload cannot be read, or
    /// asking takes too many steps: nobody can say then that the event is not wanted, and whoever took it for that
    /// would drop it.
    pub fn wants(&self, candidate: &Candidate<'_>) -> Result<bool, Undecided> {
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

/// Finds the enabled endpoints that want the event, and returns where they stand among all. It is undecided where
/// [`Subscription::wants`] is for one of them, or for all of them together.
pub fn select(endpoints: &[Endpoint], candidate: &Candidate<'_>) -> Result<Vec<usize>, Undecided> {
    let mut found = Vec::new();
    for (at, endpoint) in endpoints.iter().enumerate() {
        if endpoint.is_enabled() && endpoint.subscription.wants(candidate)? {
            found.push(at);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
