//! Which secret an endpoint gets: one that is given, one that is made, or none; as far as its profile allows.

use waxseal_verify::Algorithm;

use crate::endpoint::Endpoint;
use crate::json::Fault;
use crate::profile::Profile;

/// What a request says of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretWish {
    /// The request says nothing, so a secret is made.
    Made,
    /// The request gives the secret.
    Given(String),
    /// The request wants no secret: deliveries go unsigned.
    Unsigned,
}

/// Which secret an endpoint gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretChoice {
    /// A new one of the profile's usual algorithm.
    #[default]
    New,
    /// A new one that signs with ed25519.
    NewEd25519,
    /// The secret that the request gave.
    Text(String),
    /// None: deliveries go unsigned.
    Unsigned,
}

impl SecretChoice {
    /// Decides what a request comes to, or names every fault of `secret` and `algorithm`. The algorithm is
    /// that of a secret that is made; one that is given must be of it.
    pub fn decide(
        wish: SecretWish,
        algorithm: Option<Algorithm>,
        profile: &Profile,
    ) -> Result<Self, Vec<Fault>> {
        let is_ed25519 = algorithm == Some(Algorithm::Ed25519);
        let has_ed25519 = profile.dialect.algorithms().any(|one| one == Algorithm::Ed25519);
        let mut faults = Vec::new();
        if is_ed25519 && !has_ed25519 {
            faults.push(Fault::new("/algorithm", "is not one of the profile's"));
        }
        let choice = match wish {
            SecretWish::Given(text) => {
                faults.extend(check_given(&text, is_ed25519, profile));
                Self::Text(text)
            }
            SecretWish::Unsigned => {
                if !profile.dialect.secret_is_optional() {
                    let detail = "must not be null: this profile signs every delivery";
                    faults.push(Fault::new("/secret", detail));
                }
                Self::Unsigned
            }
            SecretWish::Made if is_ed25519 => Self::NewEd25519,
            SecretWish::Made => Self::New,
        };
        if faults.is_empty() { Ok(choice) } else { Err(faults) }
    }

    /// Returns the choice for a rotation: a secret that is made is of the algorithm of the one
    /// before, so that the receiver need change nothing else.
    #[must_use]
    pub fn after(self, endpoint: &Endpoint) -> Self {
        let signs_ed25519 = endpoint.secrets.first().is_some_and(|one| one.public_key.is_some());
        if self == Self::New && signs_ed25519 { Self::NewEd25519 } else { self }
    }
}

/// A secret that is given must be one of the profile's, of the algorithm that is asked for, and able to sign.
fn check_given(text: &str, must_be_ed25519: bool, profile: &Profile) -> Option<Fault> {
    let key = match profile.dialect.key(text) {
        Ok(key) => key,
        Err(fault) => return Some(Fault::new("/secret", &fault.to_string())),
    };
    if text.starts_with("whpk_") {
        return Some(Fault::new("/secret", "must be able to sign: whsk_, not whpk_"));
    }
    if must_be_ed25519 && key.public().is_none() {
        return Some(Fault::new("/secret", "must be whsk_ for ed25519"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SealedSecret;
    use crate::timestamp::Timestamp;

    fn decide(wish: SecretWish, profile: &str) -> Result<SecretChoice, Vec<String>> {
        decide_as(wish, None, profile)
    }

    fn decide_as(
        wish: SecretWish,
        algorithm: Option<Algorithm>,
        profile: &str,
    ) -> Result<SecretChoice, Vec<String>> {
        let choice =
            SecretChoice::decide(wish, algorithm, &Profile::find_builtin(profile).unwrap());
        choice.map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    const ED25519: Option<Algorithm> = Some(Algorithm::Ed25519);

    #[test]
    fn a_secret_is_made_of_the_algorithm_that_is_asked_for() {
        assert_eq!(decide(SecretWish::Made, "standard"), Ok(SecretChoice::New));
        let made = decide_as(SecretWish::Made, ED25519, "standard");
        assert_eq!(made, Ok(SecretChoice::NewEd25519));
        let refused = decide_as(SecretWish::Made, ED25519, "github");
        assert_eq!(refused, Err(vec!["/algorithm".to_owned()]));
    }

    #[test]
    fn a_given_secret_can_sign_and_is_of_the_profiles_form() {
        let standard = Profile::standard();
        let whsec = standard.dialect.generate_secret([1; 32]).to_string();
        let whsk = standard.dialect.generate_signing_secret([1; 32]).unwrap().to_string();
        let whpk = standard.dialect.key(&whsk).unwrap().public_text().unwrap();
        let given = |text: &str| SecretWish::Given(text.to_owned());
        let secret = || Err(vec!["/secret".to_owned()]);
        assert_eq!(decide(given(&whsec), "standard"), Ok(SecretChoice::Text(whsec.clone())));
        assert_eq!(decide(given(&whsk), "standard"), Ok(SecretChoice::Text(whsk.clone())));
        assert_eq!(decide_as(given(&whsk), ED25519, "standard"), Ok(SecretChoice::Text(whsk)));
        assert_eq!(decide_as(given(&whsec), ED25519, "standard"), secret());
        assert_eq!(decide(given(&whpk), "standard"), secret());
        assert_eq!(decide(given("whsec_short"), "standard"), secret());
    }

    #[test]
    fn only_some_profiles_go_unsigned() {
        assert_eq!(decide(SecretWish::Unsigned, "standard"), Err(vec!["/secret".to_owned()]));
        let profiles = Profile::builtins();
        let unsigned = profiles.iter().find(|one| one.dialect.secret_is_optional()).unwrap();
        let choice = decide(SecretWish::Unsigned, unsigned.name());
        assert_eq!(choice, Ok(SecretChoice::Unsigned));
    }

    #[test]
    fn a_rotated_secret_keeps_its_algorithm() {
        let now = Timestamp::from_ms(0);
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let hmac = Endpoint::new(id, tenant, "standard".to_owned(), now);
        let public_key = Some("whpk_x".to_owned());
        let secret =
            SealedSecret { sealed: String::new(), created_at: now, until: None, public_key };
        let ed25519 = Endpoint { secrets: vec![secret], ..hmac.clone() };
        assert_eq!(SecretChoice::New.after(&hmac), SecretChoice::New);
        assert_eq!(SecretChoice::New.after(&ed25519), SecretChoice::NewEd25519);
        let text = SecretChoice::Text("x".to_owned());
        assert_eq!(text.clone().after(&ed25519), text);
    }
}
