//! One attempt on the wire: rendered, signed, sent. First attempt, retry, replay and test event all
//! come through here.

use std::collections::BTreeMap;

use waxseal_verify::{Key, SignFault, Signed};
use zeroize::Zeroizing;

use crate::attempt::Sent;
use crate::credentials::{authorization, refused};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::TenantName;
use crate::limits::EXCERPT_CHARS_MAX;
use crate::link::{content_link, sample_link};
use crate::ports::{Clock, Engine, EngineError, KeyVault, Sender};
use crate::profile::{Profile, Rendered, Rendering, Round, render, variable};
use crate::secret::SecretContext;
use crate::timestamp::Timestamp;

/// Names us to receivers.
pub const USER_AGENT: &str = concat!("Waxseal/", env!("CARGO_PKG_VERSION"));

/// Why a body that is too long cannot be shortened.
const NO_PUBLIC_URL: &str = "the body is too long, and no public URL is set to link to";

/// How a request is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// A delivery.
    #[default]
    Post,
    /// The handshake before one.
    Options,
}

/// A request to be made, or what is sent in its place to a queue or a bus.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it asks for.
    pub method: Method,
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
    /// Characters of the answer that are kept.
    pub response_chars_max: usize,
    /// What it is about.
    pub subject: Subject,
}

/// What a request is about: what a queue or a bus is told beside headers and body.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The delivery's id.
    pub delivery: String,
    /// The event's type.
    pub event_type: String,
    /// The event's source.
    pub source: String,
    /// When the event happened.
    pub time: Option<Timestamp>,
    /// Names of the headers that a receiver verifies the delivery by.
    pub verified_by: Vec<String>,
}

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// To whom.
    pub endpoint: &'a Endpoint,
    /// In which wire contract.
    pub profile: &'a Profile,
    /// The event.
    pub event: &'a Event,
    /// The delivery's id.
    pub id: &'a str,
    /// Which attempt it is.
    pub round: Round,
}

/// What was sent and what came of it.
#[derive(Debug)]
pub struct Dispatched {
    /// What came of it.
    pub sent: Sent,
    /// The request's headers, as sent, but for `authorization`.
    pub headers: BTreeMap<String, String>,
    /// Whether the body held values that JavaScript would change, and should not.
    pub inexact: bool,
}

/// Makes one attempt, ended by the endpoint's time-out or by `deadline`, whichever comes first.
pub async fn dispatch<E: Engine>(
    engine: &E,
    outgoing: Outgoing<'_>,
    deadline: Timestamp,
) -> Result<Dispatched, EngineError> {
    let Outgoing { endpoint, profile, event, id, round } = outgoing;
    let keys = signing_keys(engine, outgoing).await?;
    let authorization = match authorization(engine, endpoint, deadline).await? {
        Ok(authorization) => authorization,
        Err(sent) => return Ok(Dispatched { sent, headers: BTreeMap::new(), inexact: false }),
    };
    let now = engine.clock().now();
    let rendering = Rendering { event, id, round, link: None };
    let rendered = match written(engine, profile, rendering).await? {
        Ok(rendered) => rendered,
        Err(detail) => return Ok(Dispatched::unsendable(detail, now)),
    };
    let inexact = !rendered.exact;
    let delivery = waxseal_verify::Delivery {
        id,
        timestamp_s: now.seconds(),
        body: &rendered.body,
        standard_beside: true,
        variable: &|name| variable(name, rendering),
    };
    let signed = match profile.dialect.sign(&keys, delivery) {
        Ok(signed) => signed,
        Err(fault @ (SignFault::NoKey | SignFault::Key)) => {
            return Err(EngineError::new("sign delivery", fault));
        }
        Err(fault @ (SignFault::Id | SignFault::Header(_) | SignFault::Body)) => {
            return Ok(Dispatched::unsendable(fault.to_string(), now));
        }
    };
    let (content_type, extensions) = (rendered.content_type, rendered.extension_headers);
    let request = Request {
        method: Method::Post,
        tenant: endpoint.tenant.clone(),
        url: endpoint.url.clone(),
        subject: Subject::of(outgoing, &signed),
        headers: headers(outgoing, content_type, extensions, signed.headers),
        body: signed.body.into_owned(),
        timeout_ms: u64::from(profile.timeout_of(endpoint)).min(deadline.since_ms(now)),
        response_chars_max: EXCERPT_CHARS_MAX,
    };
    let headers = request.headers.clone();
    let request = authorization.iter().fold(request, Request::authorized);
    let mut sent = engine.sender().send(request).await;
    refused(engine, endpoint, &sent);
    if round.attempt == 1 {
        // The body may have said when the first attempt began: it is recorded so.
        sent.started_at = round.began_at;
    }
    Ok(Dispatched { sent, headers, inexact })
}

