//! API keys of a tenant: shown once, stored hashed.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{self as api, List, NewKey};
use waxseal_domain::api_key::{ApiKey, KeyGrant, Principal, Right, Scope, check_room, hash_of};
use waxseal_domain::id::{ApiKeyId, base32};
use waxseal_domain::json::Json;
use waxseal_domain::limits::{MAX_PER_SECOND, NAME_CHARS_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::configure::AuditChange;
use waxseal_flows::ports::{Change, Clock as _, ConfigStore as _, Engine};

use crate::OperationResult;
use crate::body::{Body, describe};
use crate::call::{GlobalCall, TenantCall, audit_value};
use crate::operation::{
    Access, Description, Handler, Link, MANAGE, Operation, RequestBody, Success, json_of,
};

impl<E: Engine> Operation<E> {
    /// The operations on API keys.
    pub(crate) const ON_KEYS: &'static [Self] = &[
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(list(call))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/keys",
                id: "listKeys",
                summary: "List the API keys of a tenant, newest first",
                answers: &[Success::json::<List<api::Key>>(
                    200,
                    "Returns all API keys on one page, without the keys themselves.",
                )],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(create(call))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/keys",
                id: "createKey",
                summary: "Create an API key",
                about: "The answer shows the key itself; it is never shown again. A key gives no more than it \
                        has: neither other scopes nor a higher rate than those of the key that makes it.",
                body: Some(RequestBody::optional("NewKey", describe_body, || {
                    json_of(&NewKey::example())
                })),
                answers: &[Success::json::<api::Key>(201, "Returns the API key.")
                    .with_links(&[Link { pointer: "/id", parameter: "key", to: &["deleteKey"] }])],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(delete(call, id))),
            description: Description {
                line: "DELETE /v1/tenants/{tenant}/keys/{key}",
                id: "deleteKey",
                summary: "Revoke an API key",
                about: "On AWS the key may work for another 10 seconds.",
                answers: &[Success::empty("Confirms that the API key is revoked.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(async { who_am_i(call) })),
            description: Description {
                line: "GET /v1/whoami",
                id: "whoAmI",
                summary: "Show whose API key this request is made with, and what it allows",
                answers: &[Success::json::<api::Identity>(200, "Describes the API key.")
                    .with_example(|| json_of(&api::Identity::example()))],
                ..Description::plain(Access::Key)
            },
        },
    ];
}

/// What of a new key a body says.
struct KeyRequest {
    name: Option<String>,
    scopes: Option<Vec<Scope>>,
    max_per_second: Option<u32>,
}

/// Describes a new key.
fn describe_body() -> Value {
    describe::<NewKey>(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> KeyRequest {
    let per_second = u64::from(*MAX_PER_SECOND.start())..=u64::from(*MAX_PER_SECOND.end());
    let max_per_second = body.whole("max_per_second", per_second).value();
    KeyRequest {
        name: body.text("name", NAME_CHARS_MAX).value(),
        scopes: read_scopes(body),
        max_per_second: max_per_second.and_then(|max| u32::try_from(max).ok()),
    }
}

fn scopes_schema() -> Value {
    json!({
        "type": ["array", "null"], "minItems": 1, "maxItems": 2,
        "items": {"type": "string", "enum": ["ingest", "manage"]},
    })
}

fn read_scopes(body: &mut Body<'_>) -> Option<Vec<Scope>> {
    let value = body.member("scopes", scopes_schema).filter(|value| *value != Json::Null)?;
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
    Some(scopes)
}

async fn list<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let keys = call.engine.store().api_keys(call.tenant).await?;
    let ids: Vec<ApiKeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let uses = call.engine.store().key_uses(&ids).await?;
    let mut views = Vec::with_capacity(keys.len());
    for key in &keys {
        let last_used_at = uses.get(&key.id).copied().map(Timestamp::rfc3339);
        views.push(api::Key { last_used_at, ..api::Key::from(key) });
    }
    Ok(http::json(200, &List::whole(views)))
}

async fn create<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let engine = call.engine;
    let mut body = Body::read(call.request)?;
    let KeyRequest { name, scopes, max_per_second } = read(&mut body);
    body.finish()?;
    let maker = call.principal.ok_or_else(Problem::unauthorized)?;
    let KeyGrant { scopes, max_per_second } =
        maker.grant(scopes, max_per_second).map_err(Problem::unprocessable)?;
    let others = engine.store().api_keys(call.tenant).await?;
    check_room(&others).map_err(|fault| Problem::unprocessable(vec![fault]))?;
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
    let view = api::Key::from(&key);
    let (target, after) = (key.id.as_str(), Some(audit_value(&view)));
    let audit = AuditChange { action: "api_key.created", target, before: None, after };
    if !call.change(Change::AddApiKey(&key), audit).await? {
        return Err(Problem::conflict("the key's new id is taken: try again").into());
    }
    Ok(http::json(201, &api::Key { key: Some(text), ..view }))
}

async fn delete<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let id: ApiKeyId = id.parse().map_err(|_| Problem::not_found())?;
    let keys = call.engine.store().api_keys(call.tenant).await?;
    let key = keys.iter().find(|key| key.id == id).ok_or_else(Problem::not_found)?;
    let before = Some(audit_value(&api::Key::from(key)));
    let audit = AuditChange { action: "api_key.revoked", target: id.as_str(), before, after: None };
    let removed = call.change(Change::RemoveApiKey(key), audit).await?;
    removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
}

fn who_am_i<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let Principal { actor, right, max_per_second } =
        call.principal.ok_or_else(Problem::unauthorized)?;
    let (operator, tenant, scopes) = match right {
        Right::Operator => (true, None, vec![api::Scope::Ingest, api::Scope::Manage]),
        Right::Tenant(tenant, scopes) => {
            (false, Some(tenant.to_string()), scopes.into_iter().map(api::Scope::from).collect())
        }
    };
    Ok(http::json(200, &api::Identity { actor, operator, tenant, scopes, max_per_second }))
}
