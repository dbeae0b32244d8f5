//! Makes the validation handshake: asks a receiver, before its first delivery, whether it wants to
//! be sent events by us.

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::handshake::{Handshake, origin, read, request};
use waxseal_domain::profile::Profile;

use crate::ports::{Engine, EngineError, Sender};

/// Asks an endpoint's receiver and returns its answer. None where the endpoint's profile has no
/// handshake, or its target is a queue or a bus, which cannot be asked.
pub async fn shake<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    profile: &Profile,
) -> Result<Option<Handshake>, EngineError> {
    let origin = origin(engine.public_url());
    let Some(request) = request(endpoint, profile, origin) else { return Ok(None) };
    Ok(Some(read(&engine.sender().send(request).await?, origin)))
}
