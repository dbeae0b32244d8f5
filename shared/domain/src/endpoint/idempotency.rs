//! Idempotency of an endpoint's creation: a request with an `Idempotency-Key` creates one endpoint, however
//! often it is sent.
//!
//! The endpoint's id is made of the key, so that the condition "there is none of that id" is what makes it
//! once, and no table of keys is kept (decision 0006).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::endpoint::Endpoint;
use crate::id::{EndpointId, TenantName};
use crate::limits::{IDEMPOTENCY_KEY_CHARS_MAX, SECRET_SHOWN_S};
use crate::secret::SealedSecret;
use crate::timestamp::Timestamp;

/// A request for an endpoint that may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// The id of the endpoint that it creates.
    pub endpoint_id: EndpointId,
    /// What the endpoint keeps of the request's body, to tell a repeated request from another one. It is
    /// made under the key, so that a stored one tells nothing of the body.
    pub digest: String,
}

impl KeyedRequest {
    /// Reads a request with this key; none where it is not 1 to 128 visible ASCII characters.
    pub fn read(tenant: &TenantName, key: &str, body: &[u8]) -> Option<Self> {
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible || !(1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) {
            return None;
        }
        let name = format!("waxseal/endpoint/v1\n{tenant}\n{key}");
        let hash = Sha256::digest(name.as_bytes());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.iter()).for_each(|(byte, from)| *byte = *from);
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(body);
        let digest = hex::encode(mac.finalize().into_bytes());
        let endpoint_id = EndpointId::from_entropy(u128::from_be_bytes(bytes));
        Some(Self { endpoint_id, digest })
    }

    /// Says whether the endpoint was created by this request: by the same key, and with the same body.
    pub fn has_created(&self, endpoint: &Endpoint) -> bool {
        endpoint.id == self.endpoint_id && endpoint.request_digest.as_ref() == Some(&self.digest)
    }
}

/// The secret that a repeated request is shown again: the endpoint's first one, for a day, unless it was
/// rotated.
pub fn secret_to_show(endpoint: &Endpoint, now: Timestamp) -> Option<&SealedSecret> {
    let secret = endpoint.secrets.first()?;
    // One that is newer than its endpoint has been rotated.
    let is_first = secret.created_at <= endpoint.created_at;
    (is_first && now < secret.created_at.plus_s(SECRET_SHOWN_S)).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tenant: &str, key: &str, body: &str) -> Option<KeyedRequest> {
        KeyedRequest::read(&tenant.parse().unwrap(), key, body.as_bytes())
    }

    fn endpoint(keyed: &KeyedRequest) -> Endpoint {
        let created_at = Timestamp::from_ms(5_000);
        let (id, tenant) = (keyed.endpoint_id.clone(), "acme".parse().unwrap());
        let secret = SealedSecret {
            sealed: String::new(),
            created_at: Timestamp::from_ms(4_000),
            until: None,
            public_key: None,
        };
        Endpoint {
            request_digest: Some(keyed.digest.clone()),
            secrets: vec![secret],
            ..Endpoint::new(id, tenant, "standard".to_owned(), created_at)
        }
    }

    #[test]
    fn a_key_is_visible_ascii() {
        assert!(read("acme", "k-1", "{}").is_some());
        assert_eq!(read("acme", &"k".repeat(128), "{}").map(|_| ()), Some(()));
        for key in ["", "a b", "ä", &"k".repeat(129)] {
            assert_eq!(read("acme", key, "{}"), None, "{key}");
        }
    }

    #[test]
    fn the_id_is_the_keys_and_the_tenants_and_the_digest_the_bodys() {
        let first = read("acme", "k", "{}").unwrap();
        assert_eq!(read("acme", "k", "{}"), Some(first.clone()));
        let other_body = read("acme", "k", "{ }").unwrap();
        assert_eq!(other_body.endpoint_id, first.endpoint_id);
        assert_ne!(other_body.digest, first.digest);
        assert_ne!(read("acme", "l", "{}").unwrap().endpoint_id, first.endpoint_id);
        assert_ne!(read("other", "k", "{}").unwrap().endpoint_id, first.endpoint_id);
        assert!(first.has_created(&endpoint(&first)) && !other_body.has_created(&endpoint(&first)));
    }

    #[test]
    fn the_first_secret_is_shown_for_a_day() {
        let mut endpoint = endpoint(&read("acme", "k", "{}").unwrap());
        let last = Timestamp::from_ms(4_000 + SECRET_SHOWN_S * 1_000 - 1);
        assert!(secret_to_show(&endpoint, last).is_some());
        assert!(secret_to_show(&endpoint, last.plus_ms(1)).is_none());
        endpoint.secrets[0].created_at = Timestamp::from_ms(6_000);
        assert!(secret_to_show(&endpoint, last).is_none(), "it was rotated");
        endpoint.secrets.clear();
        assert!(secret_to_show(&endpoint, last).is_none());
    }
}
