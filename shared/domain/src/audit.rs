//! The audit log: who changed what of a tenant's configuration, when, and what it was before.
//!
//! An entry is written together with its change, or neither is. It never holds a secret: what it
//! shows is what the API shows, without the values of headers, what credentials keep, and the queries of URLs,
//! in which many receivers want a token. Whether these differ is seen before they are hidden, so that a change
//! of one has an entry that names it.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::endpoint::headers::NOT_SHOWN;
use crate::endpoint::{DisabledReason, Endpoint};
use crate::id::{TenantName, base32};
use crate::timestamp::Timestamp;

/// Who made a change that no caller asked for.
pub const OURSELVES: &str = "waxseal";

/// A change of a tenant's configuration, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The entry's id, `aud_…`.
    pub id: String,
    /// Whose configuration it is.
    pub tenant: TenantName,
    /// When it was changed.
    pub at: Timestamp,
    /// `operator`, the id of an API key, the ARN of whoever signed with IAM, or `waxseal`.
    pub actor: String,
    /// A noun and what was done to it: `endpoint.updated`.
    pub action: String,
    /// The id or name of what was changed.
    pub target: String,
    /// What it was; of an update only what differs.
    pub before: Option<Box<RawValue>>,
    /// What it is; of an update only what differs.
    pub after: Option<Box<RawValue>>,
}

/// When a change is made, and the random number that its entry's id is made of.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The time of the change.
    pub at: Timestamp,
    /// The random number that the entry's id is made of.
    pub entropy: u128,
}

/// An entry as its event tells it.
#[derive(Clone, Debug, Serialize)]
pub struct EntryView {
    /// The entry's id, `aud_…`.
    pub id: String,
    /// When it was changed.
    pub at: String,
    /// `operator`, the id of an API key, the ARN of whoever signed with IAM, or `waxseal`.
    pub actor: String,
    /// A noun and what was done to it: `endpoint.updated`.
    pub action: String,
    /// The id or name of what was changed.
    pub target: String,
    /// What it was; of an update only what differs; null of what was made.
    pub before: Option<Box<RawValue>>,
    /// What it is; of an update only what differs; null of what was removed.
    pub after: Option<Box<RawValue>>,
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            at: entry.at.rfc3339(),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            target: entry.target.clone(),
            before: entry.before.clone(),
            after: entry.after.clone(),
        }
    }
}

impl Entry {
    /// Makes the entry of a change that is made at `stamp`. [`Entry::from_to`] adds what was
    /// changed.
    pub fn new(stamp: Stamp, tenant: &TenantName, actor: &str, action: &str, target: &str) -> Self {
        Self {
            id: format!("aud_{}", base32(stamp.entropy)),
            at: stamp.at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            before: None,
            after: None,
            tenant: tenant.clone(),
        }
    }

    /// Returns the entry with the target before and after the change; of both, only the members
    /// that differ.
    #[must_use]
    pub fn from_to(self, before: Option<Value>, after: Option<Value>) -> Self {
        let (before, after) = match (before, after) {
            (Some(Value::Object(mut before)), Some(Value::Object(mut after))) => {
                keep_differences(&mut before, &mut after);
                (Some(Value::Object(before)), Some(Value::Object(after)))
            }
            other => other,
        };
        Self { before: before.map(hide_secrets), after: after.map(hide_secrets), ..self }
    }

    /// Makes the entry of an endpoint that Waxseal disables without a person's wish.
    pub fn of_disable(stamp: Stamp, endpoint: &Endpoint, reason: DisabledReason) -> Self {
        let (tenant, id) = (&endpoint.tenant, endpoint.id.as_str());
        let entry = Self::new(stamp, tenant, OURSELVES, "endpoint.disabled", id);
        let after = json!({"enabled": false, "disabled_reason": reason});
        entry.from_to(Some(json!({"enabled": true})), Some(after))
    }
}

/// Keeps the members that differ, except for the time of the change.
fn keep_differences(before: &mut Map<String, Value>, after: &mut Map<String, Value>) {
    before.remove("updated_at");
    after.remove("updated_at");
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
}

