//! Endpoints' secrets: made or taken, sealed, shown once; two live while one rotates.

use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::ports::{Clock as _, Engine, EngineError, KeyVault as _};
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_verify::Algorithm;

use super::write;
use crate::body::{Body, Given};
use crate::{Answer, Call};

/// Seconds for which the secret before still signs, if not said: a day.
const OVERLAP_S: u64 = 86_400;

/// Which secret an endpoint is to have.
#[derive(Clone, Debug, Default)]
pub(super) enum Wanted {
    /// A new one of the profile's usual algorithm.
    #[default]
    New,
    /// A new one that signs with ed25519.
    NewEd25519,
    /// This one.
    Text(String),
    /// None: its deliveries go unsigned.
    None,
}

impl Wanted {
    /// Of `secret` and `algorithm`, as far as the profile allows.
    pub(super) fn read(body: &mut Body<'_>, profile: &Profile) -> Self {
        let secret = body.text("secret", 256);
        let algorithm = body.text("algorithm", 32);
        let has_ed25519 = profile.dialect.algorithms().any(|one| one == Algorithm::Ed25519);
        let is_ed25519 = algorithm == Given::Value("ed25519".to_owned());
        let is_known = |name: &String| name == "hmac-sha256" || (is_ed25519 && has_ed25519);
        if algorithm.value().is_some_and(|name| !is_known(&name)) {
            body.fault("algorithm", "is not one of the profile's");
        }
        match secret {
            Given::Value(text) => {
                let key = profile.dialect.key(&text);
                match key.map(|key| (key.public().is_some(), text.starts_with("whpk_"))) {
                    Ok((public, false)) if public || !is_ed25519 => {}
                    Ok((_, true)) => body.fault("secret", "must be able to sign: whsk_, not whpk_"),
                    Ok(_) => body.fault("secret", "must be whsk_ for ed25519"),
                    Err(fault) => body.fault("secret", &fault.to_string()),
                }
                Self::Text(text)
            }
            Given::Null => {
                if !profile.dialect.secret_is_optional() {
                    body.fault("secret", "must not be null: this profile signs every delivery");
                }
                Self::None
            }
            Given::Absent if is_ed25519 => Self::NewEd25519,
            Given::Absent => Self::New,
        }
    }
}

/// A secret just made or given: what is shown once, and what is kept.
pub(super) struct Made {
    /// As it is stored.
    pub(super) sealed: SealedSecret,
    /// What is shown.
    pub(super) shown: Shown,
}

/// What is shown of a secret, once.
#[derive(Clone, Default, Serialize)]
pub(super) struct Shown {
    /// The secret; null where there is none.
    secret: Option<String>,
    /// The key of Standard Webhooks' headers, where those stand beside the profile's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_secret: Option<String>,
    /// The public key, of a secret that signs with ed25519.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
}

/// Seals the secret that was given, or a new one; none where none is wanted.
pub(super) async fn seal<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoint: &EndpointId,
    profile: &Profile,
    wanted: Wanted,
) -> Result<Option<Made>, EngineError> {
    let dialect = &profile.dialect;
    let text = match wanted {
        Wanted::None => return Ok(None),
        Wanted::Text(text) => text,
        Wanted::New => dialect.generate_secret(engine.random_bytes()).to_string(),
        Wanted::NewEd25519 => {
            let text = dialect.generate_signing_secret(engine.random_bytes());
            let text = text.ok_or_else(|| EngineError::new("make secret", "no ed25519"))?;
            text.to_string()
        }
    };
    let key = dialect.key(&text).map_err(|fault| EngineError::new("make secret", fault))?;
    let public_key = key.public_text();
    let standard_secret = key.standard_text().map(|text| text.to_string());
    let secret = Secret::new(text.clone().into_bytes());
    let context = SecretContext::endpoint(tenant, endpoint);
    let sealed = engine.key_vault().seal(&context, &secret).await?;
    let created_at = engine.clock().now();
    let sealed = SealedSecret { sealed, created_at, until: None, public_key: public_key.clone() };
    let shown = Shown { secret: Some(text), standard_secret, public_key };
    Ok(Some(Made { sealed, shown }))
}

#[derive(Serialize)]
struct Rotated {
    #[serde(flatten)]
    shown: Shown,
    /// Until when the secret before signs too.
    overlap_until: String,
}

/// `POST …/rotate-secret`. An overlap under two minutes is refused: instances keep copies of an
/// endpoint for one, and receivers need a moment as well.
pub(super) async fn rotate<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    let endpoint = super::find(&call, id).await?;
    let profile = Profile::of(call.engine, &endpoint).await?;
    let mut body = Body::read(call.request)?;
    let wanted = Wanted::read(&mut body, &profile);
    if matches!(wanted, Wanted::None) {
        body.fault("secret", "must not be null: there is nothing to rotate to");
    }
    let overlap_s = body.whole("overlap_s", 120..=30 * 86_400).value().unwrap_or(OVERLAP_S);
    body.finish()?;
    // A new one is of the algorithm of the one before.
    let signs_ed25519 = endpoint.secrets.first().is_some_and(|one| one.public_key.is_some());
    let is_new = matches!(wanted, Wanted::New);
    let wanted = if is_new && signs_ed25519 { Wanted::NewEd25519 } else { wanted };
    let made = seal(call.engine, call.tenant, id, &profile, wanted).await?;
    let Some(Made { sealed, shown }) = made else {
        return Err(waxseal_domain::problem::Problem::not_found().into());
    };
    let until = sealed.created_at.plus_s(overlap_s);
    write(&call, id, |endpoint, _| endpoint.rotated(sealed.clone(), until)).await?;
    Ok(http::json(200, &Rotated { shown, overlap_until: until.rfc3339() }))
}
