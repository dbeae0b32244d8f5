//! The keys that may have signed in place of a secret's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::mistake::Mistake;
use crate::key::Key;
use crate::profile::Profile;

const PREFIX: &str = "whsec_";

/// Each key that may have signed, with the mistake that it would tell of; those that the secrets
/// are stand first, with none.
pub(super) fn candidates(profile: &Profile, secrets: &[&str]) -> Vec<(Option<Mistake>, Key)> {
    let own = secrets.iter().filter_map(|secret| Some((None, profile.key(secret).ok()?)));
    let mut found: Vec<(Option<Mistake>, Key)> = own.collect();
    for secret in secrets {
        let others =
            if profile.secret.whsec { whsec(profile, secret) } else { text(profile, secret) };
        found.extend(others.into_iter().map(|(mistake, key)| (Some(mistake), key)));
    }
    found
}

/// What may be wrong with secrets whose decoded bytes are the key.
fn whsec(profile: &Profile, secret: &str) -> Vec<(Mistake, Key)> {
    let mut found = Vec::new();
    let trimmed = secret.trim();
    if trimmed != secret {
        found.extend(profile.key(trimmed).ok().map(|key| (Mistake::SecretWhiteSpace, key)));
    }
    let prefixed = Zeroizing::new(format!("{PREFIX}{trimmed}"));
    found.extend(profile.key(&prefixed).ok().map(|key| (Mistake::SecretPrefixMissing, key)));
    if let Some(rest) = trimmed.strip_prefix(PREFIX) {
        found.extend(profile.key(rest).ok().map(|key| (Mistake::SecretPrefixDoubled, key)));
        found.push((Mistake::SecretNotDecoded, Key::hmac(rest.as_bytes(), None)));
    }
    found.push((Mistake::SecretNotDecoded, Key::hmac(trimmed.as_bytes(), None)));
    found
}

/// What may be wrong with secrets whose text is the key.
fn text(profile: &Profile, secret: &str) -> Vec<(Mistake, Key)> {
    let mut found = Vec::new();
    let mut add = |mistake, bytes: &[u8]| found.push((mistake, profile.hmac_key(secret, bytes)));
    let trimmed = secret.trim();
    if trimmed != secret {
        add(Mistake::SecretWhiteSpace, trimmed.as_bytes());
    }
    for (before, after) in [("", "\n"), ("", "\r\n"), ("", " "), (" ", "")] {
        let spaced = Zeroizing::new(format!("{before}{trimmed}{after}"));
        add(Mistake::SecretWhiteSpace, spaced.as_bytes());
    }
    let bare = trimmed.strip_prefix(PREFIX);
    match bare {
        Some(rest) if rest.starts_with(PREFIX) => {
            add(Mistake::SecretPrefixDoubled, rest.as_bytes());
        }
        Some(rest) => add(Mistake::SecretPrefixMissing, rest.as_bytes()),
        None => {
            let prefixed = Zeroizing::new(format!("{PREFIX}{trimmed}"));
            add(Mistake::SecretPrefixMissing, prefixed.as_bytes());
        }
    }
    if let Ok(decoded) = BASE64.decode(bare.unwrap_or(trimmed)) {
        add(Mistake::SecretDecoded, &Zeroizing::new(decoded));
    }
    found
}
