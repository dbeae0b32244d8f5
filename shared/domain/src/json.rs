//! JSON as a borrowed tree that keeps number text and member order.
//!
//! For what serde_json's own `Value` cannot do: refuse duplicate member names with a pointer,
//! compare numbers by exact decimal value, and keep a payload's bytes. Whether a text is JSON at all
//! says serde_json; what is, is then cut up in one pass more.

mod decimal;
mod digest;
mod reader;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub use self::decimal::Decimal;
use self::reader::Reader;

/// Levels of nesting: more than events have, and few enough for the recursion here.
pub const DEPTH_MAX: usize = 64;

/// What is wrong with a JSON text, and where: a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where, from the top of the body; empty for the whole of it.
    pub pointer: String,
    /// A phrase that says what is wrong, without the value itself.
    pub detail: String,
}

impl Fault {
    /// Makes a fault at a place.
    pub fn new(pointer: &str, detail: &str) -> Self {
        Self { pointer: pointer.to_owned(), detail: detail.to_owned() }
    }

    /// Returns the fault with `pointer` put before its own: the place of the value in which it was
    /// found.
    #[must_use]
    pub fn within(self, pointer: &str) -> Self {
        Self { pointer: format!("{pointer}{}", self.pointer), ..self }
    }
}

/// A JSON value, borrowed from its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'a> {
    /// The value that stands for nothing, `null`.
    Null,
    /// The value `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(Cow<'a, str>),
    /// A string, its escapes undone.
    String(Cow<'a, str>),
    /// An array, its items in order.
    Array(Vec<Json<'a>>),
    /// An object, its members in order, no name twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads a text: refuses what is not JSON, is nested too deeply, has a lone surrogate, or names
    /// a member twice.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| Fault::new("", &not_json(&error)))?;
        Reader::new(raw.get()).read()
    }

    /// Returns the member of that name; none where it is not there, or this is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Array(_) => None,
        }
    }

    /// Returns the text of a string; none for any other value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Returns the value of a boolean; none for any other value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Null | Self::Number(_) | Self::String(_) | Self::Array(_) | Self::Object(_) => {
                None
            }
        }
    }

    /// Returns the items of an array; none for any other value.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Object(_) => {
                None
            }
        }
    }

    /// Returns the members of an object, in order; none for any other value.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Array(_) => None,
        }
    }

    /// Returns the double that is nearest to a number; none for any other value.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            Self::Null | Self::Bool(_) | Self::String(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Returns the exact value of a number; none for any other value.
    pub fn as_decimal(&self) -> Option<Decimal<'_>> {
        match self {
            Self::Number(text) => Some(Decimal::of(text)),
            Self::Null | Self::Bool(_) | Self::String(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Returns the same as a value of serde_json. A number that no double holds, as `1e999`, becomes the text
    /// of its digits.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(text) => match text.parse::<serde_json::Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::String(text.to_string()),
            },
            Self::String(text) => Value::String(text.to_string()),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.to_string(), value.to_value())).collect(),
            ),
        }
    }

    /// Returns the name of the kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// SHA-256 of a form that two texts share exactly when they are equal as JSON values: order of
    /// members does not count, and numbers are equal by exact decimal value.
    pub fn digest(&self) -> [u8; 32] {
        digest::digest(self)
    }
}

/// `~` and `/` of a member name, escaped for a JSON pointer.
pub fn escape_pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The value at a JSON pointer (RFC 6901) of a text, as it is written there; the last where a name is
/// there twice.
pub fn raw_at<'a>(json: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    let Some(path) = pointer.strip_prefix('/') else {
        return Some(json).filter(|_| pointer.is_empty());
    };
    path.split('/').try_fold(json, |json, name| {
        let name = name.replace("~1", "/").replace("~0", "~");
        if json.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(json.get()).ok()?;
            return items.get(name.parse::<usize>().ok()?).copied();
        }
        let members =
            serde_json::Deserializer::from_str(json.get()).deserialize_map(Members).ok()?;
        members.into_iter().rev().find(|(found, _)| *found == name).map(|(_, raw)| raw)
    })
}

/// The text without insignificant white space; all else byte for byte. The text must be JSON.
pub fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for char in text.chars() {
        if in_string {
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if matches!(char, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = char == '"';
        }
        out.push(char);
    }
    out
}

fn not_json(error: &serde_json::Error) -> String {
    format!("is not JSON: {error}")
}

/// Text that borrows where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object's members, all of them, in order.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), raw)) = map.next_entry()? {
            members.push((name, raw));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests;