impl Request {
    fn authorized(mut self, value: &Zeroizing<String>) -> Self {
        self.headers.insert("authorization".to_owned(), value.to_string());
        self
    }
}

impl Dispatched {
    fn unsendable(detail: String, now: Timestamp) -> Self {
        let sent = Sent::unsendable(detail, now);
        Self { sent, headers: BTreeMap::new(), inexact: false }
    }
}

impl Subject {
    fn of(outgoing: Outgoing<'_>, signed: &Signed<'_>) -> Self {
        let Outgoing { event, id, .. } = outgoing;
        Self {
            delivery: id.to_owned(),
            event_type: event.event_type.clone(),
            source: event.source.clone(),
            time: Timestamp::parse_rfc3339(&event.time),
            verified_by: signed.headers.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// The endpoint's own headers first: what is ours stands over them.
fn headers(
    outgoing: Outgoing<'_>,
    content_type: String,
    extensions: Vec<(String, String)>,
    signed: Vec<(String, String)>,
) -> BTreeMap<String, String> {
    let mut headers = outgoing.endpoint.headers.clone();
    let traceparent = outgoing.event.attribute("traceparent");
    headers.extend(traceparent.map(|value| ("traceparent".to_owned(), value.to_owned())));
    headers.extend(extensions);
    headers.insert("content-type".to_owned(), content_type);
    headers.insert("user-agent".to_owned(), USER_AGENT.to_owned());
    headers.extend(signed);
    headers
}

/// The body of a first attempt as it would be, without a word to anybody; a link in it is not good. Or
/// why there would be none.
pub fn preview<E: Engine>(engine: &E, outgoing: Outgoing<'_>) -> Result<Rendered, String> {
    let Outgoing { profile, event, id, round, .. } = outgoing;
    let rendering = Rendering { event, id, round, link: None };
    let rendered = render(profile, rendering);
    if !rendered.is_too_long(profile) {
        return Ok(rendered);
    }
    let base = engine.public_url().ok_or(NO_PUBLIC_URL)?;
    let link = sample_link(base, &event.tenant, &event.id, engine.clock().now());
    fitting(profile, Rendering { link: Some(&link), ..rendering })
}

/// The body with a link in it, or how long it is nevertheless.
fn fitting(profile: &Profile, rendering: Rendering<'_>) -> Result<Rendered, String> {
    let rendered = render(profile, rendering);
    if rendered.is_too_long(profile) {
        let length = rendered.body.len();
        return Err(format!("the body is {length} bytes long, with its payload linked"));
    }
    Ok(rendered)
}

/// The body, with a link in place of its payload where it would be too long; or why there is none.
async fn written<E: Engine>(
    engine: &E,
    profile: &Profile,
    rendering: Rendering<'_>,
) -> Result<Result<Rendered, String>, EngineError> {
    let rendered = render(profile, rendering);
    if !rendered.is_too_long(profile) {
        return Ok(Ok(rendered));
    }
    let event = rendering.event;
    let Some(link) = content_link(engine, &event.tenant, &event.id).await? else {
        return Ok(Err(NO_PUBLIC_URL.to_owned()));
    };
    Ok(fitting(profile, Rendering { link: Some(&link), ..rendering }))
}

/// The keys that sign now, the secret in use first.
async fn signing_keys<E: Engine>(
    engine: &E,
    outgoing: Outgoing<'_>,
) -> Result<Vec<Key>, EngineError> {
    let Outgoing { endpoint, profile, .. } = outgoing;
    let context = SecretContext::endpoint(&endpoint.tenant, &endpoint.id);
    let mut keys = Vec::new();
    for sealed in endpoint.live_secrets(engine.clock().now()) {
        let secret = engine.key_vault().open(&context, &sealed.sealed).await?;
        let key = profile.dialect.key(secret.expose_text().unwrap_or_default());
        keys.push(key.map_err(|fault| EngineError::new("open secret", fault))?);
    }
    Ok(keys)
}
