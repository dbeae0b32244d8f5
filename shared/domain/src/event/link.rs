//! Links to stored events: for a body that cannot hold its payload. Each is signed and expires.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::id::{EventId, TenantName};
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// How long a link is good, in seconds: longer than any retry policy's window.
const LINK_S: u64 = 30 * 86_400;

/// A link to an event's content, signed by its tenant's key, that is good from now on.
pub fn sign_link(
    key: &Secret,
    base: &str,
    tenant: &TenantName,
    event: &EventId,
    now: Timestamp,
) -> String {
    let expires = now.plus_s(LINK_S).seconds();
    let signature = hex::encode(mac(key, tenant, event, expires));
    write_link(base, tenant, event, expires, &signature)
}

/// A link of the same length that leads nowhere: for a look at a body.
pub fn sample_link(base: &str, tenant: &TenantName, event: &EventId, now: Timestamp) -> String {
    let expires = now.plus_s(LINK_S).seconds();
    write_link(base, tenant, event, expires, &hex::encode([0; 32]))
}

fn write_link(
    base: &str,
    tenant: &TenantName,
    event: &EventId,
    expires: u64,
    signature: &str,
) -> String {
    let path = format!("/v1/tenants/{tenant}/events/{event}/content");
    format!("{base}{path}?expires={expires}&signature={signature}")
}

/// Whether this key signed a link, and the time at which it expires (seconds since 1970) has not
/// come yet.
pub fn holds(
    key: &Secret,
    tenant: &TenantName,
    event: &EventId,
    expires: u64,
    signature: &str,
    now: Timestamp,
) -> bool {
    let expected = hex::encode(mac(key, tenant, event, expires));
    let is_ours = expected.as_bytes().ct_eq(signature.as_bytes());
    bool::from(is_ours) && now.seconds() < expires
}

fn mac(key: &Secret, tenant: &TenantName, event: &EventId, expires: u64) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    mac.update(format!("waxseal/content-link/v1\n{tenant}\n{event}\n{expires}").as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_until_it_expires_and_for_what_it_names_only() {
        let key = Secret::new(vec![7; 32]);
        let (tenant, other): (TenantName, TenantName) =
            ("acme".parse().unwrap(), "globex".parse().unwrap());
        let event: EventId = "e1".parse().unwrap();
        let signature = hex::encode(mac(&key, &tenant, &event, 1_000));
        let at =
            |s: u64| holds(&key, &tenant, &event, 1_000, &signature, Timestamp::from_ms(s * 1_000));
        assert!(at(999) && !at(1_000), "to the second");
        let now = Timestamp::from_ms(0);
        assert!(!holds(&key, &tenant, &event, 1_001, &signature, now), "not put off");
        assert!(!holds(&key, &other, &event, 1_000, &signature, now));
        assert!(!holds(&key, &tenant, &"e2".parse().unwrap(), 1_000, &signature, now));
        assert!(!holds(&key, &tenant, &event, 1_000, "", now));
        assert!(!holds(&Secret::new(vec![8; 32]), &tenant, &event, 1_000, &signature, now));
    }

    #[test]
    fn a_signed_link_names_its_event_and_holds_for_thirty_days() {
        let key = Secret::new(vec![7; 32]);
        let (tenant, event) = ("acme".parse().unwrap(), "e1".parse().unwrap());
        let now = Timestamp::from_ms(5_000);
        let link = sign_link(&key, "https://hooks.example", &tenant, &event, now);
        let expires = 5 + 30 * 24 * 3_600;
        let beginning = format!(
            "https://hooks.example/v1/tenants/acme/events/e1/content?expires={expires}&signature="
        );
        let signature = link.strip_prefix(&beginning).expect(&link);
        assert!(holds(&key, &tenant, &event, expires, signature, now));

        let sample = sample_link("https://hooks.example", &tenant, &event, now);
        assert_eq!(sample.len(), link.len());
        let signature = sample.strip_prefix(&beginning).expect(&sample);
        assert!(!holds(&key, &tenant, &event, expires, signature, now), "it leads nowhere");
    }
}
