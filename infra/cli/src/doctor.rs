//! `doctor`: checks a deployment from outside, as its user sees it, and says what to do.

use console::style;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use waxseal_adapters::client::Answer;
use waxseal_adapters::clock::SystemClock;
use waxseal_api_types::endpoint::{Breaker, Health};
use waxseal_api_types::{CheckStatus, Endpoint, KeySet, List, Profile, Status};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;

use super::context::{Connection, FoundServer, LocalServer, Origin, escape, read};
use super::failure::{CommandResult, Failure};
use super::login::{Powers, ask_powers};
use super::output::{plain, print, print_json_text, show_lines};
use super::page::with_query;
use crate::client::{Call, Client};

/// Seconds by which clocks may differ: receivers allow five minutes, and a minute is a warning.
const CLOCK_WARN_S: u64 = 60;
const CLOCK_FAIL_S: u64 = 300;
/// Endpoints whose breakers are asked for, one by one.
const BREAKERS_MAX: usize = 50;
/// Pages of endpoints: a tenant has fewer.
const PAGES_MAX: usize = 20;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Ok,
    Warn,
    Fail,
    /// The check could not be made, as without the rights for it.
    Skipped,
}

/// What was looked at, what was found, and what to do.
struct Finding {
    name: String,
    mark: Mark,
    detail: String,
    hint: &'static str,
}

impl Finding {
    fn new(mark: Mark, name: &str, detail: impl Into<String>, hint: &'static str) -> Self {
        Self { name: name.to_owned(), mark, detail: detail.into(), hint }
    }

    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self::new(Mark::Ok, name, detail, "")
    }

    fn of_failure(name: &str, failure: &Failure, hint: &'static str) -> Self {
        Self::new(Mark::Fail, name, failure.text(), hint)
    }

    fn word(&self) -> &'static str {
        match self.mark {
            Mark::Ok => "ok",
            Mark::Warn => "warn",
            Mark::Fail => "fail",
            Mark::Skipped => "skipped",
        }
    }

    fn json(&self) -> Value {
        json!({"name": self.name, "status": self.word(), "detail": self.detail, "hint": self.hint})
    }

    fn line(&self) -> String {
        let mark = match self.mark {
            Mark::Ok => style("✓").green(),
            Mark::Warn => style("!").yellow(),
            Mark::Fail => style("✗").red(),
            Mark::Skipped => style("–").dim(),
        };
        let hint = if self.mark == Mark::Ok || self.hint.is_empty() {
            String::new()
        } else {
            format!("\n  → {}", self.hint)
        };
        format!("{mark} {}: {}{hint}", self.name, show_lines(&self.detail))
    }
}

/// Checks everything; `Failure::Said` where something fails.
pub(crate) async fn run(connection: &Connection, local: &LocalServer) -> CommandResult {
    let checks = run_checks(connection, local).await;
    if connection.is_json() {
        let all: Vec<Value> = checks.iter().map(Finding::json).collect();
        print_json_text(&json!({ "checks": all }).to_string())?;
    } else {
        print(&checks.iter().map(Finding::line).collect::<Vec<_>>().join("\n"))?;
    }
    let fails = checks.iter().any(|check| check.mark == Mark::Fail);
    if fails { Err(Failure::Said) } else { Ok(()) }
}

/// Makes each check that makes sense after those before it.
async fn run_checks(connection: &Connection, local: &LocalServer) -> Vec<Finding> {
    let found = match connection.find(local) {
        Ok(Some(found)) => found,
        Ok(None) => {
            let hint = "waxseal login --url https://… , or start a server here: waxseal";
            return vec![Finding::new(Mark::Fail, "configuration", "no server is known", hint)];
        }
        Err(failure) => {
            return vec![Finding::of_failure(
                "configuration",
                &failure,
                "waxseal logout, then waxseal login",
            )];
        }
    };
    let mut checks = vec![check_configuration(&found)];
    let client = match connection.client(&found.url, found.key.as_deref().unwrap_or_default()) {
        Ok(client) => client,
        Err(failure) => {
            checks.push(Finding::of_failure("server", &failure, "see --url, --key and --ca-file"));
            return checks;
        }
    };
    let Some(health) = reach(&client, &found.url, &mut checks).await else { return checks };
    checks.push(check_clock(&health));
    let profiles = get::<List<Profile>>(&client, "/v1/profiles").await;
    checks.push(check_list("profiles", profiles.map(|list| list.items.len())));
    let keys = get::<KeySet>(&client, "/.well-known/webhook-keys").await;
    checks.push(check_list("webhook-keys", keys.map(|set| set.keys.len())));
    let Some(powers) = check_key(&client, &found, &mut checks).await else { return checks };
    if let Some(tenant) = found.tenant.as_deref().or(powers.tenant()) {
        check_endpoints(&client, tenant, &powers, &mut checks).await;
    } else {
        let hint = "--tenant, or waxseal login --tenant …";
        checks.push(Finding::new(
            Mark::Warn,
            "endpoints",
            "not looked at: no tenant was said",
            hint,
        ));
    }
    if powers == Powers::Operator {
        take_server_checks(&client, &mut checks).await;
    }
    checks
}

