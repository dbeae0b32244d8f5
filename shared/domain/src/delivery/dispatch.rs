//! One attempt on the wire, rendered and signed: a request that is ready to be sent. First attempt, retry,
//! replay and test event all come through here. Two other requests do not: the handshake
//! (`endpoint/handshake.rs`) and the call to a token server (`authorization.rs`) are built where they are.

use std::collections::BTreeMap;

use thiserror::Error;
use waxseal_verify::{Key, SignFault, SignedRequest};
use zeroize::Zeroizing;

use crate::delivery::Round;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::event::hops::{HOPS_HEADER, Hops};
use crate::event::link::sample_link;
use crate::id::TenantName;
use crate::limits::EXCERPT_CHARS_MAX;
use crate::profile::{Profile, RenderedBody, Rendering, render, variable};
use crate::timestamp::Timestamp;

/// The value of the header `user-agent`, by which receivers know us.
pub const USER_AGENT: &str = concat!("Waxseal/", env!("CARGO_PKG_VERSION"));

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// A delivery, and every other request but the handshake.
    #[default]
    Post,
    /// The handshake, which asks a receiver before its first delivery.
    Options,
}

/// A request to be made, or what is sent in its place to a queue or a bus.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method; a queue and a bus are sent deliveries only.
    pub method: Method,
    /// Whose endpoint it goes to: a FIFO queue keeps the order of each tenant's.
    pub tenant: TenantName,
    /// The URL that is called, or the ARN of a queue or a bus.
    pub url: String,
    /// The headers, by names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes: these are signed, and no others are sent.
    pub body: Vec<u8>,
    /// The milliseconds that the whole exchange may take, connecting included.
    pub timeout_ms: u64,
    /// Characters of the answer that are kept.
    pub response_chars_max: usize,
    /// The facts about the delivery that a queue or a bus is told beside headers and body.
    pub subject: Subject,
}

/// What a request is about: what a queue or a bus is told beside headers and body.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The id under which the receiver sees the delivery.
    pub delivery: String,
    /// The type of the event, as `dlp.pii_blocked`.
    pub event_type: String,
    /// The URI reference that says where the event happened.
    pub source: String,
    /// When the event happened.
    pub time: Option<Timestamp>,
    /// Names of the headers that a receiver verifies the delivery by.
    pub verified_by: Vec<String>,
    /// How many deliveries lie behind whoever takes this one: it is one of them.
    pub hops: Hops,
}

/// One attempt that is to be rendered and signed.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The endpoint that the event is owed to.
    pub endpoint: &'a Endpoint,
    /// The wire contract that the endpoint has chosen.
    pub profile: &'a Profile,
    /// The event that is owed, with its payload.
    pub event: &'a Event,
    /// The id under which the receiver sees the delivery.
    pub id: &'a str,
    /// Which attempt it is.
    pub round: Round,
}

/// A request that is ready to be sent.
#[derive(Debug)]
pub struct PreparedRequest {
    /// The request, with its signature among the headers.
    pub request: Request,
    /// Whether the body held values that JavaScript would change, and should not.
    pub inexact: bool,
}

/// Why an attempt cannot be rendered and signed.
#[derive(Debug, Error)]
pub enum PrepareFault {
    /// The body is too long with its payload in it: a link is needed in its place.
    #[error("the body is too long, and no public URL is set to link to")]
    NeedsLink,
    /// The event cannot be written as the endpoint's profile says; why.
    #[error("{0}")]
    Unsendable(String),
    /// The keys do not sign: our own failure.
    #[error(transparent)]
    Keys(SignFault),
}

