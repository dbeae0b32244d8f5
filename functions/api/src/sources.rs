//! Sources: who sends hooks to our receiver, and the secrets that they sign with.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::event::HookAnswer;
use waxseal_api_types::{self as api, Acceptance, List, NewSource, Question, Verdict};
use waxseal_domain::id::SourceName;
use waxseal_domain::limits::{MAX_PER_SECOND, NAME_CHARS_MAX, SECRETS_LIVE_MAX, TOLERANCE_S};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::source::{Source, check_room, check_secrets};
use waxseal_flows::configure::AuditChange;
use waxseal_flows::ports::{Change, Clock as _, ConfigStore as _, Engine, KeyVault as _, MaxAge};
use waxseal_flows::profiles::find_profile;

use crate::body::{Body, describe};
use crate::call::{TenantCall, audit_value};
use crate::operation::{
    Access, Description, Handler, Link, MANAGE, Operation, RequestBody, Success, json_of,
};
use crate::{OperationResult, Refusal, verify};

/// Characters of a source's secret.
const SECRET_CHARS_MAX: usize = 256;

/// What both paths of a hook have in common.
const RECEIVES_HOOK: Description = Description {
    body: Some(RequestBody {
        name: "",
        schema: || json!({"type": "string", "format": "binary"}),
        content_type: "application/octet-stream",
        is_optional: false,
        example: None,
    }),
    answers: &[Success::json::<HookAnswer>(
        200,
        "Acknowledges the hook. Where the system only checks the receiver, returns what its \
         contract demands.",
    )
    .with_example(|| json_of(&Acceptance::example()))],
    problems: &[400, 401, 404, 409, 413, 422, 429, 508],
    ..Description::plain(Access::Public)
};

/// What both paths have in common by which hooks are allowed.
const ALLOWS_HOOKS: Description = Description {
    summary: "Ask whether hooks may be sent here",
    about: "Answers the validation handshake of the HTTP webhook specification of CloudEvents.",
    answers: &[Success::empty(
        "Allows every system that asks. Whether a hook is accepted depends on its signature.",
    )],
    problems: &[404],
    ..Description::plain(Access::Public)
};