fn check_configuration(found: &FoundServer) -> Finding {
    let tenant = found.tenant.as_deref().map(|name| format!(", tenant {name}")).unwrap_or_default();
    let origin = match &found.origin {
        Origin::Given => "flags or environment".to_owned(),
        Origin::Login(path) | Origin::Embedded(path) => path.display().to_string(),
    };
    Finding::ok("configuration", format!("{}{tenant}, from {origin}", found.url))
}

/// Connects, and asks for its health.
async fn reach(client: &Client, url: &str, checks: &mut Vec<Finding>) -> Option<Answer> {
    let answer = match client.send(&Call::get("/healthz")).await {
        Ok(answer) => answer,
        Err(fault) => {
            let said = fault.to_string();
            let hint = if said.contains("TLS") {
                "is the certificate good for this host? A company's own authority: WAXSEAL_CA_FILE"
            } else {
                "is the server up, and the URL its own?"
            };
            checks.push(Finding::new(Mark::Fail, "reachable", said, hint));
            return None;
        }
    };
    let how = if url.starts_with("https:") { "over TLS" } else { "without TLS" };
    let is_plain = how == "without TLS" && !is_local(url);
    let mark = if is_plain { Mark::Warn } else { Mark::Ok };
    checks.push(Finding::new(mark, "reachable", how, "the key travels in the clear: use https"));
    let (finding, is_waxseal) = check_health(&answer);
    checks.push(finding);
    is_waxseal.then_some(answer)
}

/// What `/healthz` says, and whether it is a Waxseal that says it: one that is not well tells more of itself.
fn check_health(answer: &Answer) -> (Finding, bool) {
    match answer.status {
        200 => (Finding::ok("healthy", "/healthz answers 200"), true),
        503 => {
            let detail = format!("/healthz answers 503: {}", plain(Failure::of(answer).text()));
            let hint = "see the server's own checks, with the operator's key, and its log";
            (Finding::new(Mark::Fail, "healthy", detail, hint), true)
        }
        status => {
            let detail = format!("/healthz answers {status}");
            let hint = "is the URL that of Waxseal, without a path of its own?";
            (Finding::new(Mark::Fail, "healthy", detail, hint), false)
        }
    }
}

