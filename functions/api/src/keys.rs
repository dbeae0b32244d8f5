//! API keys of a tenant: shown once, stored hashed.

use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::api_key::{ApiKey, Scope, hash_of};
use waxseal_domain::id::{ApiKeyId, base32};
use waxseal_domain::json::Json;
use waxseal_domain::limits::NAME_CHARS_MAX;
use waxseal_domain::ports::{Clock as _, ConfigStore as _, Engine};
use waxseal_domain::problem::Problem;

use crate::body::Body;
use crate::{Answer, Call, List};

#[derive(Serialize)]
struct KeyView<'a> {
    id: &'a str,
    name: Option<&'a str>,
    scopes: &'a [Scope],
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> KeyView<'a> {
    fn of(key: &'a ApiKey, shown: Option<&'a str>) -> Self {
        Self {
            id: key.id.as_str(),
            name: key.name.as_deref(),
            scopes: &key.scopes,
            created_at: key.created_at.rfc3339(),
            key: shown,
        }
    }
}

/// `GET`, `POST …/keys` and `DELETE …/keys/{id}`.
pub(crate) async fn answer<E: Engine>(call: Call<'_, E>, method: &str, path: &[&str]) -> Answer {
    match (method, path) {
        ("GET", []) => {
            let keys = call.engine.store().api_keys(call.tenant).await?;
            let items: Vec<_> = keys.iter().map(|key| KeyView::of(key, None)).collect();
            Ok(http::json(200, &List { items, cursor: None }))
        }
        ("POST", []) => create(call).await,
        ("DELETE", [id]) => {
            let id: ApiKeyId = id.parse().map_err(|_| Problem::not_found())?;
            let removed = call.engine.store().delete_api_key(call.tenant, &id).await?;
            removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
        }
        (_, [] | [_]) => Err(Problem::method_not_allowed().into()),
        _ => Err(Problem::not_found().into()),
    }
}

async fn create<E: Engine>(call: Call<'_, E>) -> Answer {
    let engine = call.engine;
    let mut body = Body::read(call.request)?;
    let name = body.text("name", NAME_CHARS_MAX).value();
    let scopes = read_scopes(&mut body);
    body.finish()?;
    let secret = format!("wxs_{}{}", base32(engine.entropy()), base32(engine.entropy()));
    let key = ApiKey {
        id: ApiKeyId::from_entropy(engine.entropy()),
        tenant: call.tenant.clone(),
        scopes,
        hash: hash_of(&secret),
        name,
        created_at: engine.clock().now(),
    };
    engine.store().put_api_key(&key).await?;
    Ok(http::json(201, &KeyView::of(&key, Some(&secret))))
}

/// Both scopes where none are said.
fn read_scopes(body: &mut Body<'_>) -> Vec<Scope> {
    let value = body.member("scopes").filter(|value| *value != Json::Null);
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
