//! What happens to endpoints and deliveries is an event itself, of a type under `waxseal.`.
//!
//! It goes to endpoints of the tenant that ask for it by name (`waxseal.*`; `*` alone does not), and of
//! the operator's own tenant, [`OPERATOR`], if there is one. Its id is derived from what happened, so
//! that telling it twice is telling it once. A notice that cannot be delivered raises none.

use std::borrow::Cow;

use serde::Serialize;

use crate::audit::{Entry, EntryView};
use crate::delivery::Delivery;
use crate::endpoint::{DisabledReason, Endpoint};
use crate::event::event_type::PREFIX;
use crate::event::hops::Hops;
use crate::event::{Event, Form, Submission};
use crate::flow_control::gate::Gate;
use crate::id::{EndpointId, TenantName};

/// The tenant whose endpoints are told of every tenant's notices, and whose audit log has the
/// changes of what belongs to the whole deployment.
pub const OPERATOR: &str = "waxseal";

/// Returns the name of the operator's own tenant.
pub fn operator_tenant() -> TenantName {
    OPERATOR.parse().expect("the constant is a tenant's name")
}

/// Something that Waxseal did or noticed, told as an event of the tenant that it concerns.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    #[serde(skip)]
    tenant: TenantName,
    #[serde(rename = "type")]
    event_type: Cow<'static, str>,
    id: String,
    source: &'static str,
    severity: &'static str,
    data: Data,
    /// The hops of the event that it tells of: a chain does not begin anew with what is told of its end.
    #[serde(skip)]
    hops: Hops,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Data {
    EndpointFacts(EndpointFacts),
    Changed {
        tenant: TenantName,
        #[serde(flatten)]
        entry: Box<EntryView>,
    },
}

#[derive(Clone, Debug, Serialize)]
struct EndpointFacts {
    /// The tenant that the notice concerns. The operator's tenant is told as well.
    tenant: TenantName,
    endpoint_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
}

impl Notice {
    /// `waxseal.delivery.failed`; none for a delivery that has not failed, or is of a notice.
    pub fn of_delivery(delivery: &Delivery, event: &Event) -> Option<Self> {
        if delivery.status_word() != "failed" || event.event_type.starts_with(PREFIX) {
            return None;
        }
        let key = &delivery.key;
        let happened = EndpointFacts {
            delivery_id: Some(key.id().to_string()),
            reason: delivery.reason_word(),
            attempts: Some(delivery.attempts),
            ..EndpointFacts::to(&key.tenant, &key.endpoint)
        };
        let id = format!("{}:{}", key.id(), delivery.attempts);
        let notice = Self::new("waxseal.delivery.failed", id, "high", happened);
        Some(Self { hops: event.hops, ..notice })
    }

    /// `waxseal.endpoint.disabled`: of an endpoint that was just disabled, for this reason.
    pub fn of_disable(endpoint: &Endpoint, reason: DisabledReason) -> Self {
        let id = format!("{}:disabled:{}", endpoint.id, endpoint.version);
        let word = serde_json::to_value(reason).expect("a reason is a word");
        let reason = word.as_str().map(str::to_owned);
        let happened =
            EndpointFacts { reason, ..EndpointFacts::to(&endpoint.tenant, &endpoint.id) };
        Self::new("waxseal.endpoint.disabled", id, "critical", happened)
    }

    /// Makes the notice `waxseal.endpoint.breaker_opened` of a gate that was just opened.
    pub fn of_breaker_open(gate: &Gate) -> Self {
        Self::of_gate("waxseal.endpoint.breaker_opened", gate, "high")
    }

    /// Makes the notice `waxseal.endpoint.recovered` of a gate whose probe was just accepted.
    pub fn of_recovery(gate: &Gate) -> Self {
        Self::of_gate("waxseal.endpoint.recovered", gate, "info")
    }

    /// `waxseal.audit.` and the action: a change of the tenant's configuration.
    pub fn of_entry(entry: &Entry) -> Self {
        let (tenant, view) = (entry.tenant.clone(), Box::new(EntryView::from(entry)));
        Self {
            tenant: tenant.clone(),
            event_type: format!("{PREFIX}audit.{}", entry.action).into(),
            id: entry.id.clone(),
            source: "waxseal",
            severity: "info",
            data: Data::Changed { tenant, entry: view },
            hops: Hops::default(),
        }
    }

    /// Returns the tenants whose endpoints may ask for the notice: its own, and the operator's.
    pub fn audience(&self) -> Vec<TenantName> {
        let operator = Some(operator_tenant()).filter(|operator| *operator != self.tenant);
        std::iter::once(self.tenant.clone()).chain(operator).collect()
    }

    /// Whether an endpoint asks for the notice by its type. The pattern `*` alone does not.
    pub fn is_wanted_by(&self, endpoint: &Endpoint) -> bool {
        let patterns = &endpoint.subscription.event_types;
        endpoint.is_enabled() && patterns.iter().any(|one| one.matches(&self.event_type))
    }

