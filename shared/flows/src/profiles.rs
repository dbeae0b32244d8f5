//! Profiles by their names: compiled in, or the deployment's own.

use std::sync::Arc;

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::limits::FRESH_S;
use waxseal_domain::profile::Profile;

use crate::ports::{ConfigStore, Engine, EngineError, Setting};

/// The profile of that name: compiled in, or the deployment's own, from a copy of at most a
/// minute.
pub async fn find_profile<E: Engine>(
    engine: &E,
    name: &str,
) -> Result<Option<Arc<Profile>>, EngineError> {
    if let Some(found) = Profile::named(name) {
        return Ok(Some(found));
    }
    let text = engine.store().setting(Setting::Profile, name, FRESH_S).await?;
    let read = |text: Arc<str>| {
        Profile::parse(&text).map(Arc::new).map_err(|_| {
            EngineError::unreadable("read profile", "a stored profile is no longer valid")
        })
    };
    text.map(read).transpose()
}

/// An endpoint's profile.
pub async fn profile_of<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
) -> Result<Arc<Profile>, EngineError> {
    require_profile(engine, &endpoint.profile).await
}

/// The profile of that name, which something of ours names.
pub async fn require_profile<E: Engine>(
    engine: &E,
    name: &str,
) -> Result<Arc<Profile>, EngineError> {
    let missing = || EngineError::unreadable("find profile", format!("there is no profile {name}"));
    find_profile(engine, name).await?.ok_or_else(missing)
}
