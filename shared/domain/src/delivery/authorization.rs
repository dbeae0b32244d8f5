//! The header `Authorization` of an attempt: what it says, and how a token server is asked for what it holds.
//! The request to the token server is built here, and not in `dispatch.rs`: it has no event and no signature, and
//! none of the endpoint's own headers.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use crate::delivery::attempt::{Outcome, SendResult};
use crate::delivery::dispatch::{Method, Request, Subject, USER_AGENT};
use crate::endpoint::Endpoint;
use crate::endpoint::credentials::Credentials;
use crate::timestamp::Timestamp;

/// Characters of a token server's answer.
const ANSWER_CHARS_MAX: usize = 16 * 1024;
/// Characters of an access token.
const TOKEN_CHARS_MAX: usize = 8 * 1024;
/// How long a token is kept whose server does not say, and at most, in seconds.
const KEPT_S: u64 = 300;
const KEPT_S_MAX: u64 = 3_600;
/// A token is fetched anew so long before its end, in seconds.
const MARGIN_S: u64 = 60;

/// The header `Authorization` of an attempt, or the request that must be made for it first.
#[derive(Debug)]
pub enum Authorization {
    /// The header's value is known: this text.
    Header(Zeroizing<String>),
    /// The header's value is the access token that this request is answered with.
    TokenRequest(Box<Request>),
}

impl Authorization {
    /// Makes the header's value, or the request for its token. `secret` is what the credentials
    /// keep sealed, opened.
    pub fn of(
        credentials: &Credentials,
        endpoint: &Endpoint,
        secret: &str,
        timeout_ms: u64,
    ) -> Self {
        match credentials {
            Credentials::Bearer { .. } => Self::Header(bearer(secret)),
            Credentials::Basic { username, .. } => Self::Header(basic(username, secret)),
            Credentials::Oauth2 { token_url, client_id, scope, audience, .. } => {
                let client = basic(&encode(client_id), &encode(secret));
                let form = form(scope.as_deref(), audience.as_deref());
                let request = token_request(endpoint, token_url, form, &client, timeout_ms);
                Self::TokenRequest(Box::new(request))
            }
        }
    }
}

/// Makes the header's value for a token: `Bearer` and the token.
pub fn bearer(token: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("Bearer {token}"))
}

/// Makes the header's value for a user's name and password: `Basic` and both in base 64.
fn basic(username: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{username}:{password}"));
    Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes())))
}

/// RFC 6749, section 2.3.1: a client's id and secret are form-encoded before they are joined.
fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn form(scope: Option<&str>, audience: Option<&str>) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    form.extend_pairs(scope.map(|scope| ("scope", scope)));
    form.extend_pairs(audience.map(|audience| ("audience", audience)));
    form.finish()
}

fn token_request(
    endpoint: &Endpoint,
    url: &str,
    form: String,
    client: &str,
    timeout_ms: u64,
) -> Request {
    let headers = [
        ("accept", "application/json"),
        ("authorization", client),
        ("content-type", "application/x-www-form-urlencoded"),
        ("user-agent", USER_AGENT),
    ];
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Request {
        method: Method::Post,
        tenant: endpoint.tenant.clone(),
        url: url.to_owned(),
        headers,
        body: form.into_bytes(),
        timeout_ms,
        response_chars_max: ANSWER_CHARS_MAX,
        subject: Subject::default(),
    }
}

/// The token of a server's answer and until when it is kept; or what the attempt came to.
pub fn read_token(sent: &SendResult) -> Result<(Zeroizing<String>, Timestamp), SendResult> {
    #[derive(Deserialize)]
    struct TokenAnswer {
        access_token: Zeroizing<String>,
        #[serde(default)]
        expires_in: Option<Box<RawValue>>,
    }
    let ended_at = sent.ended_at;
    let fail = |outcome, detail: String| {
        let detail = Some(format!("the token server {detail}"));
        SendResult { outcome, detail, response: None, started_at: sent.started_at, ended_at }
    };
    let Some(response) = &sent.response else {
        let detail = sent.detail.clone().unwrap_or_else(|| "gave no answer".to_owned());
        return Err(fail(sent.outcome, format!("did not answer: {detail}")));
    };
    if !(200..300).contains(&response.status) {
        // 410 is the token server's, and must not disable the endpoint.
        let outcome = match Outcome::of_status(response.status) {
            known @ (Outcome::Throttled | Outcome::ServerError) => known,
            Outcome::Accepted
            | Outcome::Rejected
            | Outcome::Gone
            | Outcome::TimedOut
            | Outcome::Unreachable
            | Outcome::Blocked
            | Outcome::Unsendable => Outcome::Rejected,
        };
        return Err(fail(outcome, format!("answered {}", response.status)));
    }
    let read: Option<TokenAnswer> = serde_json::from_str(&response.excerpt).ok();
    let fits = |token: &str| {
        (1..=TOKEN_CHARS_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic())
    };
    let Some(answer) = read.filter(|answer| fits(&answer.access_token)) else {
        return Err(fail(Outcome::Rejected, "answered without an access_token".to_owned()));
    };
    let says_s =
        answer.expires_in.and_then(|json| read_seconds(&json)).unwrap_or(KEPT_S).min(KEPT_S_MAX);
    let kept_s = says_s.saturating_sub(MARGIN_S).max(says_s / 2);
    Ok((answer.access_token, ended_at.plus_s(kept_s)))
}

