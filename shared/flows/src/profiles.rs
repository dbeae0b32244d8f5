//! Finds profiles by name, both those that are compiled in and the deployment's own.

use std::sync::Arc;

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::limits::PROFILE_COPY_S;
use waxseal_domain::profile::Profile;

use crate::ports::{ConfigStore, Engine, EngineError, MaxAge, Setting};

/// Finds a profile by name: one that is compiled in, or else the deployment's own, from a copy of
/// at most a minute. None where there is no such profile.
pub async fn find_profile<E: Engine>(
    engine: &E,
    name: &str,
) -> Result<Option<Arc<Profile>>, EngineError> {
    if let Some(found) = Profile::find_builtin(name) {
        return Ok(Some(found));
    }
    let text =
        engine.store().setting(Setting::Profile, name, MaxAge::seconds(PROFILE_COPY_S)).await?;
    text.map(|text| {
        Profile::parse(&text).map(Arc::new).map_err(|_| {
            EngineError::unreadable("read profile", "a stored profile is no longer valid")
        })
    })
    .transpose()
}

/// Finds the profile that an endpoint uses. An error where it is missing, which no API call can
/// bring about: a profile can be replaced but not removed.
pub async fn profile_of<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
) -> Result<Arc<Profile>, EngineError> {
    require_profile(engine, &endpoint.profile).await
}

/// Finds a profile that a stored endpoint or source names. An error where there is none, since what
/// is stored names only profiles that exist.
pub async fn require_profile<E: Engine>(
    engine: &E,
    name: &str,
) -> Result<Arc<Profile>, EngineError> {
    find_profile(engine, name).await?.ok_or_else(|| {
        EngineError::unreadable("find profile", format!("there is no profile {name}"))
    })
}
