//! Tenants: made and listed by the operator.

use serde::Serialize;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::api_key::{Principal, Scope};
use waxseal_domain::id::TenantName;
use waxseal_domain::ports::{Clock as _, ConfigStore as _, Engine, Tenant};
use waxseal_domain::problem::Problem;

use crate::body::Body;
use crate::{Answer, List};

#[derive(Serialize)]
struct TenantView {
    name: String,
    created_at: String,
}

impl TenantView {
    fn of(tenant: &Tenant) -> Self {
        Self { name: tenant.name.to_string(), created_at: tenant.created_at.rfc3339() }
    }
}

/// `GET /v1/tenants` and `POST /v1/tenants`.
pub(crate) async fn answer<E: Engine>(
    engine: &E,
    request: &Request,
    method: &str,
    principal: &Principal,
) -> Answer {
    if *principal != Principal::Operator {
        return Err(Problem::forbidden(Scope::Manage).into());
    }
    match method {
        "GET" => {
            let page = engine.store().tenants(&crate::page(request)?).await?;
            let items: Vec<_> = page.items.iter().map(TenantView::of).collect();
            Ok(http::json(200, &List { items, cursor: page.cursor }))
        }
        "POST" => create(engine, request).await,
        _ => Err(Problem::method_not_allowed().into()),
    }
}

async fn create<E: Engine>(engine: &E, request: &Request) -> Answer {
    let mut body = Body::read(request)?;
    body.require("name");
    let name = body.text("name", 64).value().unwrap_or_default();
    let name: Result<TenantName, _> = name.parse();
    if let Err(fault) = name {
        body.fault("name", &fault.to_string());
    }
    body.finish()?;
    let name = name.map_err(|_| Problem::not_found())?;
    let tenant = Tenant { name, created_at: engine.clock().now() };
    if engine.store().create_tenant(&tenant).await? {
        Ok(http::json(201, &TenantView::of(&tenant)))
    } else {
        Err(Problem::conflict("there is a tenant of that name").into())
    }
}
