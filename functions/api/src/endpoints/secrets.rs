//! Endpoints' secrets: made or taken, sealed, shown once; two live while one rotates.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types as api;
use waxseal_api_types::endpoint::ShownSecret;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::ports::{Clock as _, Engine, EngineError, KeyVault as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_verify::Algorithm;

use super::write;
use crate::Answer;
use crate::body::{Body, Given, describe};
use crate::call::TenantCall;

/// Seconds for which the secret before still signs, if not said: a day.
const OVERLAP_S: u64 = 86_400;

const ALGORITHMS: [&str; 2] = ["hmac-sha256", "ed25519"];
const SECRET: &str = "Of the profile's form; a new one if left out; null where the profile lets \
                      deliveries go unsigned";

/// Which secret an endpoint is to have.
#[derive(Clone, Debug, Default)]
pub(super) enum WantedSecret {
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

impl WantedSecret {
    /// Of `secret` and `algorithm`, as far as the profile allows.
    pub(super) fn read(body: &mut Body<'_>, profile: &Profile) -> Self {
        let secret = body.text("secret", 256);
        body.about(
            "secret",
            || json!({"description": SECRET, "minLength": 8, "pattern": "^[ -~]+$"}),
        );
        let algorithm = body.word("algorithm", &ALGORITHMS);
        body.about("algorithm", || json!({"description": "Of a new secret"}));
        let has_ed25519 = profile.dialect.algorithms().any(|one| one == Algorithm::Ed25519);
        let is_ed25519 = algorithm == Given::Value("ed25519");
        if is_ed25519 && !has_ed25519 {
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
    pub(super) shown: ShownSecret,
}

/// Shows a secret that is in a profile's form.
pub(super) fn show(profile: &Profile, text: &str) -> Result<ShownSecret, EngineError> {
    let key = profile.dialect.key(text);
    let key = key.map_err(|fault| EngineError::new("show secret", fault))?;
    Ok(ShownSecret {
        secret: Some(text.to_owned()),
        standard_secret: key.standard_text().map(|text| text.to_string()),
        public_key: key.public_text(),
    })
}

/// Seals the secret that was given, or a new one; none where none is wanted.
pub(super) async fn seal<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoint: &EndpointId,
    profile: &Profile,
    wanted: WantedSecret,
) -> Result<Option<Made>, EngineError> {
    let dialect = &profile.dialect;
    let text = match wanted {
        WantedSecret::None => return Ok(None),
        WantedSecret::Text(text) => text,
        WantedSecret::New => dialect.generate_secret(engine.random_bytes()).to_string(),
        WantedSecret::NewEd25519 => {
            let text = dialect.generate_signing_secret(engine.random_bytes());
            let text = text.ok_or_else(|| EngineError::new("make secret", "no ed25519"))?;
            text.to_string()
        }
    };
    let shown = show(profile, &text)?;
    let secret = Secret::new(text.into_bytes());
    let context = SecretContext::endpoint(tenant, endpoint);
    let sealed = engine.key_vault().seal(&context, &secret).await?;
    let created_at = engine.clock().now();
    let public_key = shown.public_key.clone();
    let sealed = SealedSecret { sealed, created_at, until: None, public_key };
    Ok(Some(Made { sealed, shown }))
}

/// Describes a rotation.
pub(super) fn describe_rotation() -> Value {
    let profile = Profile::standard();
    describe(|body| {
        let _read = read_rotation(body, &profile);
    })
}

fn read_rotation(body: &mut Body<'_>, profile: &Profile) -> (WantedSecret, u64) {
    let wanted = WantedSecret::read(body, profile);
    body.not_null("secret");
    let overlap_s = body.whole("overlap_s", 120..=30 * 86_400).value().unwrap_or(OVERLAP_S);
    (wanted, overlap_s)
}

/// Replaces an endpoint's secret. An overlap under two minutes is refused: instances keep copies of an
/// endpoint for one, and receivers need a moment as well.
pub(super) async fn rotate<E: Engine>(call: TenantCall<'_, E>, id: &str) -> Answer {
    let endpoint = super::find(&call, id).await?;
    let profile = Profile::of(call.engine, &endpoint).await?;
    let mut body = Body::read(call.request)?;
    let (wanted, overlap_s) = read_rotation(&mut body, &profile);
    body.finish()?;
    // A new one is of the algorithm of the one before.
    let signs_ed25519 = endpoint.secrets.first().is_some_and(|one| one.public_key.is_some());
    let is_new = matches!(wanted, WantedSecret::New);
    let wanted = if is_new && signs_ed25519 { WantedSecret::NewEd25519 } else { wanted };
    let made = seal(call.engine, call.tenant, &endpoint.id, &profile, wanted).await?;
    let Some(Made { sealed, shown }) = made else {
        return Err(Problem::not_found().into());
    };
    let until = sealed.created_at.plus_s(overlap_s);
    let rotated = |endpoint: Endpoint, _| endpoint.rotated(sealed.clone(), until);
    write(&call, id, "endpoint.secret_rotated", rotated).await?;
    Ok(http::json(200, &api::endpoint::Secret { shown, overlap_until: until.rfc3339() }))
}
