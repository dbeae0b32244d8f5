//! Profiles: the wire contracts that endpoints choose from, and the deployment's own.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{NAME_CHARS_MAX, REQUEST_BYTES_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{EventKind, Profile};
use waxseal_flows::ports::{ConfigStore as _, Engine, Setting, SettingWrite};
use waxseal_flows::profiles::find_profile;

use crate::{Answer, List};

/// Profiles of its own that a deployment may have.
const OWN_MAX: usize = 100;

/// A wire contract.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Profile")]
pub(crate) struct ProfileView<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a str,
    headers: Vec<&'a str>,
    secret: String,
    secret_optional: bool,
    delays_s: &'a [u32],
    jitter: bool,
    window_s: Option<u32>,
    timeout_ms: u32,
    endpoints_max: usize,
    events: &'a [EventKind],
    builtin: bool,
    /// The whole file.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a RawValue>,
}

impl<'a> ProfileView<'a> {
    fn of(profile: &'a Profile) -> Self {
        let dialect = &profile.dialect;
        Self {
            name: profile.name(),
            title: dialect.title(),
            about: dialect.about(),
            headers: dialect.header_names().collect(),
            secret: profile.secret_shape(),
            secret_optional: dialect.secret_is_optional(),
            delays_s: &profile.retry.delays_s,
            jitter: profile.retry.jitter,
            window_s: profile.retry.window_s,
            timeout_ms: profile.timeout_ms,
            endpoints_max: profile.endpoints_max,
            events: &profile.events,
            builtin: Profile::named(profile.name()).is_some(),
            file: None,
        }
    }
}

/// `GET /v1/profiles`: those compiled in, then the deployment's own by name.
pub(crate) async fn list<E: Engine>(engine: &E) -> Answer {
    let own = engine.store().settings(Setting::Profile).await?;
    let own = own.iter().filter_map(|(_, text)| Profile::parse(text).ok().map(Arc::new));
    let all: Vec<Arc<Profile>> = Profile::builtin().iter().cloned().chain(own).collect();
    let items: Vec<_> = all.iter().map(|profile| ProfileView::of(profile)).collect();
    Ok(http::json(200, &List { items, cursor: None }))
}

/// `GET /v1/profiles/{name}`: with its whole file.
pub(crate) async fn one<E: Engine>(engine: &E, name: &str) -> Answer {
    let profile = find_profile(engine, name).await?.ok_or_else(Problem::not_found)?;
    let view = ProfileView { file: Some(&profile.file), ..ProfileView::of(&profile) };
    Ok(http::json(200, &view))
}

/// `PUT /v1/profiles/{name}`: a profile of the deployment's own, the file being the body. The operator's.
pub(crate) async fn put<E: Engine>(engine: &E, request: &Request, name: &str) -> Answer {
    let text = http::text(request, REQUEST_BYTES_MAX)?;
    let profile = Profile::parse(text).map_err(Problem::unprocessable)?;
    if profile.name() != name || name.len() > NAME_CHARS_MAX {
        let fault = Fault::new("/name", "must be the name in the path");
        return Err(Problem::unprocessable(vec![fault]).into());
    }
    if Profile::named(name).is_some() {
        return Err(Problem::conflict("a profile of that name comes with Waxseal").into());
    }
    let own = engine.store().settings(Setting::Profile).await?;
    if own.len() >= OWN_MAX && own.iter().all(|(found, _)| found != name) {
        let detail = format!("the deployment has {OWN_MAX} profiles of its own, its limit");
        return Err(Problem::unprocessable(vec![Fault::new("", &detail)]).into());
    }
    engine.store().put_setting(Setting::Profile, name, text.trim(), SettingWrite::Replace).await?;
    Ok(http::json(200, &ProfileView::of(&profile)))
}
