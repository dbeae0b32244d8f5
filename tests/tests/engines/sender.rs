//! The sender on the wire: real sockets, real TLS, receivers that behave badly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use waxseal_adapters::sender::{Connections, HttpSender};
use waxseal_domain::delivery::attempt::{Outcome, SendResult};
use waxseal_domain::delivery::dispatch::{Request, Subject};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_flows::ports::Sender as _;
use waxseal_tests::sink::{Sink, SinkAnswer};
use waxseal_tests::tls::self_signed;

fn sender(allow_loopback: bool, roots: Vec<CertificateDer<'static>>) -> HttpSender {
    let rules = Arc::new(AddressRules { allow_loopback, ..AddressRules::default() });
    HttpSender::new(rules, Connections::Fresh, roots).unwrap()
}

fn request(url: String) -> Request {
    Request {
        method: waxseal_domain::delivery::dispatch::Method::Post,
        tenant: "acme".parse().unwrap(),
        url,
        headers: BTreeMap::from([("x-own".to_owned(), "1".to_owned())]),
        body: b"{\"a\": 1}".to_vec(),
        timeout_ms: 700,
        response_chars_max: 1_024,
        subject: Subject::default(),
    }
}

async fn post(sink: &Sink) -> SendResult {
    sender(true, Vec::new()).send(request(sink.url("/hook?x=1"))).await.unwrap()
}

#[tokio::test]
async fn sends_exactly_these_bytes_and_reads_the_answer() {
    let sink = Sink::start(vec![SinkAnswer::Status(202, vec![("x-id", "7")], "taken")]).await;
    let sent = post(&sink).await;
    assert_eq!(sent.outcome, Outcome::Accepted);
    let response = sent.response.unwrap();
    assert_eq!((response.status, response.excerpt.as_str()), (202, "taken"));
    assert_eq!(response.header("x-id"), Some("7"));
    let captured = sink.requests();
    assert_eq!(captured[0].body, "{\"a\": 1}");
    assert_eq!((captured[0].path.as_str(), captured[0].header("x-own")), ("/hook?x=1", "1"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = SinkAnswer::Status(307, vec![("location", "/elsewhere")], "");
    let sink = Sink::start(vec![answer]).await;
    assert_eq!(post(&sink).await.outcome, Outcome::Rejected);
    assert_eq!(sink.requests().len(), 1);
}

#[tokio::test]
async fn silence_is_a_time_out_and_a_closed_port_unreachable() {
    let sink = Sink::start(vec![SinkAnswer::Silence(Duration::from_secs(20))]).await;
    let sent = post(&sink).await;
    assert_eq!(sent.outcome, Outcome::TimedOut);
    assert!(sent.ended_at.since_ms(sent.started_at) < 5_000);
    let closed = format!("http://{}/", waxseal_tests::process::free_address());
    let sent = sender(true, Vec::new()).send(request(closed)).await.unwrap();
    assert_eq!(sent.outcome, Outcome::Unreachable);
    assert!(!sent.detail.unwrap().contains("/hook"), "no URL in a detail");
}

#[tokio::test]
async fn a_large_answer_is_cut() {
    let large = "x".repeat(1_000_000).leak();
    let sink = Sink::start(vec![SinkAnswer::Status(500, Vec::new(), large)]).await;
    let sent = post(&sink).await;
    assert_eq!(sent.outcome, Outcome::ServerError);
    assert_eq!(sent.response.unwrap().excerpt.len(), 1_024);
}

#[tokio::test]
async fn forbidden_addresses_are_blocked_before_a_connection() {
    let sink = Sink::start(Vec::new()).await;
    let port = sink.address.port();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "localhost"] {
        let url = format!("https://{host}:{port}/");
        let sent = sender(false, Vec::new()).send(request(url)).await.unwrap();
        assert_eq!(sent.outcome, Outcome::Blocked, "{host}");
    }
    assert!(sink.requests().is_empty());
}

#[tokio::test]
async fn tls_is_verified_against_known_roots() {
    let (tls, certificate) = self_signed(&["localhost"]);
    let certificate = certificate.der().clone();
    let sink = Sink::start_tls(Vec::new(), tls).await;
    let url = format!("https://localhost:{}/hook", sink.address.port());
    let stranger = sender(true, Vec::new()).send(request(url.clone())).await.unwrap();
    assert_eq!(stranger.outcome, Outcome::Unreachable);
    assert!(sink.requests().is_empty(), "nothing is sent to a peer that is not verified");
    let trusted = sender(true, vec![certificate]).send(request(url)).await.unwrap();
    assert_eq!(trusted.outcome, Outcome::Accepted, "{:?}", trusted.detail);
    assert_eq!(sink.requests().len(), 1);
}
