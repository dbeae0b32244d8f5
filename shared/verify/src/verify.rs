//! Verifying: its headers are there, its time is near, and a live key made its signature.

use subtle::Choice;
use thiserror::Error;

use crate::algorithm::Algorithm;
use crate::carried::CarriedParts;
use crate::key::Key;
use crate::member::coverable_bodies;
use crate::message::Message;
use crate::profile::Profile;
use crate::window::Window;

/// A hook that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHook {
    /// The id to dedupe by, where a header carries one. Signed with Standard Webhooks' headers,
    /// and with others as good as the sender's word.
    pub id: Option<String>,
    /// When it was sent, in seconds since 1970, where that is said.
    pub timestamp: Option<u64>,
}

/// Why a hook does not verify. Never holds the signature that was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// No key was given, so nothing can be verified.
    #[error("there is no key to verify with")]
    NoKey,
    /// A header is missing, or lacks its part.
    #[error("the header {0} is missing or incomplete")]
    Missing(String),
    /// A header is longer than any signature needs.
    #[error("the header {0} is too long")]
    TooLong(String),
    /// The id has the text in it that follows it in what is signed.
    #[error("the id is ambiguous in the signed text")]
    Id,
    /// The timestamp is no number of seconds.
    #[error("the timestamp is not a whole number of seconds since 1970")]
    Timestamp,
    /// The timestamp is too far in the past.
    #[error("the timestamp is too old")]
    TooOld,
    /// The timestamp is too far in the future.
    #[error("the timestamp is in the future")]
    TooNew,
    /// No signature was made with a given key over these bytes.
    #[error("no signature matches")]
    Mismatch,
}

impl Profile {
    /// Verifies a hook.
    ///
    /// `header` looks a header up by its lower-case name; `body` is the raw bytes; `keys` are all
    /// that are live. Every key is tried against every signature, in constant time for each. Where
    /// Standard Webhooks' headers stand beside the profile's own, they must hold as well.
    pub fn verify<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        keys: &[Key],
        window: Window,
    ) -> Result<VerifiedHook, Fault> {
        if keys.is_empty() {
            return Err(Fault::NoKey);
        }
        let own = self.verify_own(&header, body, keys, window)?;
        let Some(beside) = self.verify_beside(&header, body, keys, window)? else { return Ok(own) };
        Ok(VerifiedHook { id: beside.id, timestamp: beside.timestamp })
    }

    fn verify_own<'h>(
        &self,
        header: &impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        keys: &[Key],
        window: Window,
    ) -> Result<VerifiedHook, Fault> {
        let mut carried = CarriedParts::read(self, header, body);
        if !carried.faults.is_empty() {
            return Err(carried.faults.swap_remove(0));
        }
        let timestamp = carried.timestamp.map(|text| window.admit(text)).transpose()?;
        if !bool::from(self.matches(&carried, body, keys)) {
            return Err(Fault::Mismatch);
        }
        Ok(VerifiedHook { id: carried.id.map(str::to_owned), timestamp })
    }

    /// Standard Webhooks' headers beside the profile's own; none where they are not there.
    pub(crate) fn verify_beside<'h>(
        &self,
        header: &impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        keys: &[Key],
        window: Window,
    ) -> Result<Option<VerifiedHook>, Fault> {
        let standard = Self::standard();
        let there = standard.signature_header().and_then(header).is_some();
        let all_hmac = keys.iter().all(|key| key.algorithm() == Algorithm::HmacSha256);
        if !(there && all_hmac && self.takes_standard_beside()) {
            return Ok(None);
        }
        let derived: Vec<Key> = keys.iter().filter_map(Key::standard).collect();
        standard.verify_own(header, body, &derived, window).map(Some)
    }

    fn matches(&self, carried: &CarriedParts<'_>, body: &[u8], keys: &[Key]) -> Choice {
        let mut any = Choice::from(0);
        for body in coverable_bodies(body, self.body_member.as_deref()) {
            let message = Message::new(&self.signed, carried.id, carried.timestamp, &body);
            for key in keys {
                let Some(variant) = self.variant(key.algorithm()) else { continue };
                let given: Vec<Vec<u8>> = carried
                    .all_signatures()
                    .filter_map(|item| variant.encoding.decode(variant.strip(item)?))
                    .collect();
                any |= key.matches(&message, given.iter().map(Vec::as_slice));
            }
        }
        any
    }
}
