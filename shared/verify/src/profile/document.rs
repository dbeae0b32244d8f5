//! A profile's file, as it stands; members of other readers are passed over.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use thiserror::Error;

use super::Profile;
use crate::algorithm::{Algorithm, Encoding};

/// Bytes of a file: some thirty times those that come with the crate.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with a profile's file: all of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the profile has faults: {}", faults.join("; "))]
pub struct ProfileFault {
    /// Each fault: the member, and what is wrong with it.
    pub faults: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) title: String,
    #[serde(default)]
    pub(super) about: String,
    pub(super) secret: SecretDocument,
    pub(super) signed: String,
    pub(super) signatures: Vec<VariantDocument>,
    #[serde(default)]
    pub(super) join: Option<String>,
    #[serde(default)]
    pub(super) body_member: Option<String>,
    pub(super) headers: Pairs,
}

#[derive(Deserialize)]
pub(super) struct SecretDocument {
    pub(super) form: FormDocument,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) generate: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormDocument {
    Whsec,
    Text,
}

#[derive(Deserialize)]
pub(super) struct VariantDocument {
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) item: String,
}

/// An object's members in the file's order, a name perhaps twice.
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of header names and templates")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

impl Profile {
    /// Reads a profile's file: one of this crate's or of a deployment's own.
    ///
    /// Members that are not this crate's are passed over. Says all that is wrong with the file.
    pub fn parse(text: &str) -> Result<Self, ProfileFault> {
        if text.len() > FILE_BYTES_MAX {
            let fault = format!("the file is over {FILE_BYTES_MAX} bytes");
            return Err(ProfileFault { faults: vec![fault] });
        }
        let document: Document = serde_json::from_str(text)
            .map_err(|error| ProfileFault { faults: vec![error.to_string()] })?;
        super::check::check(document)
    }
}
