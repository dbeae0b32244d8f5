//! Keys: made from a secret's text by its profile, wiped from memory, never printed.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::message::Message;
use crate::secret::write_prefixed;

/// What the key of Standard Webhooks beside another profile is derived over.
const STANDARD_LABEL: &[u8] = b"waxseal/standard-webhooks/v1";

/// A key that signs or verifies. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Key(Kind);

/// Whether a signature is the one due.
type Comparison = Box<dyn Fn(&[u8]) -> Choice>;

#[derive(Clone)]
enum Kind {
    Hmac { key: Zeroizing<Vec<u8>>, standard: Option<Zeroizing<[u8; 32]>> },
    Signing(Box<SigningKey>),
    Verifying(VerifyingKey),
}

impl Key {
    /// Makes a key from its bytes, and the secret that Standard Webhooks' key is derived from.
    pub(crate) fn hmac(key: &[u8], secret: Option<&[u8]>) -> Self {
        let standard = secret.map(|secret| Zeroizing::new(mac(secret, &[STANDARD_LABEL])));
        Self(Kind::Hmac { key: Zeroizing::new(key.to_vec()), standard })
    }

    pub(crate) fn for_signing(key: SigningKey) -> Self {
        Self(Kind::Signing(Box::new(key)))
    }

    pub(crate) fn for_verifying(key: VerifyingKey) -> Self {
        Self(Kind::Verifying(key))
    }

    /// The algorithm that it signs or verifies with.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Hmac { .. } => Algorithm::HmacSha256,
            Kind::Signing(_) | Kind::Verifying(_) => Algorithm::Ed25519,
        }
    }

    /// Bytes of the key, which are hashed with each message.
    pub(crate) fn length(&self) -> usize {
        match &self.0 {
            Kind::Hmac { key, .. } => key.len(),
            Kind::Signing(_) | Kind::Verifying(_) => 32,
        }
    }

    /// The public key, of ed25519.
    pub fn public(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Kind::Hmac { .. } => None,
            Kind::Signing(key) => Some(key.verifying_key().to_bytes()),
            Kind::Verifying(key) => Some(key.to_bytes()),
        }
    }

    /// The public key's text, `whpk_` and base 64: for those who only verify.
    pub fn public_text(&self) -> Option<String> {
        self.public().map(|bytes| write_prefixed("whpk_", &bytes).to_string())
    }

    /// The key of Standard Webhooks' headers beside the profile's own: derived from the secret, so
    /// that one secret serves both. None for keys of profiles that take none beside.
    pub fn standard(&self) -> Option<Self> {
        self.derived_key().map(|key| Self::hmac(key, None))
    }

    /// That key's text, `whsec_` and base 64: for showing once.
    pub fn standard_text(&self) -> Option<Zeroizing<String>> {
        self.derived_key().map(|key| write_prefixed("whsec_", key))
    }

    fn derived_key(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Kind::Hmac { standard, .. } => standard.as_deref(),
            Kind::Signing(_) | Kind::Verifying(_) => None,
        }
    }

    /// The signature of a message; none from a key that only verifies.
    pub(crate) fn sign(&self, message: &Message<'_>) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Hmac { key, .. } => Some(mac(key, message.parts()).to_vec()),
            Kind::Signing(key) => Some(key.sign(&message.bytes()).to_bytes().to_vec()),
            Kind::Verifying(_) => None,
        }
    }

    /// Whether any of the signatures is this key's. All are looked at, in constant time each; one
    /// of another length is no match.
    pub(crate) fn matches<'g>(
        &self,
        message: &Message<'_>,
        given: impl Iterator<Item = &'g [u8]>,
    ) -> Choice {
        let one: Comparison = match &self.0 {
            Kind::Hmac { key, .. } => {
                let due = mac(key, message.parts());
                Box::new(move |given| due.ct_eq(given))
            }
            Kind::Signing(key) => {
                let (key, bytes) = (key.verifying_key(), message.bytes());
                Box::new(move |given| verifies(&key, &bytes, given))
            }
            Kind::Verifying(key) => {
                let (key, bytes) = (*key, message.bytes());
                Box::new(move |given| verifies(&key, &bytes, given))
            }
        };
        given.fold(Choice::from(0), |any, given| any | one(given))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Strictly: no key of small order, no second form of a signature.
fn verifies(key: &VerifyingKey, message: &[u8], given: &[u8]) -> Choice {
    let holds = Signature::from_slice(given)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok());
    Choice::from(u8::from(holds))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Encoding::Hex;
    use crate::profile::Profile;

    /// RFC 8032, 7.1: TEST 1, 2, 3 and SHA(abc): seed, public key, message, signature.
    const RFC_8032: [[&str; 4]; 4] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ],
    ];

    fn holds(key: &Key, message: &[u8], signature: &[u8]) -> bool {
        key.matches(&Message::body(message), std::iter::once(signature)).into()
    }

    #[test]
    fn makes_and_verifies_the_signatures_of_rfc_8032() {
        for vector in RFC_8032 {
            let [seed, public, message, signature] = vector.map(|hex| Hex.decode(hex).unwrap());
            let signing = Profile::standard().key(&write_prefixed("whsk_", &seed)).unwrap();
            let verifying = Profile::standard().key(&write_prefixed("whpk_", &public)).unwrap();
            assert_eq!(signing.public().unwrap().to_vec(), public);
            assert_eq!(signing.public_text().unwrap(), *write_prefixed("whpk_", &public));
            assert_eq!(signing.sign(&Message::body(&message)).unwrap(), signature);
            assert!(verifying.sign(&Message::body(&message)).is_none());
            for key in [signing, verifying] {
                assert!(holds(&key, &message, &signature));
                assert!(!holds(&key, b"other", &signature));
                assert!(!holds(&key, &message, &signature[1..]));
                assert!(!holds(&key, &message, &[]));
            }
            let both = [seed.as_slice(), &public].concat();
            assert!(Profile::standard().key(&write_prefixed("whsk_", &both)).is_ok());
            let wrong = [seed.as_slice(), &seed].concat();
            assert!(Profile::standard().key(&write_prefixed("whsk_", &wrong)).is_err());
        }
    }

    #[test]
    fn its_debug_shows_nothing() {
        let key = Profile::find_builtin("github").unwrap().key("a secret text").unwrap();
        assert_eq!(format!("{key:?}"), "Key(..)");
    }
}
