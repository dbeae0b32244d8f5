//! The audit log: who changed what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use waxseal_domain::audit::Entry;

/// Records one change of a tenant's configuration. It never holds a secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Identifies the entry, as `aud_…`.
    pub id: String,
    /// Tells when the change was made.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Tells who made the change: `operator`, the id of an API key, the ARN of a caller that was
    /// authenticated by IAM, or `waxseal` for a change that Waxseal made itself.
    pub actor: String,
    /// Names what was done, as a noun and a verb: `endpoint.updated`.
    pub action: String,
    /// Identifies what was changed: an id, or a name.
    pub target: String,
    /// Shows what was changed as it was before. An update shows only the members that differ. It is null
    /// for what was created.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub before: Option<Box<RawValue>>,
    /// Shows what was changed as it is now. An update shows only the members that differ. It is null for
    /// what was deleted.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub after: Option<Box<RawValue>>,
}

impl From<&Entry> for AuditEntry {
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

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};
    use waxseal_domain::audit::{EntryView, Stamp};
    use waxseal_domain::timestamp::Timestamp;

    use super::*;

    /// The log shows an entry by this type, and the event `waxseal.audit.…` tells it by the domain's, which
    /// cannot know this one.
    #[test]
    fn the_log_and_the_event_show_an_entry_alike() {
        let stamp = Stamp { entropy: 7, at: Timestamp::from_ms(1_790_000_000_000) };
        let tenant = "acme".parse().unwrap();
        let entry = Entry::new(stamp, &tenant, "operator", "endpoint.updated", "ep_1")
            .from_to(Some(json!({"name": "a"})), Some(json!({"name": "b"})));
        let shown = to_value(AuditEntry::from(&entry)).unwrap();
        assert_eq!(shown, to_value(EntryView::from(&entry)).unwrap());
        assert_eq!(shown["after"], json!({"name": "b"}));
    }
}
