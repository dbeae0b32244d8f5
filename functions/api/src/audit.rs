//! The audit log: who changed what of the tenant's configuration.

use waxseal_adapters::http;
use waxseal_api_types::{self as api, List};
use waxseal_domain::notice::OPERATOR;
use waxseal_flows::ports::{ConfigStore as _, Engine};

use crate::OperationResult;
use crate::call::{CursorForm, TenantCall};
use crate::operation::{Description, Handler, MANAGE, Operation, PAGE, Success};

impl<E: Engine> Operation<E> {
    /// The operations on the audit log.
    pub(crate) const ON_AUDIT: &'static [Self] = &[Operation {
        handler: Handler::MaybeNewTenant(|call, _| Box::pin(list(call))),
        description: Description {
            line: "GET /v1/tenants/{tenant}/audit",
            id: "listAudit",
            summary: "List the changes of a tenant's configuration, newest first",
            about: "Shows who changed what and when, and what it was before; never a secret. Each change \
                    is an event as well: its type is `waxseal.audit.` followed by the action. The log of \
                    the tenant `waxseal` also shows changes of the deployment's profiles.",
            parameters: PAGE,
            answers: &[Success::json::<List<api::AuditEntry>>(200, "Returns a page of changes.")],
            ..Description::plain(MANAGE)
        },
    }];
}

pub(crate) async fn list<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    // The deployment's changes are in the log of the operator's tenant, which may never have been created.
    if call.tenant.as_str() != OPERATOR {
        call.require_tenant().await?;
    }
    let page = call.engine.store().audit(call.tenant, &call.page(CursorForm::AuditEntry)?).await?;
    let items: Vec<_> = page.items.iter().map(api::AuditEntry::from).collect();
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}
