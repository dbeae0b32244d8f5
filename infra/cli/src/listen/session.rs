//! A session: an endpoint of this process alone, its profile, its secret, and how it sends.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use waxseal_adapters::client::{HttpClient, Reach};
use waxseal_adapters::clock::SystemClock;
use waxseal_adapters::entropy::entropy;
use waxseal_api_types as api;
use waxseal_domain::delivery::Round;
use waxseal_domain::delivery::attempt::SendResult;
use waxseal_domain::delivery::dispatch::{Outgoing, PrepareFault, prepare};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::headers::NOT_SHOWN;
use waxseal_domain::endpoint::subscription::{Candidate, Subscription};
use waxseal_domain::event::Event;
use waxseal_domain::event::event_type::EventTypePattern;
use waxseal_domain::event::hops::HOPS_ATTRIBUTE;
use waxseal_domain::id::{DeliveryId, EndpointId, IdFault, TenantName};
use waxseal_domain::limits::MATCH_STEPS_MAX;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::random_bytes;
use waxseal_flows::ports::Clock as _;
use waxseal_verify::Key;

use super::Listen;
use super::sender::LocalSender;
use crate::client::Call;
use crate::context::{Context, escape, read};
use crate::endpoints::EndpointName;
use crate::failure::Failure;
use crate::filter::compile;

/// Renders, signs and forwards the events that its endpoint wants.
pub(super) struct Session {
    sender: LocalSender,
    endpoint: Endpoint,
    profile: Arc<Profile>,
    key: Key,
    /// What receivers verify by.
    pub(super) secret: String,
    /// The key of Standard Webhooks' headers, where those stand beside the profile's own.
    pub(super) standard_secret: Option<String>,
    /// What receivers verify by, where the secret signs with ed25519.
    pub(super) public_key: Option<String>,
}

/// What an endpoint's answer, or the flags, say of the deliveries.
struct Terms {
    id: EndpointId,
    subscription: Subscription,
    profile: String,
    headers: std::collections::BTreeMap<String, String>,
    timeout_ms: Option<u32>,
}

impl Session {
    /// Asks the server for the endpoint and the profile, and makes the secret.
    pub(super) async fn open(listen: &Listen, context: &Context) -> Result<Self, Failure> {
        let tenant: TenantName = context
            .tenant()
            .unwrap_or_default()
            .parse()
            .map_err(|error| Failure::Usage(format!("--tenant: {error}")))?;
        let reach = if listen.allow_any { Reach::Any } else { Reach::Loopback };
        let client = HttpClient::new(reach, Vec::new())
            .map_err(|error| Failure::Failed(error.to_string()))?;
        let to = listen.forward_to.to_string();
        client.check(&to).await.map_err(|why| {
            let hint =
                if listen.allow_any { "" } else { "; --allow-any forwards to other machines too" };
            Failure::Usage(format!("--forward-to {to}: {why}{hint}"))
        })?;
        let terms = match &listen.endpoint {
            Some(id) => fetch_terms(context, &EndpointName { id: id.clone() }).await?,
            None => read_terms(listen, EndpointId::from_entropy(entropy()))?,
        };
        let profile = fetch_profile(context, &terms.profile).await?;
        let secret = match &listen.secret {
            Some(given) => given.clone(),
            None => {
                profile.dialect.generate_secret(random_bytes([entropy(), entropy()])).to_string()
            }
        };
        let key = profile
            .dialect
            .key(&secret)
            .map_err(|fault| Failure::Usage(format!("--secret: {fault}")))?;
        Ok(Self {
            sender: LocalSender::new(client),
            endpoint: terms.endpoint(tenant, to),
            public_key: key.public_text(),
            standard_secret: key.standard_text().map(|text| text.to_string()),
            profile,
            key,
            secret,
        })
    }

    pub(super) fn profile_name(&self) -> &str {
        self.profile.name()
    }

    /// Reads a listed event; none where the endpoint does not want it, or its payload was removed.
    pub(super) fn read_wanted(&self, raw: &RawValue) -> Result<Option<Event>, Failure> {
        let event = read_event(&self.endpoint.tenant, raw)
            .map_err(|error| Failure::Unavailable(format!("an event cannot be read: {error}")))?;
        let wants = self.endpoint.subscription.wants(&Candidate::new(&event, MATCH_STEPS_MAX));
        let is_wanted = wants
            .map_err(|fault| Failure::Unavailable(format!("an event cannot be matched: {fault}")));
        if event.expunged || !is_wanted? {
            return Ok(None);
        }
        Ok(Some(event))
    }

