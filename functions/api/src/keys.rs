//! API keys of a tenant: shown once, stored hashed.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_domain::api_key::{ApiKey, Principal, Right, Scope, hash_of};
use waxseal_domain::id::{ApiKeyId, base32};
use waxseal_domain::json::{Fault, Json};
use waxseal_domain::limits::{KEYS_PER_TENANT_MAX, MAX_PER_SECOND, NAME_CHARS_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Change, Clock as _, ConfigStore as _, Engine};

use crate::body::{Body, describe};
use crate::{Answer, Call, List, Told, told};

/// An API key; the key itself only when it is made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(crate) struct KeyView {
    id: String,
    name: Option<String>,
    scopes: Vec<Scope>,
    /// Requests a second that it may make, on average over ten seconds.
    max_per_second: u32,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// To the minute; null where it was not used yet.
    #[schemars(extend("format" = "date-time"))]
    last_used_at: Option<String>,
    /// The key: shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// What a key is, and what it may do.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Identity {
    /// What the audit log calls it.
    actor: String,
    /// Whether it is the operator's.
    operator: bool,
    /// Whose it is; null for the operator's.
    tenant: Option<String>,
    scopes: Vec<Scope>,
    /// Requests a second that it may make; null where there is no bound.
    max_per_second: Option<u32>,
}

impl KeyView {
    fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            scopes: key.scopes.clone(),
            max_per_second: key.max_per_second(),
            created_at: key.created_at.rfc3339(),
            last_used_at: None,
            key: None,
        }
    }
}

/// What of a new key a body says.
struct Wanted {
    name: Option<String>,
    scopes: Vec<Scope>,
    max_per_second: Option<u32>,
}

/// What a new key looks like.
pub(crate) fn body() -> Value {
    describe(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> Wanted {
    let per_second = u64::from(*MAX_PER_SECOND.start())..=u64::from(*MAX_PER_SECOND.end());
    let max_per_second = body.whole("max_per_second", per_second).value();
    Wanted {
        name: body.text("name", NAME_CHARS_MAX).value(),
        scopes: read_scopes(body),
        max_per_second: max_per_second.and_then(|max| u32::try_from(max).ok()),
    }
}

/// Both scopes where none are said.
fn read_scopes(body: &mut Body<'_>) -> Vec<Scope> {
    let schema = || {
        json!({
            "type": ["array", "null"], "minItems": 1, "maxItems": 2,
            "items": {"type": "string", "enum": ["ingest", "manage"]},
            "description": "Both, if not said",
        })
    };
    let value = body.member("scopes", schema).filter(|value| *value != Json::Null);
    let Some(value) = value else { return vec![Scope::Ingest, Scope::Manage] };
    let items = value.as_array().filter(|items| items.len() <= 2).unwrap_or_default();
    let mut scopes = Vec::new();
    for item in items {
        match item.as_str() {
            Some("ingest") => scopes.push(Scope::Ingest),
            Some("manage") => scopes.push(Scope::Manage),
            _ => {}
        }
    }
    if scopes.is_empty() || scopes.len() != items.len() {
        body.fault("scopes", "must be an array of ingest, manage, or both");
    }
    scopes
}

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let keys = call.engine.store().api_keys(call.tenant).await?;
    let ids: Vec<ApiKeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let uses = call.engine.store().key_uses(&ids).await?;
    let view = |key: &ApiKey| {
        let last_used_at = uses.get(&key.id).copied().map(Timestamp::rfc3339);
        KeyView { last_used_at, ..KeyView::of(key) }
    };
    Ok(http::json(200, &List { items: keys.iter().map(view).collect(), cursor: None }))
}

pub(crate) async fn create<E: Engine>(call: Call<'_, E>) -> Answer {
    let engine = call.engine;
    let mut body = Body::read(call.request)?;
    let Wanted { name, scopes, max_per_second } = read(&mut body);
    body.finish()?;
    if engine.store().api_keys(call.tenant).await?.len() >= KEYS_PER_TENANT_MAX {
        let detail = format!("the tenant has {KEYS_PER_TENANT_MAX} API keys, its limit");
        return Err(Problem::unprocessable(vec![Fault::new("", &detail)]).into());
    }
    let text = format!("wxs_{}{}", base32(engine.entropy()), base32(engine.entropy()));
    let key = ApiKey {
        id: ApiKeyId::from_entropy(engine.entropy()),
        tenant: call.tenant.clone(),
        scopes,
        hash: hash_of(&text),
        name,
        max_per_second,
        created_at: engine.clock().now(),
    };
    let view = KeyView::of(&key);
    let (target, after) = (key.id.as_str(), told(&view));
    let told = Told { action: "api_key.created", target, before: None, after };
    if !call.change(Change::AddApiKey(&key), told).await? {
        return Err(Problem::conflict("the key's new id is taken: try again").into());
    }
    Ok(http::json(201, &KeyView { key: Some(text), ..view }))
}

pub(crate) async fn delete<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let id: ApiKeyId = id.parse().map_err(|_| Problem::not_found())?;
    let keys = call.engine.store().api_keys(call.tenant).await?;
    let key = keys.iter().find(|key| key.id == id).ok_or_else(Problem::not_found)?;
    let before = told(&KeyView::of(key));
    let told = Told { action: "api_key.revoked", target: id.as_str(), before, after: None };
    let removed = call.change(Change::RemoveApiKey(key), told).await?;
    removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
}

/// `GET /v1/whoami`.
pub(crate) fn who_am_i(principal: Option<Principal>) -> Answer {
    let Principal { actor, right, max_per_second } = principal.ok_or_else(Problem::unauthorized)?;
    let (operator, tenant, scopes) = match right {
        Right::Operator => (true, None, vec![Scope::Ingest, Scope::Manage]),
        Right::Tenant(tenant, scopes) => (false, Some(tenant.to_string()), scopes),
    };
    Ok(http::json(200, &Identity { actor, operator, tenant, scopes, max_per_second }))
}
