//! Which events an endpoint wants: event types with wildcards, and a content filter.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::event_type::EventTypePattern;
use crate::filter::{self, Filter};
use crate::json::{Fault, Json, compact};

/// What an endpoint wants. Both must hold: one of the types, and the filter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// At least one must match.
    pub event_types: Vec<EventTypePattern>,
    /// An `EventBridge` pattern over the whole event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<CompiledFilter>,
}

/// A filter's text, kept as it came but for white space, and what it was compiled to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CompiledFilter {
    text: String,
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
        Ok(Self { filter: Filter::compile(&json)?, text: compact(text) })
    }

    /// The pattern's text.
    pub fn text(&self) -> &str {
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
        filter.text
    }
}

/// An event as subscriptions look at it: its JSON is made once, and only if some filter asks.
pub struct Candidate<'a> {
    event: &'a Event,
    view: std::cell::OnceCell<String>,
}

impl<'a> Candidate<'a> {
    /// To be matched against any number of subscriptions.
    pub fn new(event: &'a Event) -> Self {
        Self { event, view: std::cell::OnceCell::new() }
    }
}

impl Subscription {
    /// Whether the event is wanted.
    pub fn wants(&self, candidate: &Candidate<'_>) -> bool {
        self.event_types.iter().any(|pattern| pattern.matches(&candidate.event.event_type))
            && self.filter.as_ref().is_none_or(|filter| {
                let view = candidate.view.get_or_init(|| candidate.event.view());
                Json::parse(view).is_ok_and(|json| filter.filter.matches(&json))
            })
    }
}

/// The enabled endpoints that want the event.
pub fn matching<'a>(endpoints: &'a [Endpoint], event: &Event) -> Vec<&'a Endpoint> {
    let candidate = Candidate::new(event);
    endpoints
        .iter()
        .filter(|endpoint| endpoint.is_enabled() && endpoint.subscription.wants(&candidate))
        .collect()
}
