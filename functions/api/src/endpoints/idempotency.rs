//! A request with an `Idempotency-Key` configures one endpoint, however often it is sent: the endpoint's
//! id is made of the key. Repeated, it is answered as at first, but for the ping.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use sha2::{Digest, Sha256};
use waxseal_adapters::http::{Request, Response};
use waxseal_api_types::endpoint::ShownSecret;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::json::Fault;
use waxseal_domain::ports::{Clock as _, ConfigStore as _, Engine, KeyVault as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::SecretContext;

use super::created;
use super::secrets::show;
use crate::Refusal;
use crate::call::TenantCall;

/// Characters of a key.
const KEY_CHARS_MAX: usize = 128;
/// How long after it was made a secret is shown to a repeated request, in seconds.
const SHOWN_S: u64 = 86_400;

/// A request that may be sent again.
pub(super) struct Once(Option<Keyed>);

struct Keyed {
    id: EndpointId,
    /// Of the body, under the key: a stored one tells nothing of the body.
    digest: String,
}

impl Once {
    pub(super) fn of(request: &Request, tenant: &TenantName) -> Result<Self, Problem> {
        let Some(key) = request.headers().get("idempotency-key") else { return Ok(Self(None)) };
        let key = key.to_str().ok().filter(|key| {
            (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        });
        let Some(key) = key else {
            let detail = format!("Idempotency-Key must be 1 to {KEY_CHARS_MAX} visible characters");
            return Err(Problem::bad_request(detail));
        };
        let name = format!("waxseal/endpoint/v1\n{tenant}\n{key}");
        let hash = Sha256::digest(name.as_bytes());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.iter()).for_each(|(byte, from)| *byte = *from);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map_err(|_| Problem::bad_request("Idempotency-Key is no key"))?;
        mac.update(request.body());
        let digest = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self(Some(Keyed { id: EndpointId::from_entropy(u128::from_be_bytes(bytes)), digest })))
    }

    pub(super) fn endpoint_id(&self) -> Option<EndpointId> {
        self.0.as_ref().map(|keyed| keyed.id.clone())
    }

    pub(super) fn digest(&self) -> Option<String> {
        self.0.as_ref().map(|keyed| keyed.digest.clone())
    }

    /// The first request's answer, where this is not the first: 422 for another body.
    pub(super) async fn answered<E: Engine>(
        &self,
        call: &TenantCall<'_, E>,
        profile: &Profile,
    ) -> Result<Option<Response>, Refusal> {
        let Some(keyed) = &self.0 else { return Ok(None) };
        let found = call.engine.store().endpoint(call.tenant, &keyed.id, 0).await?;
        let Some(endpoint) = found else { return Ok(None) };
        if endpoint.request_digest.as_ref() != Some(&keyed.digest) {
            let detail = "this Idempotency-Key came with another body before";
            return Err(Problem::unprocessable(vec![Fault::new("", detail)]).into());
        }
        let now = call.engine.clock().now();
        let first = endpoint.secrets.first().filter(|secret| {
            secret.created_at <= endpoint.created_at && now < secret.created_at.plus_s(SHOWN_S)
        });
        let shown = match first {
            None => ShownSecret::default(),
            Some(sealed) => {
                let context = SecretContext::endpoint(call.tenant, &endpoint.id);
                let secret = call.engine.key_vault().open(&context, &sealed.sealed).await?;
                show(profile, secret.expose_text().unwrap_or_default())?
            }
        };
        let mut response = created(call, (&endpoint, profile), shown, None);
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert("idempotent-replayed", replayed);
        Ok(Some(response))
    }
}