    /// Makes one attempt: the delivery's id, and what came of it.
    pub(super) async fn forward(&self, event: &Event) -> Result<(String, SendResult), Failure> {
        let now = SystemClock.now();
        let (endpoint, profile) = (&self.endpoint, self.profile.as_ref());
        let id = DeliveryId { endpoint: endpoint.id.clone(), event: event.id.clone() }.to_string();
        let outgoing = Outgoing { endpoint, profile, event, id: &id, round: Round::single(now) };
        let sent = match prepare(outgoing, std::slice::from_ref(&self.key), None, now) {
            Ok(prepared) => self.sender.send(prepared.request).await,
            Err(fault @ (PrepareFault::NeedsLink | PrepareFault::Unsendable(_))) => {
                SendResult::unsendable(fault.to_string(), now)
            }
            Err(PrepareFault::Keys(fault)) => return Err(Failure::Failed(fault.to_string())),
        };
        Ok((id, sent))
    }
}

impl Terms {
    fn endpoint(self, tenant: TenantName, url: String) -> Endpoint {
        Endpoint {
            url,
            subscription: self.subscription,
            timeout_ms: self.timeout_ms,
            headers: self.headers,
            ..Endpoint::new(self.id, tenant, self.profile, SystemClock.now())
        }
    }
}

fn read_terms(listen: &Listen, id: EndpointId) -> Result<Terms, Failure> {
    Ok(Terms {
        id,
        subscription: listen.wanted.subscription()?,
        profile: listen.profile.clone().unwrap_or_else(|| STANDARD.to_owned()),
        headers: listen
            .header
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect(),
        timeout_ms: None,
    })
}

fn unreadable(error: &str) -> Failure {
    Failure::Unavailable(format!("the endpoint cannot be read: {error}"))
}

async fn fetch_terms(context: &Context, named: &EndpointName) -> Result<Terms, Failure> {
    let answer = context.send(&Call::get(named.path(context, "")?)).await?;
    let view: api::Endpoint = read(&answer)?;
    let mut event_types: Vec<EventTypePattern> = Vec::new();
    for pattern in &view.event_types {
        event_types.push(pattern.parse().map_err(|error: String| unreadable(&error))?);
    }
    let min_severity = view.min_severity.map(|least| least.as_str().parse()).transpose();
    let filter = view.filter.map(|raw| compile(raw.get())).transpose()?;
    Ok(Terms {
        id: view.id.parse().map_err(|_| unreadable("its id is none of ours"))?,
        subscription: Subscription {
            event_types,
            filter,
            min_severity: min_severity.map_err(|error: String| unreadable(&error))?,
            risk_score_above: view.risk_score_above,
            outcomes: view.outcomes,
        },
        profile: view.profile,
        // What is not shown cannot be sent either.
        headers: view.headers.into_iter().filter(|(_, value)| value != NOT_SHOWN).collect(),
        timeout_ms: Some(view.timeout_ms),
    })
}

/// Finds a profile: compiled in, or the deployment's own, whose file the server has.
async fn fetch_profile(context: &Context, name: &str) -> Result<Arc<Profile>, Failure> {
    if let Some(profile) = Profile::find_builtin(name) {
        return Ok(profile);
    }
    let answer = context.send(&Call::get(format!("/v1/profiles/{}", escape(name)))).await?;
    let file = read::<api::Profile>(&answer)?.file;
    let parsed = Profile::parse(file.as_ref().map_or("", |file| file.get())).map(Arc::new);
    parsed.map_err(|_| Failure::Failed(format!("this version cannot read the profile {name}")))
}

/// Reads an event as it is stored: its payload byte for byte.
fn read_event(tenant: &TenantName, raw: &RawValue) -> Result<Event, String> {
    let listed: api::Event = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    let members = listed.read().map_err(|error| error.to_string())?;
    let mut attributes: BTreeMap<_, _> =
        listed.attributes().map_err(|error| error.to_string())?.into_iter().collect();
    let hops = attributes.remove(HOPS_ATTRIBUTE).map(serde_json::from_value).transpose();
    Ok(Event {
        id: members.id.parse().map_err(|fault: IdFault| fault.to_string())?,
        sender_id: members.sender_id,
        tenant: tenant.clone(),
        event_type: members.event_type,
        source: members.source,
        time: members.time,
        attributes,
        data: members.data,
        data_base64: members.data_base64,
        expunged: members.expunged,
        hops: hops.map_err(|error| error.to_string())?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use waxseal_domain::event::hops::Hops;
    use waxseal_domain::event::{Form, Submission};
    use waxseal_domain::timestamp::Timestamp;

    use super::*;

    #[test]
    fn a_listed_event_is_the_one_that_was_stored() {
        let text = r#"{"type":"a.b","source":"/x","id":"has space","severity":"high","riskscore":0.5,
            "agentid":"a","waxsealhops":2,"data":{"n":1.50,"big":123456789012345678901234567890}}"#;
        let submission = Submission {
            text: text.to_owned(),
            form: Form::Plain,
            fallback_id: None,
            hops: Hops::default(),
        };
        let tenant: TenantName = "acme".parse().unwrap();
        let stored = Event::accept(&tenant, &submission, Timestamp::from_ms(5), 7).unwrap().event;
        let mut view = stored.view();
        view.pop();
        let listed = format!("{view},\"received_at\":\"2026-11-21T10:00:00Z\"}}");
        let read = read_event(&tenant, &RawValue::from_string(listed).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&stored).unwrap());
    }
}
