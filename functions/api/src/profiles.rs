//! Profiles: the wire contracts that endpoints choose from, and the deployment's own.

use std::sync::Arc;

use waxseal_adapters::http::{self, Request};
use waxseal_api_types::{self as api, List};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{NAME_CHARS_MAX, REQUEST_BYTES_MAX};
use waxseal_domain::ports::{ConfigStore as _, Engine, Setting};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;

use crate::Answer;

/// Profiles of its own that a deployment may have.
const OWN_MAX: usize = 100;

/// `GET /v1/profiles`: those compiled in, then the deployment's own by name.
pub(crate) async fn list<E: Engine>(engine: &E) -> Answer {
    let own = engine.store().settings(Setting::Profile).await?;
    let own = own.iter().filter_map(|(_, text)| Profile::parse(text).ok().map(Arc::new));
    let all: Vec<Arc<Profile>> = Profile::builtin().iter().cloned().chain(own).collect();
    let items = all.iter().map(|profile| api::Profile::from(&**profile)).collect();
    Ok(http::json(200, &List::whole(items)))
}

/// `GET /v1/profiles/{name}`: with its whole file.
pub(crate) async fn one<E: Engine>(engine: &E, name: &str) -> Answer {
    let profile = Profile::find(engine, name).await?.ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &api::Profile::from(&*profile).with_file(&profile)))
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
    engine.store().put_setting(Setting::Profile, name, text.trim(), true).await?;
    Ok(http::json(200, &api::Profile::from(&profile)))
}
