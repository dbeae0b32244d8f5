//! Tenants: made and listed by the operator.

use serde_json::{Value, json};
use waxseal_adapters::http::{self, Request};
use waxseal_api_types::{self as api, List};
use waxseal_domain::api_key::Principal;
use waxseal_domain::id::TenantName;
use waxseal_domain::ports::{Change, Clock as _, ConfigStore as _, Engine, Tenant};
use waxseal_domain::problem::Problem;

use crate::body::{Body, describe};
use crate::{Answer, Call, Told, told};

/// What a new tenant looks like.
pub(crate) fn body() -> Value {
    describe(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> Option<TenantName> {
    body.require("name");
    let name = body.text("name", 64).value();
    body.about("name", || json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}));
    match name?.parse() {
        Ok(name) => Some(name),
        Err(fault) => {
            let fault: waxseal_domain::id::IdFault = fault;
            body.fault("name", &fault.to_string());
            None
        }
    }
}

fn view(tenant: &Tenant) -> api::Tenant {
    api::Tenant { name: tenant.name.to_string(), created_at: tenant.created_at.rfc3339() }
}

pub(crate) async fn list<E: Engine>(engine: &E, request: &Request) -> Answer {
    let page = engine.store().tenants(&crate::page(request)?).await?;
    let items: Vec<_> = page.items.iter().map(view).collect();
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}

pub(crate) async fn create<E: Engine>(
    engine: &E,
    request: &Request,
    principal: Option<Principal>,
) -> Answer {
    let mut body = Body::read(request)?;
    let name = read(&mut body);
    body.not_null("name");
    body.finish()?;
    let name = name.ok_or_else(Problem::not_found)?;
    let tenant = Tenant { name, created_at: engine.clock().now() };
    let view = view(&tenant);
    let actor = principal.as_ref().map_or("", |principal| &principal.actor);
    let call = Call { engine, request, tenant: &tenant.name, actor };
    let (target, after) = (tenant.name.as_str(), told(&view));
    let told = Told { action: "tenant.created", target, before: None, after };
    if call.change(Change::CreateTenant(&tenant), told).await? {
        Ok(http::json(201, &view))
    } else {
        Err(Problem::conflict("there is a tenant of that name").into())
    }
}
