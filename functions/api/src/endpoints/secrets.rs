//! Endpoints' secrets: made or taken, sealed, shown once; two live while one rotates.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types as api;
use waxseal_api_types::endpoint::{Rotation, ShownSecret};
use waxseal_domain::endpoint::secret_choice::{SecretChoice, SecretWish};
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::limits::{OVERLAP_DEFAULT_S, OVERLAP_S};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_flows::ports::{Clock as _, Engine, EngineError, KeyVault as _};
use waxseal_flows::profiles::profile_of;
use waxseal_verify::Algorithm;

use super::stored::{find, write};
use crate::OperationResult;
use crate::body::{Body, PatchValue, describe};
use crate::call::TenantCall;

const ALGORITHMS: [&str; 2] = ["hmac-sha256", "ed25519"];

/// Reads `secret` and `algorithm`, and decides what they come to as far as the profile allows.
pub(super) fn read_choice(body: &mut Body<'_>, profile: &Profile) -> SecretChoice {
    let secret = body.text("secret", 256);
    body.about("secret", || json!({"minLength": 8, "pattern": "^[ -~]+$"}));
    let given = body.word("algorithm", &ALGORITHMS).value();
    let wish = match secret {
        PatchValue::Value(text) => SecretWish::Given(text),
        PatchValue::Null => SecretWish::Unsigned,
        PatchValue::Absent => SecretWish::Made,
    };
    let algorithm = given.map(|word| match word {
        "ed25519" => Algorithm::Ed25519,
        _ => Algorithm::HmacSha256,
    });
    match SecretChoice::decide(wish, algorithm, profile) {
        Ok(choice) => choice,
        Err(faults) => {
            for fault in faults {
                body.fault_once(fault);
            }
            SecretChoice::default()
        }
    }
}

/// A secret just made or given: what is shown once, and what is kept.
pub(super) struct Made {
    /// As it is stored.
    pub(super) sealed: SealedSecret,
    /// The secret as the answer shows it, this once.
    pub(super) shown: ShownSecret,
}

/// Shows a secret that is in a profile's form.
pub(super) fn show(profile: &Profile, text: &str) -> Result<ShownSecret, EngineError> {
    let read = profile.dialect.key(text);
    let key = read.map_err(|fault| EngineError::unreadable("show secret", fault))?;
    Ok(ShownSecret {
        secret: Some(text.to_owned()),
        standard_secret: key.standard_text().map(|text| text.to_string()),
    })
}

/// Seals the secret that was given, or a new one; none where none is wanted.
pub(super) async fn seal<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoint: &EndpointId,
    profile: &Profile,
    choice: SecretChoice,
) -> Result<Option<Made>, EngineError> {
    let dialect = &profile.dialect;
    let text = match choice {
        SecretChoice::Unsigned => return Ok(None),
        SecretChoice::Text(text) => text,
        SecretChoice::New => dialect.generate_secret(engine.random_bytes()).to_string(),
        SecretChoice::NewEd25519 => {
            let text = dialect.generate_signing_secret(engine.random_bytes());
            let text = text.ok_or_else(|| EngineError::unreadable("make secret", "no ed25519"))?;
            text.to_string()
        }
    };
    let shown = show(profile, &text)?;
    let key = dialect.key(&text).map_err(|fault| EngineError::unreadable("read secret", fault))?;
    let public_key = key.public_text();
    let secret = Secret::new(text.into_bytes());
    let context = SecretContext::endpoint(tenant, endpoint);
    let sealed = engine.key_vault().seal(&context, &secret).await?;
    let created_at = engine.clock().now();
    let sealed = SealedSecret { sealed, created_at, until: None, public_key };
    Ok(Some(Made { sealed, shown }))
}

/// Describes the body of a rotation as a JSON Schema.
pub(super) fn describe_rotation() -> Value {
    let profile = Profile::standard();
    describe::<Rotation>(|body| {
        let _read = read_rotation(body, &profile);
    })
}

fn read_rotation(body: &mut Body<'_>, profile: &Profile) -> (SecretChoice, u64) {
    let choice = read_choice(body, profile);
    body.not_null("secret");
    let overlap_s = body.whole("overlap_s", OVERLAP_S).value().unwrap_or(OVERLAP_DEFAULT_S);
    (choice, overlap_s)
}

/// Replaces an endpoint's secret. An overlap under two minutes is refused: instances keep copies of an
/// endpoint for one, and receivers need a moment as well.
pub(super) async fn rotate<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let endpoint = find(&call, id).await?;
    let profile = profile_of(call.engine, &endpoint).await?;
    let mut body = Body::read(call.request)?;
    let (choice, overlap_s) = read_rotation(&mut body, &profile);
    body.finish()?;
    let choice = choice.after(&endpoint);
    let made = seal(call.engine, call.tenant, &endpoint.id, &profile, choice).await?;
    let Some(Made { sealed, shown }) = made else {
        return Err(Problem::not_found().into());
    };
    let until = sealed.created_at.plus_s(overlap_s);
    let public_key = sealed.public_key.clone();
    write(&call, id, "endpoint.secret_rotated", |endpoint, _| {
        endpoint.rotate_secret(sealed.clone(), until)
    })
    .await?;
    Ok(http::json(
        200,
        &api::endpoint::Secret { shown, public_key, overlap_until: until.rfc3339() },
    ))
}
