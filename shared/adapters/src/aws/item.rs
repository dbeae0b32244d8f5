//! Between items and values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use waxseal_domain::ports::EngineError;
use waxseal_domain::timestamp::Timestamp;

/// A DynamoDB item.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString + Copy) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn ms(at: Timestamp) -> AttributeValue {
    number(at.ms())
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<AttributeValue, EngineError> {
    serde_json::to_string(value)
        .map(AttributeValue::S)
        .map_err(|error| EngineError::new("write item", error))
}

/// A key of two parts.
pub(super) fn key(pk: String, sk: impl Into<String>) -> Item {
    Item::from([("pk".to_owned(), AttributeValue::S(pk)), ("sk".to_owned(), text(sk))])
}

/// Reads attributes of an item; what is missing or of another type is named.
pub(super) struct Reader<'a>(pub(super) &'a Item);

impl<'a> Reader<'a> {
    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, EngineError> {
        self.optional_text(name).ok_or_else(|| unreadable(name))
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    pub(super) fn number<T: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<T, EngineError> {
        self.0
            .get(name)
            .and_then(|value| value.as_n().ok())
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| unreadable(name))
    }

    pub(super) fn timestamp(&self, name: &'static str) -> Result<Timestamp, EngineError> {
        self.number(name).map(Timestamp::from_ms)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, EngineError> {
        serde_json::from_str(self.text(name)?).map_err(|_| unreadable(name))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default()
    }
}

fn unreadable(name: &'static str) -> EngineError {
    EngineError::new("read item", format!("the attribute {name} is missing or cannot be read"))
}
