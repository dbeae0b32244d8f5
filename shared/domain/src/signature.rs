//! Signatures: made for a delivery, verified for a hook. One function each, for all profiles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::profile::{Encoding, HeaderValue, Part, Profile, SignatureScheme};
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// What is signed beside the body.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The delivery's id.
    pub id: &'a str,
    /// The attempt's time, in seconds since 1970, as it stands in the header.
    pub timestamp: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

/// A hook that verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    /// The id to dedupe by.
    pub id: String,
}

/// Why a signature does not hold. Never holds the signature that was expected.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
pub enum SignatureFault {
    /// A header is missing.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// The timestamp is no number of seconds.
    #[error("the timestamp is not a whole number of seconds since 1970")]
    Timestamp,
    /// The timestamp is too far in the past.
    #[error("the timestamp is too old")]
    TooOld,
    /// The timestamp is too far in the future.
    #[error("the timestamp is in the future")]
    TooNew,
    /// No signature was made with a live secret over these bytes.
    #[error("no signature matches")]
    Mismatch,
}

/// The signature header's value: one signature a key, the first key's first.
///
/// A header that can carry one only gets the last key's: the oldest that still signs.
pub fn sign(scheme: &SignatureScheme, keys: &[Secret], signed: Signed<'_>) -> String {
    let one =
        |key: &Secret| format!("{}{}", scheme.prefix, encode(scheme, &mac(scheme, key, signed)));
    match scheme.separator {
        Some(separator) => keys.iter().map(one).collect::<Vec<_>>().join(&separator.to_string()),
        None => keys.last().map(one).unwrap_or_default(),
    }
}

/// Checks a hook: its headers are there, its time is near, and a live key made its signature.
///
/// `header` looks a header up by its lower-case name. Every key is tried against every signature,
/// in constant time for each.
pub fn verify<'a>(
    profile: &Profile,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    keys: &[Secret],
    now: Timestamp,
    tolerance_s: u64,
) -> Result<Verified, SignatureFault> {
    let required = |value| {
        let name = profile.header(value).unwrap_or_default();
        header(name).filter(|text| !text.is_empty()).ok_or(SignatureFault::Missing(name))
    };
    let id = required(HeaderValue::DeliveryId)?;
    let timestamp = required(HeaderValue::Timestamp)?;
    let signatures = required(HeaderValue::Signature)?;
    is_near(timestamp, now, tolerance_s)?;
    let scheme = &profile.signature;
    let signed = Signed { id, timestamp, body };
    let expected: Vec<[u8; 32]> = keys.iter().map(|key| mac(scheme, key, signed)).collect();
    let matches = split(scheme, signatures)
        .filter_map(|text| decode(scheme, text.strip_prefix(scheme.prefix)?))
        .flat_map(|given| expected.iter().map(move |mac| mac.ct_eq(&given)))
        .fold(subtle::Choice::from(0), |any, one| any | one);
    if bool::from(matches) {
        Ok(Verified { id: id.to_owned() })
    } else {
        Err(SignatureFault::Mismatch)
    }
}

fn is_near(timestamp: &str, now: Timestamp, tolerance_s: u64) -> Result<(), SignatureFault> {
    let digits = timestamp.bytes().all(|b| b.is_ascii_digit());
    let seconds: u64 =
        timestamp.parse().ok().filter(|_| digits).ok_or(SignatureFault::Timestamp)?;
    if seconds.saturating_add(tolerance_s) < now.seconds() {
        return Err(SignatureFault::TooOld);
    }
    if seconds > now.seconds().saturating_add(tolerance_s) {
        return Err(SignatureFault::TooNew);
    }
    Ok(())
}

/// The signatures in a header. A header has room for few, so more than 16 are not looked at.
fn split<'a>(scheme: &SignatureScheme, header: &'a str) -> impl Iterator<Item = &'a str> {
    let separator = scheme.separator.unwrap_or('\0');
    header.split(separator).take(16)
}

fn mac(scheme: &SignatureScheme, key: &Secret, signed: Signed<'_>) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes any key length");
    for part in scheme.signed {
        match part {
            Part::DeliveryId => mac.update(signed.id.as_bytes()),
            Part::Timestamp => mac.update(signed.timestamp.as_bytes()),
            Part::Text(text) => mac.update(text.as_bytes()),
            Part::Body => mac.update(signed.body),
        }
    }
    mac.finalize().into_bytes().into()
}

fn encode(scheme: &SignatureScheme, mac: &[u8; 32]) -> String {
    match scheme.encoding {
        Encoding::Base64 => BASE64.encode(mac),
    }
}

fn decode(scheme: &SignatureScheme, text: &str) -> Option<[u8; 32]> {
    match scheme.encoding {
        Encoding::Base64 => BASE64.decode(text).ok()?.try_into().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::STANDARD;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";

    fn key(text: &str) -> Secret {
        STANDARD.secret.key(text).unwrap()
    }

    /// The example of the Standard Webhooks specification and of its packages' own tests.
    #[test]
    fn makes_the_specifications_own_signature() {
        let signed = Signed { id: ID, timestamp: "1614265330", body: BODY };
        let keys = [key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        assert_eq!(
            sign(&STANDARD.signature, &keys, signed),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    fn check(
        signature: &str,
        timestamp: &str,
        body: &[u8],
        now_s: u64,
    ) -> Result<(), SignatureFault> {
        let header = |name: &str| match name {
            "webhook-id" => Some(ID),
            "webhook-timestamp" => Some(timestamp),
            "webhook-signature" => Some(signature),
            _ => None,
        };
        let keys = [key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let now = Timestamp::from_ms(now_s * 1_000);
        verify(&STANDARD, header, body, &keys, now, 300).map(|verified| assert_eq!(verified.id, ID))
    }

    #[test]
    fn verifies_one_good_signature_among_others() {
        let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let at = "1614265330";
        assert_eq!(check(good, at, BODY, 1_614_265_330), Ok(()));
        let many = format!("v1a,xxx v1,AAAA {good} v2,yyy");
        assert_eq!(check(&many, at, BODY, 1_614_265_330), Ok(()));
        assert_eq!(check(good, at, b"{}", 1_614_265_330), Err(SignatureFault::Mismatch));
        assert_eq!(check("v1,", at, BODY, 1_614_265_330), Err(SignatureFault::Mismatch));
        let missing = SignatureFault::Missing("webhook-signature");
        assert_eq!(check("", at, BODY, 1_614_265_330), Err(missing));
    }

    #[test]
    fn tolerates_five_minutes_and_no_more() {
        let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let at = "1614265330";
        assert_eq!(check(good, at, BODY, 1_614_265_630), Ok(()));
        assert_eq!(check(good, at, BODY, 1_614_265_631), Err(SignatureFault::TooOld));
        assert_eq!(check(good, at, BODY, 1_614_265_029), Err(SignatureFault::TooNew));
        assert_eq!(check(good, "+1614265330", BODY, 1_614_265_330), Err(SignatureFault::Timestamp));
    }

    #[test]
    fn both_keys_sign_while_one_rotates() {
        let keys = [key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Secret::new(vec![1; 32])];
        let signed = Signed { id: ID, timestamp: "1614265330", body: BODY };
        let header = sign(&STANDARD.signature, &keys, signed);
        assert_eq!(header.split(' ').count(), 2);
        assert_eq!(check(&header, "1614265330", BODY, 1_614_265_330), Ok(()));
    }
}
