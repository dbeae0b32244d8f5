//! Hostile receivers over real sockets: every attempt ends in time, its outcome names what happened,
//! and memory stays bounded.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use waxseal_adapters::sender::{Connections, HttpSender, LookUp};
use waxseal_domain::delivery::attempt::{Outcome, SendResult};
use waxseal_domain::delivery::dispatch::{Request, Subject};
use waxseal_domain::endpoint::address::{AddressRules, OwnAddresses};
use waxseal_domain::limits::EXCERPT_CHARS_MAX;
use waxseal_flows::ports::{EngineError, FailureKind, Sender as _};
use waxseal_tests::rogue::{MARGIN, Play, counting_rogue, rogue};
use waxseal_tests::sink::{Sink, SinkAnswer};
use waxseal_tests::tls::self_signed;

const TIMEOUT_MS: u64 = 1_000;

fn rules() -> Arc<AddressRules> {
    let runtime_api = Some("127.0.0.1:9001".parse().unwrap());
    Arc::new(AddressRules { allow_loopback: true, runtime_api, ..AddressRules::default() })
}

fn sender() -> HttpSender {
    HttpSender::new(rules(), Connections::Fresh, Vec::new()).unwrap()
}

fn request(url: &str) -> Request {
    Request {
        method: waxseal_domain::delivery::dispatch::Method::Post,
        tenant: "acme".parse().unwrap(),
        url: url.to_owned(),
        headers: BTreeMap::new(),
        body: b"{}".to_vec(),
        timeout_ms: TIMEOUT_MS,
        response_chars_max: 1_024,
        subject: Subject::default(),
    }
}

async fn attempt(address: SocketAddr) -> SendResult {
    let began = Instant::now();
    let sent = sender().send(request(&format!("http://{address}/"))).await.unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_millis(TIMEOUT_MS) + MARGIN, "{took:?}");
    if let Some(response) = &sent.response {
        assert!(response.excerpt.chars().count() <= EXCERPT_CHARS_MAX);
        assert!(response.headers.len() <= 32);
    }
    sent
}

#[tokio::test]
async fn every_play_ends_in_time_with_an_outcome_that_names_it() {
    let plays = [
        (Play::NeverReads, Outcome::TimedOut),
        (Play::NeverAnswers, Outcome::TimedOut),
        (Play::HeadByBytes(100), Outcome::TimedOut),
        (Play::BodyByBytes(100), Outcome::Accepted),
        (Play::EndlessContinue, Outcome::TimedOut),
        (Play::Gibberish, Outcome::Unreachable),
        (Play::StatusLineOnly, Outcome::Unreachable),
        (Play::ResetAtOnce, Outcome::Unreachable),
        (Play::ResetAfterRequest, Outcome::Unreachable),
        (Play::ResetInHead, Outcome::Unreachable),
        (Play::ResetInBody, Outcome::Accepted),
        (Play::ShortBody, Outcome::Accepted),
        (Play::BrokenChunks, Outcome::Accepted),
        (Play::FalseGzip, Outcome::Accepted),
    ];
    for (play, outcome) in plays {
        let sent = attempt(rogue(play).await).await;
        assert_eq!(sent.outcome, outcome, "{play:?}: {:?}", sent.detail);
        assert_eq!(sent.response.is_none(), sent.detail.is_some(), "{play:?} says why");
    }
}

#[tokio::test]
async fn what_never_ends_is_cut_and_memory_stays_bounded() {
    for (play, outcome) in [
        // Its head was whole.
        (Play::EndlessBody, Outcome::Accepted),
        (Play::EndlessHeaders, Outcome::Unreachable),
        (Play::EndlessHeader, Outcome::Unreachable),
    ] {
        let (address, taken) = counting_rogue(play).await;
        let sent = attempt(address).await;
        assert_eq!(sent.outcome, outcome, "{play:?}: {:?}", sent.detail);
        // The sockets' own buffers take some megabytes before anybody reads.
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < 16 * 1_024 * 1_024, "{play:?}: {taken} bytes were taken");
    }
}

#[tokio::test]
async fn a_redirect_to_loopback_is_not_followed() {
    let inner = Sink::start(Vec::new()).await;
    let location: &'static str = inner.url("/secret").leak();
    let sink = Sink::start(vec![SinkAnswer::Status(302, vec![("location", location)], "")]).await;
    assert_eq!(attempt(sink.address).await.outcome, Outcome::Rejected);
    assert!(inner.requests().is_empty());
}

#[tokio::test]
async fn plain_text_on_a_tls_port_and_tls_on_a_plain_one_are_unreachable() {
    let sink = Sink::start(Vec::new()).await;
    let sent = sender().send(request(&format!("https://{}/", sink.address))).await.unwrap();
    assert_eq!(sent.outcome, Outcome::Unreachable, "{:?}", sent.detail);
    assert!(sink.requests().is_empty());
    let (tls, _) = tls_sink().await;
    let sent = attempt(tls.address).await;
    assert_eq!(sent.outcome, Outcome::Unreachable, "{:?}", sent.detail);
}

#[tokio::test]
async fn literal_addresses_are_refused_without_a_connection() {
    for url in [
        "http://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://167772161/",
        "https://0x0a.1/",
        "https://169.254.169.254/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::a00:1]/",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    ] {
        let sent = sender().send(request(url)).await.unwrap();
        assert_eq!(sent.outcome, Outcome::Blocked, "{url}: {:?}", sent.detail);
    }
}

