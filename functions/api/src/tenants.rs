//! Tenants: made and listed by the operator.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{self as api, List, NewTenant};
use waxseal_domain::id::TenantName;
use waxseal_domain::problem::Problem;
use waxseal_flows::configure::AuditChange;
use waxseal_flows::ports::{Change, Clock as _, ConfigStore as _, Engine, Tenant};

use crate::OperationResult;
use crate::body::{Body, describe};
use crate::call::{CursorForm, GlobalCall, audit_value, page};
use crate::operation::{
    Access, Description, Handler, Operation, PAGE, RequestBody, Success, json_of,
};

impl<E: Engine> Operation<E> {
    /// The operations on tenants.
    pub(crate) const ON_TENANTS: &'static [Self] = &[
        Operation {
            handler: Handler::Global(|call| Box::pin(list(call))),
            description: Description {
                line: "GET /v1/tenants",
                id: "listTenants",
                summary: "List all tenants, by name",
                parameters: PAGE,
                answers: &[Success::json::<List<api::Tenant>>(200, "Returns a page of tenants.")],
                ..Description::plain(Access::Operator)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(create(call))),
            description: Description {
                line: "POST /v1/tenants",
                id: "createTenant",
                summary: "Create a tenant",
                body: Some(RequestBody::required("NewTenant", describe_body, || {
                    json_of(&NewTenant::example())
                })),
                answers: &[Success::json::<api::Tenant>(201, "Returns the tenant.")
                    .with_example(|| json_of(&api::Tenant::example()))],
                problems: &[409],
                ..Description::plain(Access::Operator)
            },
        },
    ];
}

/// Describes a new tenant.
fn describe_body() -> Value {
    describe::<NewTenant>(|body| drop(read(body)))
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

async fn list<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let page = call.engine.store().tenants(&page(call.request, CursorForm::Tenant)?).await?;
    let items: Vec<_> = page.items.iter().map(view).collect();
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}

async fn create<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let mut body = Body::read(call.request)?;
    let given = read(&mut body);
    body.not_null("name");
    body.finish()?;
    let name = given.ok_or_else(Problem::not_found)?;
    let tenant = Tenant { name, created_at: call.engine.clock().now() };
    let view = view(&tenant);
    let (target, after) = (tenant.name.as_str(), Some(audit_value(&view)));
    let audit = AuditChange { action: "tenant.created", target, before: None, after };
    if call.change(Change::CreateTenant(&tenant), audit).await? {
        Ok(http::json(201, &view))
    } else {
        Err(Problem::conflict("a tenant of that name exists already").into())
    }
}