/// Leaves out what may be secret.
fn hide_secrets(mut view: Value) -> Box<RawValue> {
    if let Some(Value::Object(headers)) = view.get_mut("headers") {
        for value in headers.values_mut() {
            *value = json!(NOT_SHOWN);
        }
    }
    if let Some(secret) = view.get_mut("auth").and_then(|auth| auth.get_mut("secret")) {
        *secret = json!(NOT_SHOWN);
    }
    for pointer in ["/url", "/auth/token_url"] {
        if let Some(Value::String(url)) = view.pointer_mut(pointer) {
            hide_query(url);
        }
    }
    to_raw_value(&view).expect("a JSON value can always be written")
}

/// Leaves out a URL's query, and a fragment with it.
fn hide_query(url: &mut String) {
    if let Some(at) = url.find(['?', '#']) {
        url.truncate(at);
        url.push('?');
        url.push_str(NOT_SHOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_update_shows_what_differs_and_nothing_else() {
        let mut before =
            members(&json!({"url": "https://a/", "name": "n", "updated_at": "1", "x": 1}));
        let mut after = members(&json!({"url": "https://b/", "name": "n", "updated_at": "2"}));
        keep_differences(&mut before, &mut after);
        assert_eq!(before, members(&json!({"url": "https://a/", "x": 1})));
        assert_eq!(after, members(&json!({"url": "https://b/"})));
    }

    #[test]
    fn a_secret_that_was_changed_is_named_and_not_shown() {
        let view = |key: &str, token: &str, query: &str| {
            let url = format!("https://example.com/h?{query}");
            json!({"url": url, "headers": {"x-api-key": key}, "auth": {"type": "bearer", "secret": token},
                "name": "n"})
        };
        let stamp = Stamp { at: Timestamp::from_ms(1), entropy: 1 };
        let entry =
            || Entry::new(stamp, &"acme".parse().unwrap(), "operator", "endpoint.updated", "ep_1");
        let before = view("canary-a", "canary-b", "canary=c");
        for (after, named) in [
            (view("canary-z", "canary-b", "canary=c"), "headers"),
            (view("canary-a", "canary-z", "canary=c"), "auth"),
            (view("canary-a", "canary-b", "canary=z"), "url"),
        ] {
            let entry = entry().from_to(Some(before.clone()), Some(after));
            for side in [entry.before.unwrap(), entry.after.unwrap()] {
                let shown: Map<String, Value> = serde_json::from_str(side.get()).unwrap();
                assert_eq!(shown.keys().collect::<Vec<_>>(), [named]);
                assert!(!side.get().contains("canary") && side.get().contains(NOT_SHOWN), "{side}");
            }
        }
    }

    #[test]
    fn a_url_without_a_query_is_shown_whole() {
        let hidden = |url: &str| hide_secrets(json!({ "url": url })).get().to_owned();
        assert_eq!(hidden("https://example.com/a"), r#"{"url":"https://example.com/a"}"#);
        assert_eq!(
            hidden("https://example.com/a?b#c"),
            r#"{"url":"https://example.com/a?(not shown)"}"#
        );
    }

    #[test]
    fn values_of_headers_are_not_shown() {
        let shown = hide_secrets(json!({"headers": {"x-key": "canary"}}));
        assert_eq!(shown.get(), r#"{"headers":{"x-key":"(not shown)"}}"#);
    }

    #[test]
    fn an_entry_says_what_was_before_its_change_and_what_is_after() {
        let stamp = Stamp { at: Timestamp::from_ms(1), entropy: 7 };
        let tenant = "acme".parse().unwrap();
        let entry = Entry::new(stamp, &tenant, "operator", "endpoint.updated", "ep_1");
        let (before, after) = (json!({"name": "a", "x": 1}), json!({"name": "b", "x": 1}));
        let entry = entry.from_to(Some(before), Some(after));
        assert_eq!(entry.before.unwrap().get(), r#"{"name":"a"}"#);
        assert_eq!(entry.after.unwrap().get(), r#"{"name":"b"}"#);
    }
}
