//! Endpoints, events and engines as tests need them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use waxseal_adapters::clock::MovableClock;
use waxseal_adapters::embedded::{EmbeddedEngine, Options};
use waxseal_domain::audit::Entry;
use waxseal_domain::delivery::DeliveryKey;
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Event, Form, Submission};
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::flow_control::tenant_bounds::TenantBounds;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::notice::operator_tenant;
use waxseal_domain::profile::STANDARD;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    Change, Clock as _, ConfigStore as _, Engine, EventRow, KeyVault as _, MaxAge, Tenant,
};

/// A secret that third parties' packages know as well.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Another, and a third.
pub const OTHER_SECRETS: [&str; 2] = [
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
];

/// RFC 8032, section 7.1, tests 1 to 3: private keys of ed25519.
pub const ED25519_SECRETS: [&str; 3] = [
    "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
    "whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=",
    "whsk_xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc=",
];

/// The public keys of those secrets, in the same order.
pub const ED25519_PUBLIC: [&str; 3] = [
    "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
    "whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
];

/// A system's sample events, of `infra/events`: an array, as it is written.
pub fn sample_events(system: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/events");
    std::fs::read_to_string(folder.join(format!("{system}.json"))).unwrap()
}

/// Waits: tests look at processes and servers from outside.
#[expect(clippy::disallowed_methods, reason = "tests look from outside")]
pub async fn nap(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// An embedded engine on a folder, loopback allowed.
pub fn engine(folder: &Path) -> Arc<EmbeddedEngine> {
    let address_rules = AddressRules { allow_loopback: true, ..AddressRules::default() };
    let options = Options {
        folder: folder.to_owned(),
        operator_key: Some("operator".to_owned()),
        address_rules,
        clock: MovableClock::default(),
        extra_roots: Vec::new(),
        attempts_per_endpoint: 0,
        breaker: BreakerSettings::default(),
        tenant_bounds: TenantBounds::default(),
        public_url: Some("https://hooks.example".parse().unwrap()),
    };
    Arc::new(EmbeddedEngine::open(options).unwrap())
}

/// Parses the name of a tenant.
pub fn tenant(name: &str) -> TenantName {
    name.parse().unwrap()
}

/// An endpoint at a URL, of a tenant that is made if there is none, wanting everything.
pub async fn endpoint<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    url: &str,
    delays_s: &[u64],
) -> Endpoint {
    let now = engine.clock().now();
    let made = Tenant { name: tenant.clone(), created_at: now };
    change(engine, Change::CreateTenant(&made)).await;
    let id = EndpointId::from_entropy(engine.entropy());
    let context = SecretContext::endpoint(tenant, &id);
    let secret = Secret::new(SECRET.as_bytes().to_vec());
    let sealed = engine.key_vault().seal(&context, &secret).await.unwrap();
    let endpoint = Endpoint {
        url: url.to_owned(),
        secrets: vec![SealedSecret { sealed, created_at: now, until: None, public_key: None }],
        retry: Some(RetryPolicy::of_delays(delays_s, "").unwrap()),
        timeout_ms: Some(1_000),
        ..Endpoint::new(id, tenant.clone(), STANDARD.to_owned(), now)
    };
    add(engine, &endpoint).await;
    endpoint
}

/// Adds an endpoint to its tenant.
pub async fn add<E: Engine>(engine: &E, endpoint: &Endpoint) {
    let tenant_endpoints =
        engine.store().endpoints(&endpoint.tenant, MaxAge::NOW).await.unwrap().unwrap_or_default();
    assert!(change(engine, Change::AddEndpoint(endpoint, tenant_endpoints.version)).await);
}

/// Makes a change, with an entry of no interest; false where what is stored stands in the way.
pub async fn change<E: Engine>(engine: &E, change: Change<'_>) -> bool {
    let tenant = change.tenant().cloned().unwrap_or_else(operator_tenant);
    let entry = Entry::new(engine.stamp(), &tenant, "operator", "test.changed", "fixture");
    engine.store().change(change, &entry).await.unwrap()
}

/// Makes a submission in the plain form.
pub fn submission(text: &str) -> Submission {
    Submission {
        text: text.to_owned(),
        form: Form::Plain,
        fallback_id: None,
        hops: Hops::default(),
    }
}

/// An event's row, owed to these endpoints.
pub fn event_row(
    tenant: &TenantName,
    id: &str,
    event_accepted_at: Timestamp,
    targets: Vec<EndpointId>,
) -> EventRow {
    let text = format!(r#"{{"type":"t.a","id":"{id}","source":"s","data":{{"n":1.0}}}}"#);
    let accepted = Event::accept(tenant, &submission(&text), event_accepted_at, 1).unwrap();
    let (event, digest) = (accepted.event, accepted.digest);
    EventRow {
        event,
        event_accepted_at,
        digest,
        targets,
        nonce: format!("nonce-{id}"),
        sent: false,
    }
}

/// Makes the key of a delivery from the parts of it.
pub fn key(tenant: &TenantName, event: &str, endpoint: &str) -> DeliveryKey {
    DeliveryKey {
        tenant: tenant.clone(),
        event: event.parse().unwrap(),
        endpoint: endpoint.parse().unwrap(),
    }
}
