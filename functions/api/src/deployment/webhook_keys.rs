//! `GET /.well-known/webhook-keys`: the public keys of endpoints that sign with ed25519, as a JWK Set
//! (RFC 7517, RFC 8037). `kid` is the endpoint's id and when the key was made; while a secret rotates both
//! keys are there.
//!
//! `?tenant=` and `?endpoint=` narrow it; without a tenant it goes through the first tenants only, which is
//! what a deployment of one team has.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use waxseal_adapters::http;
use waxseal_api_types::{KeySet, WebKey};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::WEBHOOK_KEYS_COPY_S;
use waxseal_domain::problem::Problem;
use waxseal_domain::secret::SealedSecret;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, ConfigStore as _, Engine, MaxAge, PageRequest};

use crate::OperationResult;
use crate::call::GlobalCall;

/// Tenants that are gone through where none is named.
const TENANTS_MAX: usize = 20;

/// Answers with the public keys that the query selects.
pub(super) async fn show<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let GlobalCall { engine, request, .. } = call;
    let tenants: Vec<TenantName> = if let Some(name) = http::query(request, "tenant") {
        vec![name.parse().map_err(|_| Problem::not_found())?]
    } else {
        let first = PageRequest { limit: TENANTS_MAX, cursor: None };
        let page = engine.store().tenants(&first).await?;
        page.items.into_iter().map(|tenant| tenant.name).collect()
    };
    let wanted = http::query(request, "endpoint");
    let now = engine.clock().now();
    let mut keys = Vec::new();
    for tenant in tenants {
        let endpoints = engine
            .store()
            .endpoints(&tenant, MaxAge::seconds(WEBHOOK_KEYS_COPY_S))
            .await?
            .unwrap_or_default();
        keys.extend(
            endpoints
                .iter()
                .filter(|endpoint| wanted.as_deref().is_none_or(|id| id == endpoint.id.as_str()))
                .flat_map(|endpoint| keys_of(endpoint, now)),
        );
    }
    let mut response = http::json(200, &KeySet { keys });
    let fresh = ::http::HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert("cache-control", fresh);
    Ok(response)
}

fn keys_of(endpoint: &Endpoint, now: Timestamp) -> Vec<WebKey> {
    endpoint.live_secrets(now).filter_map(|secret| key(endpoint, secret)).collect()
}

fn key(endpoint: &Endpoint, secret: &SealedSecret) -> Option<WebKey> {
    let text = secret.public_key.as_deref()?.strip_prefix("whpk_")?;
    let Ok(bytes) = STANDARD.decode(text) else {
        // The other keys are still good for whoever verifies by them.
        tracing::error!(endpoint = %endpoint.id, "a stored public key cannot be read");
        return None;
    };
    let x = URL_SAFE_NO_PAD.encode(bytes);
    let kid = format!("{}.{}", endpoint.id, secret.created_at.ms());
    Some(WebKey::ed25519(kid, x))
}
