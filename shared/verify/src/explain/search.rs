//! Which body, key, signed text and writing make the signature that came, fewest mistakes first.

use super::mistake::Mistake;
use super::{bodies, secrets, signatures};
use crate::algorithm::Algorithm;
use crate::carried::CarriedParts;
use crate::key::Key;
use crate::member::coverable_bodies;
use crate::message::Message;
use crate::profile::Profile;
use crate::window::seconds;

/// What one explanation may cost, in bytes hashed: the thirteen rewritings of the largest body, twice.
const COST_MAX: usize = 32 << 20;
/// What an attempt costs beside its body: keying the hash.
const ATTEMPT_COST: usize = 1 << 10;
/// What it costs to verify one ed25519 signature.
const ED25519_COST: usize = 32 << 10;
/// Bytes of a body for which every millisecond of a second is tried.
const MILLISECONDS_BODY_BYTES_MAX: usize = 8 << 10;

/// The hook and what it is explained with.
pub(super) struct Search<'s> {
    pub(super) profile: &'s Profile,
    pub(super) carried: &'s CarriedParts<'s>,
    pub(super) body: &'s [u8],
    pub(super) secrets: &'s [&'s str],
}

/// What may have been signed, other than body and key.
enum Text {
    /// The profile's template, with this timestamp.
    Template(Option<String>),
    /// The body was signed without anything before or after it.
    Body,
}

impl Search<'_> {
    /// The mistakes under which the signature holds; none where there are no such.
    pub(super) fn mistakes(&self) -> Option<Vec<Mistake>> {
        let items = || self.carried.all_signatures();
        let mut given = signatures::candidates(self.profile, items());
        given.extend(signatures::hex_for_base64(self.profile, items()));
        if given.is_empty() {
            return None;
        }
        let bodies: Vec<(Option<Mistake>, Vec<u8>)> = bodies::candidates(self.body)
            .into_iter()
            .flat_map(|(mistake, body)| {
                let covered = coverable_bodies(&body, self.profile.body_member.as_deref());
                covered
                    .into_iter()
                    .map(|body| (mistake.clone(), body.into_owned()))
                    .collect::<Vec<_>>()
            })
            .collect();
        let keys = secrets::candidates(self.profile, self.secrets);
        self.try_all(&bodies, &keys, &given).or_else(|| self.milliseconds(&keys, &given))
    }

    /// All combinations, those with fewer mistakes first, until the work is too much.
    fn try_all(
        &self,
        bodies: &[(Option<Mistake>, Vec<u8>)],
        keys: &[(Option<Mistake>, Key)],
        given: &[signatures::Candidate],
    ) -> Option<Vec<Mistake>> {
        let texts = self.texts();
        let mut cost = 0_usize;
        for count in 0..=3 {
            for (body_mistake, body) in bodies {
                for (key_mistake, key) in keys {
                    for (text_mistake, text) in &texts {
                        let mistakes = [body_mistake, key_mistake, text_mistake];
                        if mistakes.iter().filter(|mistake| mistake.is_some()).count() != count {
                            continue;
                        }
                        cost = cost.saturating_add(self.attempt_cost(key, body, given));
                        if cost > COST_MAX {
                            return None;
                        }
                        if let Some(writing) = self.holds(text, body, key, given) {
                            let own = mistakes.into_iter().flatten().cloned();
                            return Some(own.chain(writing).collect());
                        }
                    }
                }
            }
        }
        None
    }

    /// A clock read once in milliseconds, signed so, and cut to seconds for the header.
    fn milliseconds(
        &self,
        keys: &[(Option<Mistake>, Key)],
        given: &[signatures::Candidate],
    ) -> Option<Vec<Mistake>> {
        let timestamp = self.carried.timestamp.filter(|_| self.profile.signed.has("timestamp"))?;
        if self.body.len() > MILLISECONDS_BODY_BYTES_MAX {
            return None;
        }
        let own = keys
            .iter()
            .filter(|(mistake, key)| mistake.is_none() && key.algorithm() == Algorithm::HmacSha256)
            .take(4);
        for (_, key) in own {
            for part in 0..1_000 {
                let text = Text::Template(Some(format!("{timestamp}{part:03}")));
                if let Some(writing) = self.holds(&text, self.body, key, given) {
                    let mistake = Mistake::TimestampSignedOtherwise;
                    return Some([mistake].into_iter().chain(writing).collect());
                }
            }
        }
        None
    }

    fn texts(&self) -> Vec<(Option<Mistake>, Text)> {
        let carried = self.carried.timestamp;
        let mut texts = vec![(None, Text::Template(carried.map(str::to_owned)))];
        if let Some(number) =
            carried.and_then(seconds).filter(|_| self.profile.signed.has("timestamp"))
        {
            for other in [number / 1_000, number.saturating_mul(1_000)] {
                let text = Text::Template(Some(other.to_string()));
                texts.push((Some(Mistake::TimestampSignedOtherwise), text));
            }
        }
        if self.profile.signed.0.len() > 1 {
            texts.push((Some(Mistake::BodyAloneSigned), Text::Body));
        }
        texts
    }

    /// The mistakes in the writing of the signature that holds, if one does.
    fn holds(
        &self,
        text: &Text,
        body: &[u8],
        key: &Key,
        given: &[signatures::Candidate],
    ) -> Option<Vec<Mistake>> {
        let message = match text {
            Text::Template(timestamp) => {
                Message::new(&self.profile.signed, self.carried.id, timestamp.as_deref(), body)
            }
            Text::Body => Message::body(body),
        };
        let mine = || given.iter().filter(|one| one.algorithm == key.algorithm());
        let any = key.matches(&message, mine().map(|one| one.bytes.as_slice()));
        if !bool::from(any) {
            return None;
        }
        mine()
            .find(|one| bool::from(key.matches(&message, std::iter::once(one.bytes.as_slice()))))
            .map(|found| found.mistakes.clone())
    }

    /// What it costs to try one body with one key, in bytes hashed: the key's and the id's among them.
    fn attempt_cost(&self, key: &Key, body: &[u8], given: &[signatures::Candidate]) -> usize {
        let beside = key.length() + self.carried.id.map_or(0, str::len);
        let hashing = ATTEMPT_COST.saturating_add(body.len()).saturating_add(beside);
        match key.algorithm() {
            Algorithm::HmacSha256 => hashing,
            Algorithm::Ed25519 => given.len().saturating_mul(hashing.saturating_add(ED25519_COST)),
        }
    }
}
