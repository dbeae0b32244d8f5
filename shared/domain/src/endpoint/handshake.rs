//! The validation handshake of the `CloudEvents` HTTP webhook specification (section 4): a receiver is
//! asked whether it wants us, before the first delivery. This request is built here, and not in
//! `delivery/dispatch.rs`: it has no event, no signature and none of the endpoint's own headers.

use std::collections::BTreeMap;

use crate::delivery::attempt::{Outcome, SendResult};
use crate::delivery::dispatch::{Method, Request, Subject, USER_AGENT};
use crate::endpoint::Endpoint;
use crate::endpoint::target::TargetForm;
use crate::limits::EXCERPT_CHARS_MAX;
use crate::profile::Profile;
use crate::public_url::PublicUrl;

/// The origin that we name where the public URL of the API is not configured.
const ORIGIN: &str = "waxseal";

/// What a receiver answered to being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Whether the receiver allows us to send it events.
    pub allowed: bool,
    /// Why the receiver does not allow us; none where it does.
    pub detail: Option<String>,
    /// Requests a minute that it allows, if it says so.
    pub allowed_rate: Option<String>,
}

/// The request that asks an endpoint's receiver, where its profile does so; nobody asks a queue or a bus.
pub fn request(endpoint: &Endpoint, profile: &Profile, origin: &str) -> Option<Request> {
    let can_be_asked = match TargetForm::of(&endpoint.url) {
        TargetForm::Url => true,
        TargetForm::Arn => false,
    };
    if !profile.handshake || !can_be_asked {
        return None;
    }
    let headers = [
        ("webhook-request-origin".to_owned(), origin.to_owned()),
        ("user-agent".to_owned(), USER_AGENT.to_owned()),
    ];
    Some(Request {
        method: Method::Options,
        tenant: endpoint.tenant.clone(),
        url: endpoint.url.clone(),
        headers: BTreeMap::from(headers),
        subject: Subject::default(),
        body: Vec::new(),
        timeout_ms: profile.timeout_of(endpoint).into(),
        response_chars_max: EXCERPT_CHARS_MAX,
    })
}

/// Returns the host by which we are known.
pub fn origin(public_url: Option<&PublicUrl>) -> &str {
    public_url.map_or(ORIGIN, PublicUrl::host)
}

/// What a receiver answered.
pub fn read(sent: &SendResult, origin: &str) -> Handshake {
    let response = sent.response.as_ref();
    let header = |name| response.and_then(|response| response.header(name));
    let refused = match (sent.outcome, header("webhook-allowed-origin")) {
        (Outcome::Accepted, Some(allowed)) if allowed == "*" || allowed == origin => None,
        (Outcome::Accepted, Some(_)) => Some("it allows another origin".to_owned()),
        (Outcome::Accepted, None) => {
            Some("it answers OPTIONS without webhook-allowed-origin".to_owned())
        }
        (outcome, _) => {
            let status = response.map(|response| response.status.to_string());
            let said = status.or_else(|| sent.detail.clone());
            Some(format!("OPTIONS: {}", said.unwrap_or_else(|| outcome.as_str().to_owned())))
        }
    };
    let allowed_rate = header("webhook-allowed-rate").map(str::to_owned);
    Handshake { allowed: refused.is_none(), detail: refused, allowed_rate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::attempt::Response;
    use crate::timestamp::Timestamp;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Handshake {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (started_at, ended_at) = (Timestamp::from_ms(0), Timestamp::from_ms(1));
        let response = Some(Response { status, headers, excerpt: String::new() });
        let outcome = Outcome::of_status(status);
        read(&SendResult { outcome, detail: None, response, started_at, ended_at }, "hooks.example")
    }

    #[test]
    fn a_receiver_allows_us_by_name_or_everybody() {
        assert!(answer(200, &[("webhook-allowed-origin", "hooks.example")]).allowed);
        let every = answer(204, &[("webhook-allowed-origin", "*"), ("webhook-allowed-rate", "9")]);
        assert_eq!((every.allowed, every.allowed_rate.as_deref()), (true, Some("9")));
        for (status, origin) in [(200, "other.example"), (405, "*")] {
            let handshake = answer(status, &[("webhook-allowed-origin", origin)]);
            assert!(!handshake.allowed && handshake.detail.is_some());
        }
        assert!(!answer(200, &[]).allowed);
    }

    #[test]
    fn we_are_known_by_our_host() {
        let public_url = "https://hooks.example:8443/api".parse().unwrap();
        assert_eq!(origin(Some(&public_url)), "hooks.example");
        assert_eq!(origin(None), ORIGIN);
    }

    fn asked(profile: &Profile, url: &str) -> Option<Request> {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let now = Timestamp::from_ms(0);
        let endpoint = Endpoint::new(id, tenant, profile.name().to_owned(), now);
        request(&Endpoint { url: url.to_owned(), ..endpoint }, profile, "hooks.example")
    }

    #[test]
    fn a_receiver_is_asked_where_its_profile_asks_and_a_queue_never() {
        let url = "https://example.com/hook";
        let asking = Profile::builtins().iter().find(|profile| profile.handshake).unwrap();
        let request = asked(asking, url).unwrap();
        assert_eq!((request.method, request.url.as_str()), (Method::Options, url));
        assert_eq!(request.headers["webhook-request-origin"], "hooks.example");
        assert!(request.body.is_empty());
        assert!(asked(asking, "arn:aws:sqs:us-east-1:123456789012:q").is_none());
        assert!(asked(&Profile::standard(), url).is_none());
    }
}
