//! Receives hooks: a request whose signature verifies becomes an event of its source's tenant.
//!
//! Nothing of the signature that was expected is logged or returned.

use std::collections::BTreeMap;

use waxseal_domain::event::Submission;
use waxseal_domain::event::acceptance::Acceptance;
use waxseal_domain::event::hops::Hops;
use waxseal_domain::flow_control::rate::{Rate, of_source};
use waxseal_domain::id::{SourceName, TenantName};
use waxseal_domain::limits::{EVENT_BYTES_MAX, READ_BYTES_IN_PLACE, SOURCE_COPY_S};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Hook, Profile};
use waxseal_domain::secret::SecretContext;
use waxseal_domain::source::{HookPath, Source};
use waxseal_verify::{Key, Window};

use crate::accept::accept_all;
use crate::ports::{
    Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _, MaxAge, WorkOwner,
};
use crate::profiles::require_profile;
use crate::refusal::Refusal;
use crate::send::read_key;
use crate::throttle::{Turn, take_turn};

/// A signed request that has come in, over HTTP or otherwise, not yet verified.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Holds the headers that are text, by their lower-case names.
    pub headers: BTreeMap<String, String>,
    /// Holds the body byte for byte as it came, since the signature covers these bytes.
    pub body: Vec<u8>,
    /// How many of Waxseal's deliveries lie behind it, as it says; nobody has signed that.
    pub hops: Hops,
}

/// What a verified hook turned out to be.
#[derive(Debug)]
pub enum HookResult {
    /// The hook was an event, which is accepted.
    Event(Acceptance),
    /// The hook was a question that its sender asks before the first event; this is the answer to
    /// send back.
    Challenge(String),
}

/// Verifies a hook of the source to which a path leads, and has it accepted as an event of the source's tenant. A question
/// is answered instead, and a hook that came before is acknowledged as a duplicate.
pub async fn receive<E: Engine>(
    engine: &E,
    path: HookPath<'_>,
    incoming: Incoming,
) -> Result<HookResult, Refusal> {
    let source = find(engine, path).await?.ok_or_else(Problem::not_found)?;
    if incoming.body.len() > EVENT_BYTES_MAX {
        return Err(Problem::too_large("a hook", EVENT_BYTES_MAX).into());
    }
    let profile = require_profile(engine, &source.profile).await?;
    let keys = keys(engine, &source, &profile).await?;
    let now_s = engine.clock().now().seconds();
    let window = Window { now_s, tolerance_s: source.tolerance_s };
    let max_per_second = source.max_per_second();
    let whose = of_source(&source.tenant, &source.name);
    let (tenant, bytes, hops) = (source.tenant.clone(), incoming.body.len(), incoming.hops);
    let owner = WorkOwner::Source(tenant.clone(), source.name.clone());
    let work = move || read(&source, &profile, &keys, window, &incoming);
    // Nobody knows yet who sent it, and a profile may sign JSON, which is parsed first.
    let read = match bytes {
        0..=READ_BYTES_IN_PLACE => work(),
        _ => engine.work(&owner, bytes, work).await?,
    };
    let submission = match read? {
        Read::Event(submission) => Submission { hops, ..submission },
        Read::Challenge(answer) => return Ok(HookResult::Challenge(answer)),
    };
    // Only of what verifies: a stranger without the secret uses nothing up.
    let rate = Rate::per_second(max_per_second);
    if let Turn::Over { wait_s, .. } = take_turn(engine, &whose, rate).await? {
        return Err(Problem::too_many("source", max_per_second, wait_s).into());
    }
    let mut results = accept_all(engine, &tenant, &[submission]).await?;
    let result = results.pop().unwrap_or_else(|| Err(Problem::not_found().into()));
    result.map(HookResult::Event)
}

/// What a verified hook says, before anything is stored.
enum Read {
    Event(Submission),
    Challenge(String),
}

/// Verifies a hook, and reads it as its profile says.
fn read(
    source: &Source,
    profile: &Profile,
    keys: &[Key],
    window: Window,
    incoming: &Incoming,
) -> Result<Read, Problem> {
    let body = incoming.body.as_slice();
    let header = |name: &str| incoming.headers.get(name).map(String::as_str);
    let verified = profile.dialect.verify(header, body, keys, window).map_err(|fault| {
        let (tenant, name) = (&source.tenant, &source.name);
        tracing::warn!(%tenant, source = %name, %fault, "a hook was refused");
        Problem::unverified(fault.to_string())
    })?;
    let hook = Hook { id: verified.id.as_deref(), header: &header, body };
    if let Some(answer) = profile.reading.challenge(&hook) {
        return Ok(Read::Challenge(answer));
    }
    let submission = profile.reading.submission(&format!("/hooks/{}", source.name), &hook);
    submission.map(Read::Event).map_err(|fault| {
        let detail = format!("the hook is not what {} says: {}", source.profile, fault.detail);
        Problem::bad_request(detail)
    })
}

/// Finds the source to which a path leads. A name that can be none leads nowhere.
async fn find<E: Engine>(engine: &E, path: HookPath<'_>) -> Result<Option<Source>, EngineError> {
    let Ok(name) = path.source.parse::<SourceName>() else { return Ok(None) };
    let max_age = MaxAge::seconds(SOURCE_COPY_S);
    match path.tenant.map(str::parse::<TenantName>) {
        None => engine.store().source_by_short_path(&name, max_age).await,
        Some(Ok(tenant)) => engine.store().source(&tenant, &name, max_age).await,
        Some(Err(_)) => Ok(None),
    }
}

async fn keys<E: Engine>(
    engine: &E,
    source: &Source,
    profile: &Profile,
) -> Result<Vec<Key>, EngineError> {
    let context = SecretContext::source(&source.tenant, &source.name);
    let now = engine.clock().now();
    let mut keys = Vec::new();
    for sealed in source.secrets.iter().filter(|secret| secret.is_live(now)) {
        let secret = engine.key_vault().open(&context, &sealed.sealed).await?;
        keys.push(read_key(profile, &secret)?);
    }
    Ok(keys)
}