fn is_local(url: &str) -> bool {
    let url: Option<http::Uri> = url.parse().ok();
    let host = url.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn check_clock(health: &Answer) -> Finding {
    let theirs = health.header("date").and_then(Timestamp::parse_http_date);
    let Some(theirs) = theirs else {
        return Finding::new(
            Mark::Warn,
            "clock",
            "the server's answer has no Date",
            "compare the clocks by hand",
        );
    };
    let ours = SystemClock.now();
    let apart_s = ours.since_ms(theirs).max(theirs.since_ms(ours)) / 1_000;
    let mark = match apart_s {
        0..CLOCK_WARN_S => Mark::Ok,
        CLOCK_WARN_S..CLOCK_FAIL_S => Mark::Warn,
        _ => Mark::Fail,
    };
    Finding::new(
        mark,
        "clock",
        format!("{apart_s} s apart"),
        "set this machine's clock: receivers refuse what is old",
    )
}

/// Counts what a list holds that needs no key.
fn check_list(name: &str, length: Result<usize, Failure>) -> Finding {
    match length {
        Ok(length) => Finding::ok(name, format!("{length} of them")),
        Err(failure) => Finding::of_failure(name, &failure, "look into the server's log"),
    }
}

async fn get<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T, Failure> {
    let answer = client.send(&Call::get(path)).await?;
    if answer.status == 200 { read(&answer) } else { Err(Failure::of(&answer)) }
}

async fn check_key(
    client: &Client,
    found: &FoundServer,
    checks: &mut Vec<Finding>,
) -> Option<Powers> {
    if found.key.is_none() {
        checks.push(Finding::new(
            Mark::Fail,
            "key",
            "there is none",
            "waxseal login, or WAXSEAL_KEY",
        ));
        return None;
    }
    match ask_powers(client, found.tenant.as_deref()).await {
        Ok(powers) => {
            checks.push(Finding::ok("key", powers.words()));
            Some(powers)
        }
        Err(failure) => {
            let hint = "waxseal login with a key of this server, and its tenant";
            checks.push(Finding::of_failure("key", &failure, hint));
            None
        }
    }
}

async fn check_endpoints(
    client: &Client,
    tenant: &str,
    powers: &Powers,
    checks: &mut Vec<Finding>,
) {
    if !powers.may_manage() {
        let hint = "a key with the scope manage shows them";
        checks.push(Finding::new(Mark::Warn, "endpoints", "not shown to this key", hint));
        return;
    }
    let path = format!("/v1/tenants/{}/endpoints", escape(tenant));
    let endpoints = match list_all(client, &path).await {
        Ok(endpoints) => endpoints,
        Err(Failure::NotFound(_)) => {
            let hint = "it is made with its first endpoint: waxseal endpoints create";
            let detail = format!("there is no tenant {tenant}");
            checks.push(Finding::new(Mark::Warn, "endpoints", detail, hint));
            return;
        }
        Err(failure) => {
            checks.push(Finding::of_failure("endpoints", &failure, "look into the server's log"));
            return;
        }
    };
    let hint = "nothing is sent yet: waxseal endpoints create";
    let mark = if endpoints.is_empty() { Mark::Warn } else { Mark::Ok };
    checks.push(Finding::new(mark, "endpoints", format!("{} of them", endpoints.len()), hint));
    let unverified = ids_of(endpoints.iter().filter(|one| one.health == Health::Unverified));
    let hint = "no test or delivery was accepted yet: waxseal test …";
    checks.extend(warn_of("unverified", &unverified, hint));
    let disabled = ids_of(endpoints.iter().filter(|one| !one.enabled));
    checks.extend(warn_of(
        "disabled",
        &disabled,
        "waxseal endpoints enable …, then waxseal recover … --since …",
    ));
    let hint = "they fail, and are probed until they are well: waxseal endpoints failures …";
    checks.extend(warn_of("breaker open", &find_broken(client, &path, &endpoints).await, hint));
}

/// A warning that names them; nothing where there are none.
fn warn_of(name: &str, ids: &[String], hint: &'static str) -> Option<Finding> {
    (!ids.is_empty()).then(|| Finding::new(Mark::Warn, name, ids.join(", "), hint))
}

fn ids_of<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> Vec<String> {
    endpoints.map(|endpoint| plain(&endpoint.id)).collect()
}

/// Finds those whose breaker is open: only an endpoint by itself shows it.
async fn find_broken(client: &Client, path: &str, endpoints: &[Endpoint]) -> Vec<String> {
    let mut broken = Vec::new();
    for id in ids_of(endpoints.iter()).into_iter().take(BREAKERS_MAX) {
        let found = get::<Endpoint>(client, &format!("{path}/{}", escape(&id))).await;
        if found.is_ok_and(|endpoint| endpoint.breaker == Some(Breaker::Open)) {
            broken.push(id);
        }
    }
    broken
}

async fn list_all(client: &Client, path: &str) -> Result<Vec<Endpoint>, Failure> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page_path = with_query(path, Some(200), cursor.as_deref());
        let page: List<Endpoint> = get(client, &page_path).await?;
        all.extend(page.items);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(all)
}

/// Takes over what the server says of its own parts; not every server does.
async fn take_server_checks(client: &Client, checks: &mut Vec<Finding>) {
    let status: Status = match get(client, "/v1/status").await {
        Ok(status) => status,
        Err(Failure::NotFound(_)) => {
            checks.push(Finding::new(
                Mark::Skipped,
                "server's own checks",
                "not told by this server",
                "",
            ));
            return;
        }
        Err(failure) => {
            let hint = "look into the server's log";
            checks.push(Finding::of_failure("server's own checks", &failure, hint));
            return;
        }
    };
    for check in status.checks {
        let mark = match check.status {
            CheckStatus::Ok => Mark::Ok,
            CheckStatus::Warn => Mark::Warn,
            CheckStatus::Fail => Mark::Fail,
        };
        // This machine's clock has been compared by that name.
        let name = if check.name == "clock" { "server's clock" } else { &check.name };
        checks.push(Finding::new(mark, &plain(name), plain(&check.detail), ""));
    }
}
