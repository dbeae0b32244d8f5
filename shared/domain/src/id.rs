//! Ids: newtypes whose alphabet makes a joined key readable in one way only.
//!
//! No id holds `#`, which joins keys in the store, and no endpoint id holds a second `_`, so that a
//! delivery's id splits into its endpoint and its event without an index.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not the id that it should be.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[error("{noun} must be {shape}")]
pub struct IdFault {
    noun: &'static str,
    shape: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $shape:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdFault;
            fn from_str(text: &str) -> Result<Self, IdFault> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdFault { noun: $noun, shape: $shape })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdFault;
            fn try_from(text: String) -> Result<Self, IdFault> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A tenant's name, unique in the deployment. It is part of every key, so that no tenant
    /// reaches another's rows.
    TenantName,
    "a tenant's name",
    "1 to 64 of a-z 0-9 _ -, the first a letter or digit",
    is_name
);
id!(
    /// A source's name: who sends hooks to the receiver. Unique within its tenant.
    SourceName,
    "a source's name",
    "1 to 64 of a-z 0-9 _ -, the first a letter or digit",
    is_name
);
id!(
    /// An event's id: the sender's own, or one derived from its source and id.
    EventId,
    "an event's id",
    "1 to 128 of A-Z a-z 0-9 _ - :",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':'))
);
id!(
    /// An endpoint's id, `ep_…`.
    EndpointId,
    "an endpoint's id",
    "ep_ and 1 to 32 letters or digits",
    |text| is_prefixed(text, "ep_")
);
id!(
    /// An API key's id, `key_…`: not the key itself.
    ApiKeyId,
    "a key's id",
    "key_ and 1 to 32 letters or digits",
    |text| is_prefixed(text, "key_")
);
id!(
    /// A message's ticket: new at every send; the row names the one that holds the delivery.
    Ticket,
    "a ticket",
    "1 to 32 letters or digits",
    |text| is_prefixed(text, "")
);

impl EndpointId {
    /// Makes a new id from a random number.
    pub fn from_entropy(entropy: u128) -> Self {
        Self(format!("ep_{}", base32(entropy)))
    }

    fn suffix(&self) -> &str {
        self.0.strip_prefix("ep_").unwrap_or(&self.0)
    }
}

impl ApiKeyId {
    /// Makes a new id from a random number.
    pub fn from_entropy(entropy: u128) -> Self {
        Self(format!("key_{}", base32(entropy)))
    }
}

impl EventId {
    /// Makes the id of an event whose sender gave none, from a random number.
    pub fn from_entropy(entropy: u128) -> Self {
        Self(format!("evt_{}", base32(entropy)))
    }
}

impl Ticket {
    /// Makes a new id from a random number.
    pub fn from_entropy(entropy: u128) -> Self {
        Self(base32(entropy))
    }
}

/// A delivery's id: `dlv_`, the endpoint's id without its prefix, `_`, the event's id.
///
/// The same event and endpoint make the same id, so fanning out twice is fanning out once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId {
    /// The endpoint that the event is owed to.
    pub endpoint: EndpointId,
    /// The event that is owed.
    pub event: EventId,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dlv_{}_{}", self.endpoint.suffix(), self.event)
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = IdFault;
    fn try_from(text: String) -> Result<Self, IdFault> {
        text.parse()
    }
}

impl FromStr for DeliveryId {
    type Err = IdFault;
    fn from_str(text: &str) -> Result<Self, IdFault> {
        let parts = text.strip_prefix("dlv_").and_then(|rest| rest.split_once('_'));
        let fault = IdFault { noun: "a delivery's id", shape: "dlv_<endpoint>_<event>" };
        let (endpoint, event) = parts.ok_or(fault)?;
        let endpoint = format!("ep_{endpoint}").parse().map_err(|_| fault)?;
        Ok(Self { endpoint, event: event.parse().map_err(|_| fault)? })
    }
}

fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

fn is_prefixed(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        (1..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// 26 digits of Crockford's base 32, lower case: no letter that is taken for another.
pub fn base32(number: u128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..26)
        .rev()
        .filter_map(|place| usize::try_from((number >> (place * 5)) & 31).ok())
        .filter_map(|digit| DIGITS.get(digit))
        .map(|&digit| char::from(digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_id_is_read_back_without_an_index() {
        let id = DeliveryId {
            endpoint: EndpointId::from_entropy(u128::MAX),
            event: "a_b:c-D_9".parse().unwrap(),
        };
        assert_eq!(id.to_string().parse::<DeliveryId>().unwrap(), id);
        assert!("dlv_x".parse::<DeliveryId>().is_err());
        assert!("dlv__x".parse::<DeliveryId>().is_err());
        assert!("dlv_x_a#b".parse::<DeliveryId>().is_err());
    }

    #[test]
    fn names_keep_to_their_alphabet() {
        for good in ["a", "0", "team-1_x"] {
            assert!(good.parse::<TenantName>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "A", "a#b", "a/b", "ü", long.as_str()] {
            assert!(bad.parse::<TenantName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn base32_is_injective_at_its_ends() {
        assert_eq!(base32(0), "0".repeat(26));
        assert_eq!(base32(u128::MAX).len(), 26);
        assert_ne!(base32(1 << 127), base32(1 << 126));
    }

    #[test]
    fn a_delivery_id_is_stored_as_its_text() {
        let id: DeliveryId = "dlv_1_e1".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""dlv_1_e1""#);
        assert_eq!(serde_json::from_str::<DeliveryId>(r#""dlv_1_e1""#).unwrap(), id);
    }
}
