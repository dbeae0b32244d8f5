//! Profiles: the wire contracts that endpoints choose from, and the deployment's own.

use std::sync::Arc;

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{self as api, List};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{READ_BYTES_IN_PLACE, REQUEST_BYTES_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;
use waxseal_flows::configure::AuditChange;
use waxseal_flows::ports::{Change, ConfigStore as _, Engine, Setting, WorkOwner};
use waxseal_flows::profiles::find_profile;

use crate::OperationResult;
use crate::call::{GlobalCall, audit_value};
use crate::operation::{Access, Description, Handler, Operation, RequestBody, Success};

impl<E: Engine> Operation<E> {
    /// The operations on profiles.
    pub(crate) const ON_PROFILES: &'static [Self] = &[
        Operation {
            handler: Handler::Global(|call| Box::pin(list(call))),
            description: Description {
                line: "GET /v1/profiles",
                id: "listProfiles",
                summary: "List the profiles that endpoints and sources can choose",
                about: "A profile is a wire contract: it says how deliveries look, how they are signed, and \
                        how hooks are verified and read. Profiles that come with Waxseal are listed first.",
                answers: &[Success::json::<List<api::Profile>>(
                    200,
                    "Returns all profiles on one page.",
                )],
                problems: &[429],
                ..Description::plain(Access::Public)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(show(call))),
            description: Description {
                line: "GET /v1/profiles/{profile}",
                id: "getProfile",
                summary: "Get a profile and the file that defines it",
                answers: &[Success::json::<api::Profile>(
                    200,
                    "Returns the profile, with its whole file.",
                )],
                problems: &[404],
                ..Description::plain(Access::Public)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(put(call))),
            description: Description {
                line: "PUT /v1/profiles/{profile}",
                id: "putProfile",
                summary: "Add a profile to the deployment, or replace it",
                about: "The body is the file that defines the profile. Its format is described in \
                        `shared/verify/profiles/README.md`. It has at most 64 KB, 100 members in its \
                        envelope, and eight of them that hold the payload or all attributes. Profiles that come with Waxseal cannot be \
                        replaced, and none can be deleted.",
                body: Some(RequestBody {
                    example: None,
                    ..RequestBody::required(
                        "NewProfile",
                        || json!({"type": "object", "description": "Holds the file that defines a profile."}),
                        Value::default,
                    )
                }),
                answers: &[Success::json::<api::Profile>(200, "Returns the profile.")],
                problems: &[409],
                ..Description::plain(Access::Operator)
            },
        },
    ];
}

/// Lists the profiles that are compiled in, then the deployment's own by name.
async fn list<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let own = call.engine.store().settings(Setting::Profile).await?;
    let bytes = own.iter().map(|(_, text)| text.len()).sum();
    let work = move || List::whole(read_all(&own));
    let all = match bytes {
        0..=READ_BYTES_IN_PLACE => work(),
        // Anybody may ask, and all are read each time.
        _ => call.engine.work(&WorkOwner::Anybody, bytes, work).await?,
    };
    Ok(http::json(200, &all))
}

fn read_all(own: &[(String, Arc<str>)]) -> Vec<api::Profile> {
    let mut all: Vec<Arc<Profile>> = Profile::builtins().to_vec();
    for (name, text) in own {
        match Profile::parse(text) {
            Ok(profile) => all.push(Arc::new(profile)),
            // The others can still be used. Whoever asks for this one by its name is answered with the failure.
            Err(faults) => tracing::error!(%name, ?faults, "a stored profile cannot be read"),
        }
    }
    all.iter().map(|profile| api::Profile::from(&**profile)).collect()
}

async fn show<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let profile = find_profile(call.engine, call.name()).await?.ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &api::Profile::from(&*profile).with_file(&profile)))
}

/// Adds or replaces a profile of the deployment's own: the body is its file.
async fn put<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let (engine, name) = (call.engine, call.name());
    let text = http::text(call.request, REQUEST_BYTES_MAX)?;
    let profile = Profile::parse(text).map_err(Problem::unprocessable)?;
    profile.check_name(name).map_err(refuse)?;
    profile.check_cost().map_err(refuse)?;
    if Profile::find_builtin(name).is_some() {
        return Err(Problem::conflict("a profile of that name comes with Waxseal").into());
    }
    let own = engine.store().settings(Setting::Profile).await?;
    let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
    Profile::check_room(&names, name).map_err(refuse)?;
    let replaced = own.iter().find(|(found, _)| found == name).map(|(_, text)| text);
    if replaced.is_some_and(|before| &**before == text.trim()) {
        return Ok(http::json(200, &api::Profile::from(&profile)));
    }
    let action = if replaced.is_some() { "profile.updated" } else { "profile.created" };
    let before = replaced.map(|text| match Profile::parse(text) {
        Ok(before) => view_with_file(&before),
        // A file that cannot be read any more is what this request may mend.
        Err(_) => json!({"text": &**text}),
    });
    let audit = AuditChange { action, target: name, before, after: Some(view_with_file(&profile)) };
    if !call.change(Change::PutProfile(name, text.trim()), audit).await? {
        return Err(Problem::conflict("the profile was changed at the same time: try again").into());
    }
    Ok(http::json(200, &api::Profile::from(&profile)))
}

/// Shows a profile as the audit log does: as a caller who asks for it by its name sees it.
fn view_with_file(profile: &Profile) -> Value {
    audit_value(&api::Profile::from(profile).with_file(profile))
}

fn refuse(fault: Fault) -> Problem {
    Problem::unprocessable(vec![fault])
}