/// Reads seconds as token servers write them: a number or the text of one, with a fraction or without. What is
/// neither says nothing, as if it were not there: the token is good all the same.
fn read_seconds(json: &RawValue) -> Option<u64> {
    let text: Option<String> = serde_json::from_str(json.get()).ok();
    let seconds: f64 = text.as_deref().unwrap_or(json.get()).trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|kept| kept.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::attempt::Response;

    fn answer(status: u16, body: &str) -> SendResult {
        let response = Response { status, headers: Vec::new(), excerpt: body.to_owned() };
        let at = Timestamp::from_ms(1_000);
        SendResult {
            outcome: Outcome::of_status(status),
            detail: None,
            response: Some(response),
            started_at: at,
            ended_at: at,
        }
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        let until = |body: &str| read_token(&answer(200, body)).unwrap().1.ms() / 1_000 - 1;
        assert_eq!(until(r#"{"access_token":"t","expires_in":600,"token_type":"Bearer"}"#), 540);
        assert_eq!(until(r#"{"access_token":"t","expires_in":20}"#), 10);
        assert_eq!(until(r#"{"access_token":"t"}"#), 240);
        assert_eq!(until(r#"{"access_token":"t","expires_in":9999999}"#), 3_540);
    }

    #[test]
    fn the_seconds_of_a_token_are_read_in_any_form() {
        let until = |seconds: &str| {
            let body = format!(r#"{{"access_token":"t","expires_in":{seconds}}}"#);
            read_token(&answer(200, &body)).unwrap().1.ms() / 1_000 - 1
        };
        for seconds in ["600", "\"600\"", "600.9", "\" 600.0 \"", "6e2", "\"6E2\"", "600.000"] {
            assert_eq!(until(seconds), 540, "{seconds}");
        }
        assert_eq!((until("0"), until("\"99999999\"")), (0, 3_540));
        let nonsense = ["null", "true", "-1", "\"-1\"", "\"\"", "\"soon\"", "\"600s\"", "[600]"];
        for seconds in nonsense.into_iter().chain(["{}", "1e999", "\"inf\"", "\"NaN\"", "1e40"]) {
            assert_eq!(until(seconds), 240, "{seconds} is as absent");
        }
    }

    #[test]
    fn what_a_token_server_does_wrong_is_a_failed_attempt_that_shows_no_answer() {
        let failed = |status, body: &str| read_token(&answer(status, body)).unwrap_err();
        let outcome = |status| failed(status, "canary").outcome;
        assert_eq!(
            [outcome(410), outcome(401)],
            [Outcome::Rejected; 2],
            "410 is not the receiver's"
        );
        assert_eq!([outcome(429), outcome(503)], [Outcome::Throttled, Outcome::ServerError]);
        for body in ["canary", "{}", r#"{"access_token":""}"#, r#"{"access_token":"a b"}"#] {
            let sent = failed(200, body);
            assert_eq!(sent.outcome, Outcome::Rejected);
            assert!(sent.response.is_none() && !sent.detail.unwrap().contains("canary"));
        }
    }

    #[test]
    fn clients_are_encoded_as_the_specification_says() {
        assert_eq!(&*basic(&encode("a:b"), &encode("p w")), "Basic YSUzQWI6cCt3");
        assert_eq!(form(Some("a b"), None), "grant_type=client_credentials&scope=a+b");
    }

    #[test]
    fn a_token_and_a_password_are_sent_as_they_are() {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let endpoint = Endpoint::new(id, tenant, "standard".to_owned(), Timestamp::from_ms(0));
        let sealed = String::new();
        let header = |credentials: Credentials| match Authorization::of(
            &credentials,
            &endpoint,
            "secret",
            1_000,
        ) {
            Authorization::Header(value) => value.to_string(),
            Authorization::TokenRequest(request) => panic!("asks {}", request.url),
        };
        assert_eq!(header(Credentials::Bearer { sealed: sealed.clone() }), "Bearer secret");
        let basic = Credentials::Basic { username: "user".to_owned(), sealed };
        assert_eq!(header(basic), "Basic dXNlcjpzZWNyZXQ=");
    }

    #[test]
    fn a_token_may_be_as_long_as_is_said() {
        let read = |chars: usize| {
            let token = "t".repeat(chars);
            read_token(&answer(200, &format!(r#"{{"access_token":"{token}"}}"#)))
        };
        assert!(read(8_192).is_ok());
        assert!(read(8_193).is_err());
    }

    #[test]
    fn a_token_server_is_asked_as_the_specification_says_and_answers_shortly() {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let endpoint = Endpoint::new(id, tenant, "standard".to_owned(), Timestamp::from_ms(0));
        let credentials = Credentials::Oauth2 {
            token_url: "https://auth.example/token".to_owned(),
            client_id: "client".to_owned(),
            scope: None,
            audience: Some("hooks".to_owned()),
            sealed: String::new(),
        };
        let asked = Authorization::of(&credentials, &endpoint, "secret", 1_000);
        let Authorization::TokenRequest(request) = asked else { panic!("asks nobody") };
        assert_eq!(request.url, "https://auth.example/token");
        assert_eq!(request.body, b"grant_type=client_credentials&audience=hooks");
        assert_eq!(request.headers["authorization"], "Basic Y2xpZW50OnNlY3JldA==");
        assert_eq!(request.response_chars_max, 16_384);
    }
}
