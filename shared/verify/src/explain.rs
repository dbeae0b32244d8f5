//! Explaining: why a hook does not verify, by trying the known mistakes.
//!
//! For the owner of the secret: a form, a log, a test. It says nothing of the secret or of the
//! expected signature, and compares whole signatures only; yet answer a stranger's request with no
//! more than "401".

mod bodies;
mod mistake;
mod other;
mod search;
mod secrets;
mod sentence;
mod signatures;

pub use mistake::{Mistake, Rewriting};

use crate::algorithm::Algorithm;
use crate::carried::CarriedParts;
use crate::key::Key;
use crate::profile::Profile;
use crate::verify::Fault;
use crate::window::Window;
use search::Search;

/// The answer to why a hook does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the hook verifies as it is.
    pub valid: bool,
    /// Each mistake, the likeliest to be the root first; none where it is valid.
    pub mistakes: Vec<Mistake>,
}

impl Profile {
    /// Explains a hook: the arguments are those of [`Profile::verify`], but for the secrets' texts
    /// in place of keys, because the mistake may be in them.
    ///
    /// The work is bounded: bodies over 256 KiB are not written again, 4 MiB are written at most, and 32 MiB hashed.
    pub fn explain<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        secrets: &[&str],
        window: Window,
    ) -> Explanation {
        let keys: Vec<Key> = secrets.iter().filter_map(|secret| self.key(secret).ok()).collect();
        let mut mistakes = match self.verify(&header, body, &keys, window) {
            Ok(_) => return Explanation { valid: true, mistakes: Vec::new() },
            Err(_) if secrets.is_empty() => vec![Mistake::SecretNone],
            Err(_) => self.mistakes(&header, body, secrets, &keys, window),
        };
        if mistakes.is_empty() {
            mistakes.push(Mistake::BodyOrSecret);
        }
        Explanation { valid: false, mistakes }
    }

    fn mistakes<'h>(
        &self,
        header: &impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        secrets: &[&str],
        keys: &[Key],
        window: Window,
    ) -> Vec<Mistake> {
        let carried = CarriedParts::read(self, header, body);
        let mut mistakes: Vec<Mistake> =
            carried.faults.iter().filter_map(|fault| self.of_fault(fault, &carried)).collect();
        mistakes.extend(carried.timestamp.into_iter().flat_map(|at| other::timestamp(at, window)));
        if let Some(found) = (Search { profile: self, carried: &carried, body, secrets }).mistakes()
        {
            mistakes.extend(found);
            if mistakes.is_empty() {
                mistakes.extend(self.beside(header, body, keys, window));
            }
            return mistakes;
        }
        let has_own = carried.all_signatures().next().is_some();
        if let Some(other) = other::find(self, header, body, secrets, has_own) {
            return vec![other];
        }
        mistakes.extend(self.explain_unmatched(
            &carried,
            header("content-length"),
            body,
            secrets,
            keys,
        ));
        if mistakes.iter().all(Mistake::is_of_time) {
            mistakes.push(Mistake::BodyOrSecret);
        }
        mistakes
    }

    fn of_fault(&self, fault: &Fault, carried: &CarriedParts<'_>) -> Option<Mistake> {
        let of_timestamp = |name: &String| {
            let carrier = self.carrier("timestamp").filter(|header| header.name == *name);
            // A header that carries both is missing itself where it carries neither.
            let alone = carrier.is_some_and(|header| !header.template.has("signatures"));
            alone || (carrier.is_some() && !carried.signatures.is_empty())
        };
        match fault {
            Fault::Missing(name) if carried.timestamp.is_none() && of_timestamp(name) => {
                Some(Mistake::TimestampMissing)
            }
            Fault::Missing(name) => Some(Mistake::HeaderMissing(name.clone())),
            Fault::TooLong(name) => Some(Mistake::HeaderTooLong(name.clone())),
            Fault::Id => Some(Mistake::IdAmbiguous),
            Fault::Mismatch => Some(Mistake::SignaturesDiffer),
            Fault::NoKey | Fault::Timestamp | Fault::TooOld | Fault::TooNew => None,
        }
    }

    /// Says what can be seen without a match, where no signature matched under any mistake.
    fn explain_unmatched(
        &self,
        carried: &CarriedParts<'_>,
        content_length: Option<&str>,
        body: &[u8],
        secrets: &[&str],
        keys: &[Key],
    ) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if keys.is_empty() {
            let fault = secrets.iter().find_map(|secret| self.key(secret).err());
            mistakes.extend(fault.map(Mistake::SecretMalformed));
        } else {
            let algorithms: Vec<Algorithm> = keys.iter().map(Key::algorithm).collect();
            let items = carried.all_signatures();
            mistakes.extend(signatures::fault(self, items, &algorithms));
        }
        if bodies::is_truncated(body, content_length) {
            mistakes.push(Mistake::BodyTruncated);
        }
        mistakes
    }

    /// Says what is wrong with the Standard Webhooks headers that stand beside the profile's own,
    /// where those verify.
    fn beside<'h>(
        &self,
        header: &impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        keys: &[Key],
        window: Window,
    ) -> Vec<Mistake> {
        if self.verify_beside(header, body, keys, window).is_ok() {
            return Vec::new();
        }
        let standard = Self::standard();
        let carried = CarriedParts::read(standard, header, body);
        let mut mistakes = vec![Mistake::StandardBeside];
        let faults = carried.faults.iter();
        mistakes.extend(faults.filter_map(|fault| standard.of_fault(fault, &carried)));
        mistakes.extend(carried.timestamp.into_iter().flat_map(|at| other::timestamp(at, window)));
        mistakes
    }
}

impl Mistake {
    /// Whether the signature may hold all the same.
    fn is_of_time(&self) -> bool {
        let code = self.code();
        code.starts_with("timestamp_") && code != "timestamp_missing"
    }
}