/// Renders and signs one attempt that begins now. `link` is where the stored event is, and is used where the
/// body would be too long; without one that is [`PrepareFault::NeedsLink`].
pub fn prepare(
    outgoing: Outgoing<'_>,
    keys: &[Key],
    link: Option<&str>,
    now: Timestamp,
) -> Result<PreparedRequest, PrepareFault> {
    let Outgoing { endpoint, profile, event, id, round } = outgoing;
    let rendering = Rendering { event, id, round, link };
    let rendered = render_to_fit(profile, rendering)?;
    let inexact = !rendered.exact;
    let delivery = waxseal_verify::Delivery {
        id,
        timestamp_s: now.seconds(),
        body: &rendered.body,
        standard_beside: true,
        variable: &|name| variable(name, rendering),
    };
    let signed = profile.dialect.sign(keys, delivery).map_err(|fault| match fault {
        SignFault::NoKey | SignFault::Key => PrepareFault::Keys(fault),
        SignFault::Id | SignFault::Header(_) | SignFault::Body => {
            PrepareFault::Unsendable(fault.to_string())
        }
    })?;
    let (content_type, extensions) = (rendered.content_type, rendered.extension_headers);
    let request = Request {
        method: Method::Post,
        tenant: endpoint.tenant.clone(),
        url: endpoint.url.clone(),
        subject: Subject::of(outgoing, &signed),
        headers: headers(outgoing, content_type, extensions, signed.headers),
        body: signed.body.into_owned(),
        timeout_ms: u64::from(profile.timeout_of(endpoint)),
        response_chars_max: EXCERPT_CHARS_MAX,
    };
    Ok(PreparedRequest { request, inexact })
}

impl Request {
    /// Returns the request with a header of the endpoint's own. What is ours stands over it.
    #[must_use]
    pub fn with_own_header(mut self, name: &str, value: &str) -> Self {
        if !self.headers.contains_key(name) {
            self.headers.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Returns the headers as they are shown: of the endpoint's own, only the values of harmless ones, and of
    /// its credentials nothing.
    pub fn shown_headers(&self, endpoint: &Endpoint) -> BTreeMap<String, String> {
        let mut headers = endpoint.shown_headers();
        // What is not the endpoint's own, or stands over it, is no secret of its.
        let ours =
            self.headers.iter().filter(|(name, value)| endpoint.headers.get(*name) != Some(value));
        headers.extend(ours.map(|(name, value)| (name.clone(), value.clone())));
        headers
    }

    /// Returns the request with the header `authorization`.
    #[must_use]
    pub fn with_authorization(mut self, value: &Zeroizing<String>) -> Self {
        self.headers.insert("authorization".to_owned(), value.to_string());
        self
    }
}

impl Subject {
    fn of(outgoing: Outgoing<'_>, signed: &SignedRequest<'_>) -> Self {
        let Outgoing { event, id, .. } = outgoing;
        Self {
            delivery: id.to_owned(),
            event_type: event.event_type.clone(),
            source: event.source.clone(),
            time: Timestamp::parse_rfc3339(&event.time),
            verified_by: signed.headers.iter().map(|(name, _)| name.clone()).collect(),
            hops: event.hops.next(),
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
    // Above all others: by no header of its own may an endpoint or a profile make a chain look new.
    headers.insert(HOPS_HEADER.to_owned(), outgoing.event.hops.next().to_string());
    headers
}

/// The body of a first attempt as it would be, without a word to anybody; a link in it is not good. Or
/// why there would be none.
pub fn preview(
    outgoing: Outgoing<'_>,
    public_url: Option<&str>,
    now: Timestamp,
) -> Result<RenderedBody, String> {
    let Outgoing { profile, event, id, round, .. } = outgoing;
    let rendering = Rendering { event, id, round, link: None };
    let rendered = render(profile, rendering).map_err(|fault| fault.to_string())?;
    if !rendered.is_too_long(profile) {
        return Ok(rendered);
    }
    let base = public_url.ok_or_else(|| PrepareFault::NeedsLink.to_string())?;
    let link = sample_link(base, &event.tenant, &event.id, now);
    render_to_fit(profile, Rendering { link: Some(&link), ..rendering })
        .map_err(|fault| fault.to_string())
}

/// The body, with the payload in it or, where that would be too long, the link.
fn render_to_fit(
    profile: &Profile,
    rendering: Rendering<'_>,
) -> Result<RenderedBody, PrepareFault> {
    let rendered =
        render(profile, rendering).map_err(|fault| PrepareFault::Unsendable(fault.to_string()))?;
    match rendering.link {
        _ if !rendered.is_too_long(profile) => Ok(rendered),
        None => Err(PrepareFault::NeedsLink),
        Some(_) => {
            let length = rendered.body.len();
            Err(PrepareFault::Unsendable(format!(
                "the body is {length} bytes long, with its payload linked"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
