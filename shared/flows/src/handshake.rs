//! The validation handshake: a receiver is asked whether it wants us, before the first delivery.

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::handshake::{Handshake, origin, read, request};
use waxseal_domain::profile::Profile;

use crate::ports::{Engine, Sender};

/// Asks an endpoint's receiver, where its profile does so; nobody asks a queue or a bus.
pub async fn shake<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    profile: &Profile,
) -> Option<Handshake> {
    let origin = origin(engine.public_url());
    let request = request(endpoint, profile, &origin)?;
    Some(read(&engine.sender().send(request).await, &origin))
}