/// A sink with a certificate for the names of these tests.
async fn tls_sink() -> (Sink, CertificateDer<'static>) {
    let names = ["private.test", "mixed.test", "rebinding.test", "well.test"];
    let (tls, certificate) = self_signed(&names);
    (Sink::start_tls(Vec::new(), tls).await, certificate.der().clone())
}

/// Loopback stands for the public internet here; ten-dot for what must not be reached.
fn look_up() -> LookUp {
    let asked = Arc::new(AtomicUsize::new(0));
    Arc::new(move |name| {
        let (public, private) = ("127.0.0.1:0", "10.0.0.1:0");
        let again = name == "rebinding.test" && asked.fetch_add(1, Ordering::Relaxed) > 0;
        let found = match name.as_str() {
            "private.test" => vec![private],
            "mixed.test" => vec![public, private],
            _ if again => vec![private],
            _ => vec![public],
        };
        let found = found.into_iter().map(|address| address.parse().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    })
}

#[tokio::test]
async fn a_name_that_leads_to_where_we_listen_is_not_sent_to() {
    let (own_sink, certificate) = tls_sink().await;
    let own = OwnAddresses { listens: vec![own_sink.address], ..OwnAddresses::default() };
    let rules = Arc::new(AddressRules { own, runtime_api: None, ..AddressRules::clone(&rules()) });
    let roots = vec![certificate];
    let sender = HttpSender::with_resolver(rules, Connections::Fresh, roots, look_up()).unwrap();
    let (other_sink, _) = tls_sink().await;
    let url = |sink: &Sink| format!("https://well.test:{}/", sink.address.port());
    let sent = sender.send(request(&url(&own_sink))).await.unwrap();
    let detail = sent.detail.unwrap();
    assert_eq!(
        (sent.outcome, detail.as_str()),
        (Outcome::Blocked, "the URL leads back to Waxseal itself")
    );
    assert!(own_sink.requests().is_empty(), "nothing was sent");
    // Of another port of this machine nothing is known: it is connected to, and trusts no certificate of ours here.
    let sent = sender.send(request(&url(&other_sink))).await.unwrap();
    assert_eq!(sent.outcome, Outcome::Unreachable);
}

#[tokio::test]
async fn names_that_lead_to_private_addresses_are_refused_each_time() {
    let (sink, certificate) = tls_sink().await;
    let rules = Arc::new(AddressRules { runtime_api: None, ..AddressRules::clone(&rules()) });
    let sender =
        HttpSender::with_resolver(rules, Connections::Fresh, vec![certificate], look_up()).unwrap();
    let port = sink.address.port();
    let mut outcomes = Vec::new();
    for name in ["well", "private", "mixed", "rebinding", "rebinding"] {
        let url = format!("https://{name}.test:{port}/");
        outcomes.push(sender.send(request(&url)).await.unwrap().outcome);
    }
    let (accepted, blocked) = (Outcome::Accepted, Outcome::Blocked);
    assert_eq!(outcomes, [accepted, blocked, blocked, accepted, blocked]);
    assert_eq!(sink.requests().len(), 2);
}

/// A resolver by a rule: none where a name has no answer at all.
fn look_up_by(rule: fn(&str) -> Option<std::io::Result<&'static str>>) -> LookUp {
    Arc::new(move |name| {
        let found = rule(&name);
        Box::pin(async move {
            match found {
                Some(found) => found.map(|address| vec![address.parse().unwrap()]),
                None => std::future::pending().await,
            }
        })
    })
}

async fn send_by(
    rule: fn(&str) -> Option<std::io::Result<&'static str>>,
) -> Result<SendResult, EngineError> {
    let look_up = look_up_by(rule);
    let sender = HttpSender::with_resolver(rules(), Connections::Kept, Vec::new(), look_up);
    sender.unwrap().send(request("https://receiver.test:8443/")).await
}

fn for_now() -> std::io::Result<&'static str> {
    Err(std::io::Error::other("Temporary failure in name resolution"))
}

#[tokio::test]
async fn a_name_server_that_is_down_is_our_failure_and_no_outcome() {
    for silent in [send_by(|_| None).await, send_by(|_| Some(for_now())).await] {
        assert_eq!(silent.unwrap_err().kind(), FailureKind::Shortage);
    }
    // Another name is answered: so the receiver's own name servers are at fault.
    let unanswered = send_by(|name| (name != "receiver.test").then_some(Ok("127.0.0.1:0"))).await;
    assert_eq!(unanswered.unwrap().outcome, Outcome::TimedOut);
    let failing = send_by(|name| match name {
        "test." => Some(Err(std::io::Error::other("Name or service not known"))),
        _ => Some(for_now()),
    });
    assert_eq!(failing.await.unwrap().outcome, Outcome::Unreachable);
}

#[tokio::test]
async fn a_shortage_of_handles_is_our_failure_and_no_outcome() {
    let short = send_by(|_| Some(Err(std::io::Error::from_raw_os_error(24)))).await;
    let error = short.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Shortage);
    assert_eq!(error.to_string(), "send failed: short of file handles");
}
