//! Signing: a delivery's headers, and its body where the signature travels in that.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::algorithm::Algorithm;
use crate::json;
use crate::key::Key;
use crate::member::{append, cut};
use crate::message::Message;
use crate::profile::Profile;

/// A delivery that is to be signed.
#[derive(Clone, Copy)]
pub struct Delivery<'d, 'b> {
    /// The delivery's id, the same at every attempt.
    pub id: &'d str,
    /// The time of this attempt, in seconds since 1970.
    pub timestamp_s: u64,
    /// The body's bytes. Where the signature goes into the body, a JSON object.
    pub body: &'b [u8],
    /// Whether Standard Webhooks' three headers go beside the profile's own, where it takes them.
    pub standard_beside: bool,
    /// The values of other variables in headers (`type`, `event_id`, `attempt` …); a header
    /// without a value for each is left out.
    pub variable: &'d dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Delivery<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A delivery that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest<'b> {
    /// The headers to add: names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body: as it was given, unless the signature is in it.
    pub body: Cow<'b, [u8]>,
}

/// Why a delivery cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignFault {
    /// No key, and the profile's secret is not optional.
    #[error("the profile signs every hook, and there is no key")]
    NoKey,
    /// A key that only verifies, or of an algorithm that the profile does not have.
    #[error("a key cannot sign for this profile")]
    Key,
    /// The id has the text in it that follows it in what is signed: another hook could have the
    /// same signature.
    #[error("the id must not contain what follows it in the signed text")]
    Id,
    /// A header's value is empty, over 4096 bytes, or not printable ASCII.
    #[error("the header {0} would not be printable ASCII of 1 to 4096 bytes")]
    Header(String),
    /// The signature goes into the body, and the body is no JSON object.
    #[error("the body must be a JSON object")]
    Body,
}

impl Profile {
    /// Signs a delivery with every live key, the one in use first.
    ///
    /// Where the header carries one signature only it is the *last* key's: that of the secret
    /// whose overlap still runs, which receivers are sure to have. Without keys nothing is
    /// signed, where the profile allows it.
    pub fn sign<'b>(
        &self,
        keys: &[Key],
        delivery: Delivery<'_, 'b>,
    ) -> Result<SignedRequest<'b>, SignFault> {
        if keys.is_empty() && !self.secret.optional {
            return Err(SignFault::NoKey);
        }
        if self.is_ambiguous(delivery.id) {
            return Err(SignFault::Id);
        }
        let timestamp = delivery.timestamp_s.to_string();
        let covered = self.cover(keys, delivery.body)?;
        let message = Message::new(&self.signed, Some(delivery.id), Some(&timestamp), &covered);
        let signatures = self.signatures(keys, &message)?;
        let body = match (&self.body_member, &signatures) {
            (Some(name), Some(value)) => Cow::Owned(with_member(&covered, name, value)?),
            _ => covered,
        };
        let mut headers = self.headers(delivery, &timestamp, signatures.as_deref())?;
        if delivery.standard_beside && self.takes_standard_beside() {
            headers.extend(sign_standard_beside(keys, Delivery { body: &body, ..delivery })?);
        }
        Ok(SignedRequest { headers, body })
    }

    /// The body that is signed: compact and without the signature, where that goes into it.
    fn cover<'a>(&self, keys: &[Key], body: &'a [u8]) -> Result<Cow<'a, [u8]>, SignFault> {
        let Some(name) = self.body_member.as_deref().filter(|_| !keys.is_empty()) else {
            return Ok(Cow::Borrowed(body));
        };
        let text = std::str::from_utf8(body).ok().and_then(json::stringify);
        let cut = text.and_then(|written| cut(&written.text, name)).ok_or(SignFault::Body)?;
        Ok(Cow::Owned(cut.text.into_bytes()))
    }

    fn signatures(&self, keys: &[Key], message: &Message<'_>) -> Result<Option<String>, SignFault> {
        let signs = match (&self.join, keys.split_last()) {
            (None, Some((last, _))) => std::slice::from_ref(last),
            _ => keys,
        };
        let items: Option<Vec<String>> = signs
            .iter()
            .map(|key| {
                let variant = self.variant(key.algorithm())?;
                let signature = variant.encoding.encode(&key.sign(message)?);
                Some(format!("{}{signature}{}", variant.before, variant.after))
            })
            .collect();
        let items = items.ok_or(SignFault::Key)?;
        let join = self.join.as_deref().unwrap_or_default();
        Ok((!items.is_empty()).then(|| items.join(join)))
    }

    fn headers(
        &self,
        delivery: Delivery<'_, '_>,
        timestamp: &str,
        signatures: Option<&str>,
    ) -> Result<Vec<(String, String)>, SignFault> {
        let value = |name: &str| match name {
            "id" => Some(delivery.id.to_owned()),
            "timestamp" => Some(timestamp.to_owned()),
            "signatures" => signatures.map(str::to_owned),
            _ => (delivery.variable)(name),
        };
        let filled = self
            .headers
            .iter()
            .filter_map(|header| Some((&header.name, header.template.fill(value)?)));
        filled
            .map(|(name, value)| {
                let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                if printable && (1..=4096).contains(&value.len()) {
                    Ok((name.clone(), value))
                } else {
                    Err(SignFault::Header(name.clone()))
                }
            })
            .collect()
    }

    /// Whether an id holds what follows it in the signed text: then two hooks read as one.
    pub(crate) fn is_ambiguous(&self, id: &str) -> bool {
        self.signed.after("id").is_some_and(|after| id.contains(after))
    }
}

/// Standard Webhooks' three headers, signed by the keys derived from all that are live.
fn sign_standard_beside(
    keys: &[Key],
    delivery: Delivery<'_, '_>,
) -> Result<Vec<(String, String)>, SignFault> {
    let derived: Vec<Key> = keys.iter().filter_map(Key::standard).collect();
    let all_hmac = keys.iter().all(|key| key.algorithm() == Algorithm::HmacSha256);
    if derived.is_empty() || !all_hmac {
        return Ok(Vec::new());
    }
    Ok(Profile::standard().sign(&derived, delivery)?.headers)
}

fn with_member(covered: &[u8], name: &str, value: &str) -> Result<Vec<u8>, SignFault> {
    let text = std::str::from_utf8(covered).ok();
    let body = text.and_then(|text| append(text, name, value)).ok_or(SignFault::Body)?;
    Ok(body.into_bytes())
}
