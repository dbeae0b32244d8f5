//! One attempt on the wire: rendered, signed, sent. First attempt, retry, replay and test event all
//! come through here.

use std::collections::BTreeMap;

use crate::attempt::Sent;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::TenantName;
use crate::ports::{Clock, Engine, EngineError, KeyVault, Sender};
use crate::profile::{HeaderValue, Profile, render};
use crate::secret::{Secret, SecretContext};
use crate::signature::{Signed, sign};
use crate::timestamp::Timestamp;

/// Names us to receivers.
pub const USER_AGENT: &str = concat!("Waxseal/", env!("CARGO_PKG_VERSION"));

/// A POST to be made.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose endpoint it goes to: address rules have an exception that is one tenant's.
    pub tenant: TenantName,
    /// Where to.
    pub url: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes: these are signed, and no others are sent.
    pub body: Vec<u8>,
    /// For the whole exchange.
    pub timeout_ms: u64,
}

/// What was sent and what came of it.
#[derive(Debug)]
pub struct Dispatched {
    /// What came of it.
    pub sent: Sent,
    /// The request's headers, as sent.
    pub headers: BTreeMap<String, String>,
}

/// Makes one attempt, ended by the endpoint's time-out or by `deadline`, whichever comes first.
pub async fn dispatch<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    event: &Event,
    delivery_id: &str,
    deadline: Timestamp,
) -> Result<Dispatched, EngineError> {
    let keys = signing_keys(engine, endpoint).await?;
    let now = engine.clock().now();
    let profile = endpoint.profile();
    let body = render(profile, event);
    let headers = headers(profile, endpoint, event, &keys, delivery_id, now, &body);
    let timeout_ms = u64::from(endpoint.timeout_ms()).min(deadline.since_ms(now));
    let request = Request {
        tenant: endpoint.tenant.clone(),
        url: endpoint.url.clone(),
        headers: headers.clone(),
        body,
        timeout_ms,
    };
    Ok(Dispatched { sent: engine.sender().send(request).await, headers })
}

/// The keys that sign now, the secret in use first.
async fn signing_keys<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
) -> Result<Vec<Secret>, EngineError> {
    let context = SecretContext::endpoint(&endpoint.tenant, &endpoint.id);
    let mut keys = Vec::new();
    for sealed in endpoint.live_secrets(engine.clock().now()) {
        let secret = engine.key_vault().open(&context, &sealed.sealed).await?;
        let key = secret.expose_text().and_then(|text| endpoint.profile().secret.key(text));
        keys.push(key.ok_or_else(|| EngineError::new("open secret", "not of its profile's form"))?);
    }
    Ok(keys)
}

fn headers(
    profile: &Profile,
    endpoint: &Endpoint,
    event: &Event,
    keys: &[Secret],
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> BTreeMap<String, String> {
    let timestamp = now.seconds().to_string();
    let mut headers = endpoint.headers.clone();
    if let Some(traceparent) = event.attribute("traceparent") {
        headers.insert("traceparent".to_owned(), traceparent.to_owned());
    }
    headers.insert("content-type".to_owned(), "application/json".to_owned());
    headers.insert("user-agent".to_owned(), USER_AGENT.to_owned());
    for (name, value) in profile.headers {
        let value = match value {
            HeaderValue::DeliveryId => id.to_owned(),
            HeaderValue::Timestamp => timestamp.clone(),
            HeaderValue::Signature => {
                sign(&profile.signature, keys, Signed { id, timestamp: &timestamp, body })
            }
        };
        headers.insert((*name).to_owned(), value);
    }
    headers
}