impl<E: Engine> Operation<E> {
    /// The operations on sources and the hooks that they send.
    pub(crate) const ON_SOURCES: &'static [Self] = &[
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(list(call))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/sources",
                id: "listSources",
                summary: "List the sources of a tenant, by name",
                about: "A source is a system that sends hooks to Waxseal, where each becomes an event of \
                        the tenant.",
                answers: &[Success::json::<List<api::Source>>(
                    200,
                    "Returns all sources on one page.",
                )],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, name| Box::pin(show(call, name))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/sources/{source}",
                id: "getSource",
                summary: "Get a source",
                answers: &[Success::json::<api::Source>(200, "Returns the source.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, name| Box::pin(put(call, name))),
            description: Description {
                line: "PUT /v1/tenants/{tenant}/sources/{source}",
                id: "putSource",
                summary: "Create a source, or replace it",
                about: "Tells which profile a system signs its hooks by, and with which secrets. The \
                        system sends its hooks to the `path` that is answered.",
                body: Some(RequestBody::required("NewSource", describe_body, || {
                    json_of(&NewSource::example())
                })),
                answers: &[Success::json::<api::Source>(200, "Returns the source as it is now.")
                    .with_links(&[Link {
                        pointer: "/name",
                        parameter: "source",
                        to: &["getSource", "deleteSource"],
                    }])],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, name| Box::pin(delete(call, name))),
            description: Description {
                line: "DELETE /v1/tenants/{tenant}/sources/{source}",
                id: "deleteSource",
                summary: "Delete a source, so that its hooks are no longer accepted",
                answers: &[Success::empty("Confirms that the source is deleted.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Elsewhere,
            description: Description {
                line: "POST /hooks/{tenant}/{source}",
                id: "receiveHook",
                summary: "Receive a hook, which becomes an event once it is verified",
                about: "Takes a request in the form of the system that sends it, signed as the profile \
                        of the source says. A hook that does not verify, or is too old, is refused with \
                        401. A hook that is received again is a duplicate and causes no second event. One that comes \
                        out of a fourth delivery of Waxseal's in a row goes in a circle, and is refused with 508.",
                ..RECEIVES_HOOK
            },
        },
        Operation {
            handler: Handler::Elsewhere,
            description: Description {
                line: "POST /hooks/{source}",
                id: "receiveHookByShortPath",
                summary: "Receive a hook by the path that has no tenant",
                about: "Leads to the first source of that name in the deployment, whose `short_path` says so, for \
                        as long as that source is there.",
                ..RECEIVES_HOOK
            },
        },
        Operation {
            handler: Handler::Elsewhere,
            description: Description {
                line: "OPTIONS /hooks/{tenant}/{source}",
                id: "allowHooks",
                ..ALLOWS_HOOKS
            },
        },
        Operation {
            handler: Handler::Elsewhere,
            description: Description {
                line: "OPTIONS /hooks/{source}",
                id: "allowHooksByShortPath",
                ..ALLOWS_HOOKS
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(verify::verify_hook(call))),
            description: Description {
                line: "POST /v1/verify",
                id: "verify",
                summary: "Check whether a hook verifies, and if not, find out why",
                about: "Checks a request that you received against a profile and secrets. Nothing of it is \
                        stored or logged.",
                body: Some(RequestBody::required("Question", verify::describe, || {
                    json_of(&Question::example())
                })),
                answers: &[Success::json::<Verdict>(
                    200,
                    "Tells whether the hook verifies, and lists the mistakes that were found.",
                )
                .with_example(|| json_of(&Verdict::example()))],
                ..Description::plain(Access::Key)
            },
        },
    ];
}

/// What of a source a body says.
struct SourceRequest {
    profile: String,
    secrets: Vec<String>,
    tolerance_s: u64,
    max_per_second: Option<u32>,
}

/// Describes a new source.
fn describe_body() -> Value {
    describe::<NewSource>(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> SourceRequest {
    let profile = body.text("profile", NAME_CHARS_MAX).value();
    let per_second = u64::from(*MAX_PER_SECOND.start())..=u64::from(*MAX_PER_SECOND.end());
    let max_per_second = body.whole("max_per_second", per_second).value();
    body.require("secrets");
    SourceRequest {
        profile: profile.unwrap_or_else(|| STANDARD.to_owned()),
        secrets: read_secrets(body),
        tolerance_s: body.whole("tolerance_s", 1..=3_600).value().unwrap_or(TOLERANCE_S),
        max_per_second: max_per_second.and_then(|max| u32::try_from(max).ok()),
    }
}

fn secrets_schema() -> Value {
    json!({
        "type": "array", "minItems": 1, "maxItems": SECRETS_LIVE_MAX,
        "items": {"type": "string", "minLength": 8, "maxLength": SECRET_CHARS_MAX, "pattern": "^[ -~]+$"},
    })
}

fn read_secrets(body: &mut Body<'_>) -> Vec<String> {
    let Some(value) = body.member("secrets", secrets_schema) else { return Vec::new() };
    let items = value.as_array().unwrap_or_default();
    if !(1..=SECRETS_LIVE_MAX).contains(&items.len()) {
        body.fault("secrets", &format!("must be an array of 1 to {SECRETS_LIVE_MAX} secrets"));
        return Vec::new();
    }
    let mut secrets = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().filter(|text| (1..=SECRET_CHARS_MAX).contains(&text.chars().count())) {
            Some(text) => secrets.push(text.to_owned()),
            None => body.fault(&format!("secrets/{index}"), "must be text of 1 to 256 characters"),
        }
    }
    secrets
}

async fn list<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let sources = call.engine.store().sources(call.tenant).await?;
    Ok(http::json(200, &List::whole(sources.iter().map(api::Source::from).collect())))
}

async fn show<E: Engine>(call: TenantCall<'_, E>, name: &str) -> OperationResult {
    let source = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &api::Source::from(&source)))
}

/// The tenant's source of that name.
async fn find<E: Engine>(call: &TenantCall<'_, E>, name: &str) -> Result<Option<Source>, Refusal> {
    let name: SourceName = name.parse().map_err(|_| Problem::not_found())?;
    Ok(call.engine.store().source(call.tenant, &name, MaxAge::NOW).await?)
}

async fn delete<E: Engine>(call: TenantCall<'_, E>, name: &str) -> OperationResult {
    let source = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    let before = Some(audit_value(&api::Source::from(&source)));
    let audit = AuditChange { action: "source.deleted", target: name, before, after: None };
    let removed = call.change(Change::RemoveSource(&source), audit).await?;
    removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
}

async fn put<E: Engine>(call: TenantCall<'_, E>, name: &str) -> OperationResult {
    let name: SourceName = name.parse().map_err(|_| Problem::not_found())?;
    let mut body = Body::read(call.request)?;
    let SourceRequest { profile, secrets, tolerance_s, max_per_second } = read(&mut body);
    body.not_null("secrets");
    let found = find_profile(call.engine, &profile).await?;
    if found.is_none() {
        body.fault("profile", "is not known: GET /v1/profiles lists them");
    }
    let known = found.unwrap_or_else(Profile::standard);
    for fault in check_secrets(&secrets, &known) {
        body.fault_once(fault);
    }
    body.finish()?;
    let before = find(&call, name.as_str()).await?;
    let sources = call.engine.store().sources(call.tenant).await?;
    check_room(&sources, &name).map_err(|fault| Problem::unprocessable(vec![fault]))?;
    let context = SecretContext::source(call.tenant, &name);
    let mut sealed = Vec::new();
    for text in secrets {
        let secret = Secret::new(text.into_bytes());
        sealed.push(SealedSecret {
            sealed: call.engine.key_vault().seal(&context, &secret).await?,
            created_at: call.engine.clock().now(),
            until: None,
            public_key: None,
        });
    }
    let tenant = call.tenant.clone();
    let source = Source {
        has_short_path: may_have_short_path(&call, &name).await?,
        name,
        tenant,
        profile,
        secrets: sealed,
        tolerance_s,
        max_per_second,
    };
    let view = api::Source::from(&source);
    let action = if before.is_some() { "source.updated" } else { "source.created" };
    let before = before.as_ref().map(|before| audit_value(&api::Source::from(before)));
    let audit = AuditChange {
        action,
        target: source.name.as_str(),
        before,
        after: Some(audit_value(&view)),
    };
    if call.change(Change::PutSource(&source), audit).await? {
        Ok(http::json(200, &view))
    } else {
        let detail =
            "another tenant's source of that name was made at the same time: repeat the request";
        Err(Problem::conflict(detail).into())
    }
}

/// Whether the path without a tenant may lead to the tenant's source of that name: unless it leads to another tenant's,
/// which keeps it. That it may is still for the store to say, since another may be made meanwhile.
async fn may_have_short_path<E: Engine>(
    call: &TenantCall<'_, E>,
    name: &SourceName,
) -> Result<bool, Refusal> {
    let first = call.engine.store().source_by_short_path(name, MaxAge::NOW).await?;
    Ok(first.is_none_or(|first| first.tenant == *call.tenant))
}