    /// Writes the notice as an event, in the form in which a sender would send it.
    pub fn submission(&self) -> Result<Submission, serde_json::Error> {
        let text = serde_json::to_string(self)?;
        Ok(Submission { text, form: Form::Own, fallback_id: None, hops: self.hops })
    }

    fn of_gate(event_type: &'static str, gate: &Gate, severity: &'static str) -> Self {
        let id = format!("{}:gate:{}:{}", gate.endpoint, gate.since.ms(), gate.version);
        Self::new(event_type, id, severity, EndpointFacts::to(&gate.tenant, &gate.endpoint))
    }

    fn new(
        event_type: &'static str,
        id: String,
        severity: &'static str,
        happened: EndpointFacts,
    ) -> Self {
        let tenant = happened.tenant.clone();
        let data = Data::EndpointFacts(happened);
        let hops = Hops::default();
        Self { tenant, event_type: event_type.into(), id, source: "waxseal", severity, data, hops }
    }
}

impl EndpointFacts {
    /// Makes the facts of a notice about an endpoint; whoever calls adds the delivery or the
    /// reason.
    fn to(tenant: &TenantName, endpoint: &EndpointId) -> Self {
        Self {
            tenant: tenant.clone(),
            endpoint_id: endpoint.to_string(),
            delivery_id: None,
            reason: None,
            attempts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::priority::Priority;
    use crate::delivery::{DeliveryKey, End, FailedReason};
    use crate::timestamp::Timestamp;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn event(event_type: &str) -> Event {
        let text = json!({ "type": event_type, "id": "e1" }).to_string();
        let submission =
            Submission { text, form: Form::Own, fallback_id: None, hops: Hops::default() };
        Event::accept(&"acme".parse().unwrap(), &submission, NOW, 7).unwrap().event
    }

    fn endpoint(patterns: &[&str]) -> Endpoint {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let mut endpoint = Endpoint::new(id, tenant, "standard".to_owned(), NOW);
        endpoint.subscription.event_types =
            patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        endpoint
    }

    fn delivery() -> Delivery {
        let key = DeliveryKey {
            tenant: "acme".parse().unwrap(),
            event: "e1".parse().unwrap(),
            endpoint: "ep_1".parse().unwrap(),
        };
        Delivery { attempts: 8, ..Delivery::pending(key, NOW, Priority::Normal) }
    }

    fn told(notice: &Notice) -> Value {
        serde_json::from_str(&notice.submission().unwrap().text).unwrap()
    }

    #[test]
    fn a_failed_delivery_is_told_with_its_reason_and_its_attempts() {
        let failed = delivery().end(End::Failed(FailedReason::Exhausted));
        let notice = Notice::of_delivery(&failed, &event("dlp.pii_blocked")).unwrap();
        let expected = json!({
            "type": "waxseal.delivery.failed", "id": "dlv_1_e1:8", "source": "waxseal",
            "severity": "high",
            "data": {
                "tenant": "acme", "endpoint_id": "ep_1", "delivery_id": "dlv_1_e1",
                "reason": "exhausted", "attempts": 8,
            },
        });
        assert_eq!(told(&notice), expected);
    }

    #[test]
    fn a_delivery_that_has_not_failed_and_one_of_a_notice_raise_none() {
        assert!(Notice::of_delivery(&delivery(), &event("dlp.pii_blocked")).is_none());
        let failed = delivery().end(End::Failed(FailedReason::Exhausted));
        assert!(Notice::of_delivery(&failed, &event("waxseal.endpoint.disabled")).is_none());
    }

    #[test]
    fn a_disabled_endpoint_is_told_with_the_reason() {
        let notice = Notice::of_disable(&endpoint(&["*"]), DisabledReason::Gone);
        let expected = json!({
            "type": "waxseal.endpoint.disabled", "id": "ep_1:disabled:1", "source": "waxseal",
            "severity": "critical",
            "data": { "tenant": "acme", "endpoint_id": "ep_1", "reason": "gone" },
        });
        assert_eq!(told(&notice), expected);
    }

    #[test]
    fn a_notice_goes_to_its_tenant_and_to_the_operators_and_to_neither_twice() {
        let notice = Notice::of_disable(&endpoint(&["*"]), DisabledReason::Gone);
        assert_eq!(notice.audience(), ["acme".parse().unwrap(), operator_tenant()]);
        let operators = Endpoint { tenant: operator_tenant(), ..endpoint(&["*"]) };
        let notice = Notice::of_disable(&operators, DisabledReason::Gone);
        assert_eq!(notice.audience(), [operator_tenant()]);
    }

    #[test]
    fn a_notice_must_be_asked_for_by_an_endpoint_that_gets_events() {
        let notice = Notice::of_disable(&endpoint(&["*"]), DisabledReason::Gone);
        assert!(!notice.is_wanted_by(&endpoint(&["*"])));
        assert!(!notice.is_wanted_by(&endpoint(&["waxseal.delivery.*"])));
        let asking = endpoint(&["dlp.*", "waxseal.*"]);
        assert!(notice.is_wanted_by(&asking));
        assert!(!notice.is_wanted_by(&asking.disable(DisabledReason::Requested, NOW)));
    }
}
