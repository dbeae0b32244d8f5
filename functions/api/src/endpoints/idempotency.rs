//! A request with an `Idempotency-Key` configures one endpoint, however often it is sent: the endpoint's
//! id is made of the key. Repeated, it is answered as at first, but for the ping.

use http::HeaderValue;
use waxseal_adapters::http::{Request, Response};
use waxseal_api_types::endpoint::ShownSecret;
use waxseal_domain::endpoint::idempotency::{KeyedRequest, secret_to_show};
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::SecretContext;
use waxseal_flows::ports::{
    Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _, MaxAge,
};

use super::created::answer_created;
use super::secrets::show;
use crate::Refusal;
use crate::call::TenantCall;

/// A request that may be sent again, if it has a key.
pub(super) struct Once(Option<KeyedRequest>);

impl Once {
    pub(super) fn read(request: &Request, tenant: &TenantName) -> Result<Self, Problem> {
        let Some(header) = request.headers().get("idempotency-key") else { return Ok(Self(None)) };
        // What is no text becomes an empty key, which is refused as any other that is not in its form.
        let key = header.to_str().unwrap_or_default();
        let keyed = KeyedRequest::read(tenant, key, request.body());
        match keyed {
            Some(keyed) => Ok(Self(Some(keyed))),
            None => Err(Problem::bad_request(format!(
                "Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible characters"
            ))),
        }
    }

    pub(super) fn endpoint_id(&self) -> Option<EndpointId> {
        self.0.as_ref().map(|keyed| keyed.endpoint_id.clone())
    }

    pub(super) fn digest(&self) -> Option<String> {
        self.0.as_ref().map(|keyed| keyed.digest.clone())
    }

    /// Repeats the first request's answer, where this is not the first: 422 for another body.
    pub(super) async fn repeat_answer<E: Engine>(
        &self,
        call: &TenantCall<'_, E>,
        profile: &Profile,
    ) -> Result<Option<Response>, Refusal> {
        let Some(keyed) = &self.0 else { return Ok(None) };
        let found =
            call.engine.store().endpoint(call.tenant, &keyed.endpoint_id, MaxAge::NOW).await?;
        let Some(endpoint) = found else { return Ok(None) };
        if !keyed.has_created(&endpoint) {
            let detail = "this Idempotency-Key was sent with another body before";
            return Err(Problem::unprocessable(vec![Fault::new("", detail)]).into());
        }
        let now = call.engine.clock().now();
        let shown = match secret_to_show(&endpoint, now) {
            None => ShownSecret::default(),
            Some(sealed) => {
                let context = SecretContext::endpoint(call.tenant, &endpoint.id);
                let secret = call.engine.key_vault().open(&context, &sealed.sealed).await?;
                let text = secret.expose_text();
                show(profile, text.map_err(|fault| EngineError::unreadable("open secret", fault))?)?
            }
        };
        let mut response = answer_created(call, &endpoint, profile, shown, None);
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert("idempotent-replayed", replayed);
        Ok(Some(response))
    }
}
