//! Between items and values: names of keys, and the forms of attributes.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::EngineError;

/// An item, or a part of one: attributes by name.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The sort key of an item that is alone, or first, under its partition key.
pub(super) const ALONE: &str = "#";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(super) fn ms(at: Timestamp) -> AttributeValue {
    number(at.ms())
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<AttributeValue, EngineError> {
    serde_json::to_string(value)
        .map(AttributeValue::S)
        .map_err(|error| EngineError::unreadable("serialise item", error))
}

pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    attributes([("pk", text(pk)), ("sk", text(sk))])
}

pub(super) fn attributes<const N: usize>(pairs: [(&str, AttributeValue); N]) -> Item {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn find_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

pub(super) fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, EngineError> {
    find_text(item, name).ok_or_else(|| unreadable(name, "is missing, or no text"))
}

/// The text of an attribute that need not be there; one that is there is text.
pub(super) fn optional_text<'a>(
    item: &'a Item,
    name: &str,
) -> Result<Option<&'a str>, EngineError> {
    item.contains_key(name).then(|| read_text(item, name)).transpose()
}

/// The number of an attribute that need not be there; one that is there is such a number.
pub(super) fn optional_number<T: FromStr>(
    item: &Item,
    name: &str,
) -> Result<Option<T>, EngineError> {
    item.contains_key(name).then(|| read_number(item, name)).transpose()
}

pub(super) fn read_number<T: FromStr>(item: &Item, name: &str) -> Result<T, EngineError> {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    value
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| unreadable(name, "is missing, or no such number"))
}

pub(super) fn read_ms(item: &Item, name: &str) -> Result<Timestamp, EngineError> {
    read_number(item, name).map(Timestamp::from_ms)
}

pub(super) fn read_json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, EngineError> {
    let text = read_text(item, name)?;
    // The error says line and column, and may quote the text: only its place is kept.
    serde_json::from_str(text).map_err(|error| {
        unreadable(name, &format!("does not parse at {}:{}", error.line(), error.column()))
    })
}

/// Text that is some other type of ours.
pub(super) fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, EngineError> {
    text.parse().map_err(|_| unreadable(name, "is not in its form"))
}

pub(super) fn unreadable(name: &str, fault: &str) -> EngineError {
    EngineError::unreadable("read item", format!("attribute {name} {fault}"))
}
