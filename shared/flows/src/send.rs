//! Sends one attempt: opens the keys, prepares the request, and turns whatever comes back into an
//! outcome. First attempt, retry, replay and test event all come through here.

use std::collections::BTreeMap;

use waxseal_domain::delivery::attempt::SendResult;
use waxseal_domain::delivery::dispatch::{
    Outgoing, PrepareFault, PreparedRequest, Request, prepare,
};
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::timestamp::Timestamp;
use waxseal_verify::Key;

use crate::authorize::{authorization, forget_refused_token};
use crate::link::content_link;
use crate::ports::{Clock, Engine, EngineError, KeyVault, Sender};

/// The request of one attempt, as far as it is shown, and its outcome.
#[derive(Debug)]
pub struct Dispatch {
    /// The outcome, with its times and what was kept of the answer.
    pub sent: SendResult,
    /// The headers that were sent, by name. `authorization` is left out, since these are shown in
    /// the answer to a test event.
    pub headers: BTreeMap<String, String>,
    /// Whether the body held values that JavaScript would change, and should not.
    pub inexact: bool,
}

/// Makes one attempt, ended by the endpoint's time-out or by `deadline`, whichever comes first.
pub async fn send<E: Engine>(
    engine: &E,
    outgoing: Outgoing<'_>,
    deadline: Timestamp,
) -> Result<Dispatch, EngineError> {
    let Outgoing { endpoint, round, .. } = outgoing;
    let keys = signing_keys(engine, outgoing).await?;
    let authorization = match authorization(engine, endpoint, deadline).await? {
        Ok(authorization) => authorization,
        Err(sent) => return Ok(Dispatch { sent, headers: BTreeMap::new(), inexact: false }),
    };
    let now = engine.clock().now();
    let PreparedRequest { mut request, inexact } =
        match prepare_linked(engine, outgoing, &keys, now).await? {
            Ok(prepared) => prepared,
            Err(PrepareFault::Keys(fault)) => {
                return Err(EngineError::unreadable("sign delivery", fault));
            }
            Err(fault @ (PrepareFault::NeedsLink | PrepareFault::Unsendable(_))) => {
                return Ok(Dispatch::unsendable(fault.to_string(), now));
            }
        };
    // Not an attempt that times out at once: the receiver has no part in it. The clock may have been set ahead since the
    // deadline was made.
    if now >= deadline {
        return Err(EngineError::unavailable("send attempt", "no time is left for it"));
    }
    request.timeout_ms = request.timeout_ms.min(deadline.since_ms(now));
    let headers = request.headers.clone();
    let request = authorization.iter().fold(request, Request::with_authorization);
    let mut sent = engine.sender().send(request).await;
    forget_refused_token(engine, endpoint, &sent);
    if round.attempt == 1 {
        // The body of a first attempt may say when the attempt began, and the record must say the
        // same.
        sent.started_at = round.began_at;
    }
    Ok(Dispatch { sent, headers, inexact })
}

impl Dispatch {
    fn unsendable(detail: String, now: Timestamp) -> Self {
        let sent = SendResult::unsendable(detail, now);
        Self { sent, headers: BTreeMap::new(), inexact: false }
    }
}

/// Prepares the request, with a link in place of the payload where the body would be longer than
/// the profile allows.
async fn prepare_linked<E: Engine>(
    engine: &E,
    outgoing: Outgoing<'_>,
    keys: &[Key],
    now: Timestamp,
) -> Result<Result<PreparedRequest, PrepareFault>, EngineError> {
    match prepare(outgoing, keys, None, now) {
        Err(PrepareFault::NeedsLink) => {}
        prepared => return Ok(prepared),
    }
    let event = outgoing.event;
    match content_link(engine, &event.tenant, &event.id).await? {
        Some(link) => Ok(prepare(outgoing, keys, Some(&link), now)),
        None => Ok(Err(PrepareFault::NeedsLink)),
    }
}

/// Opens the keys that sign now. The secret in use comes first, and during a rotation the one
/// before follows.
async fn signing_keys<E: Engine>(
    engine: &E,
    outgoing: Outgoing<'_>,
) -> Result<Vec<Key>, EngineError> {
    let Outgoing { endpoint, profile, .. } = outgoing;
    let context = SecretContext::endpoint(&endpoint.tenant, &endpoint.id);
    let mut keys = Vec::new();
    for sealed in endpoint.live_secrets(engine.clock().now()) {
        let secret = engine.key_vault().open(&context, &sealed.sealed).await?;
        keys.push(read_key(profile, &secret)?);
    }
    Ok(keys)
}

/// Reads the signing key from an opened secret, in the form that the profile's signatures use.
pub(crate) fn read_key(profile: &Profile, secret: &Secret) -> Result<Key, EngineError> {
    let text =
        secret.expose_text().map_err(|fault| EngineError::unreadable("open secret", fault))?;
    profile.dialect.key(text).map_err(|fault| EngineError::unreadable("open secret", fault))
}
