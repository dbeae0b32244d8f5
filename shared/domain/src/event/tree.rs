//! An event as a tree, borrowed from it: what filters look at.

use std::borrow::Cow;

use serde_json::Value;

use super::Event;
use super::hops::HOPS_ATTRIBUTE;
use crate::json::{Fault, Json};

impl Event {
    /// Returns the value that [`Event::view`] writes, without writing it: only `data` is read.
    /// There is a fault only where the payload is not what [`Event::accept`] lets in.
    pub fn tree(&self) -> Result<Json<'_>, Fault> {
        let mut members = vec![
            text("type", &self.event_type),
            text("time", &self.time),
            text("tenant", self.tenant.as_str()),
        ];
        if !self.hops.is_none() {
            let hops = Json::Number(Cow::Owned(self.hops.to_string()));
            members.push((Cow::Borrowed(HOPS_ATTRIBUTE), hops));
        }
        members.push(text("id", self.id.as_str()));
        members.extend(self.sender_id.as_deref().map(|id| text("sender_id", id)));
        members.push(text("source", &self.source));
        let attributes = self.attributes.iter();
        members.extend(attributes.map(|(name, value)| (Cow::Borrowed(name.as_str()), json(value))));
        if self.expunged {
            members.push((Cow::Borrowed("expunged"), Json::Bool(true)));
        }
        members.push(match (&self.data_base64, &self.data) {
            (Some(base64), _) => text("data_base64", base64),
            (None, Some(data)) => (Cow::Borrowed("data"), Json::parse(data.get())?),
            (None, None) => (Cow::Borrowed("data"), Json::Null),
        });
        Ok(Json::Object(members))
    }
}

fn text<'a>(name: &'a str, value: &'a str) -> (Cow<'a, str>, Json<'a>) {
    (Cow::Borrowed(name), Json::String(Cow::Borrowed(value)))
}

fn json(value: &Value) -> Json<'_> {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => Json::Number(Cow::Owned(number.to_string())),
        Value::String(text) => Json::String(Cow::Borrowed(text)),
        Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        Value::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (Cow::Borrowed(name.as_str()), json(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::event::hops::Hops;
    use crate::event::{Event, Form, Submission};
    use crate::json::Json;
    use crate::timestamp::Timestamp;

    #[test]
    fn is_the_view_as_a_tree() {
        for text in [
            r#"{"type":"a"}"#,
            r#"{"type":"a","id":"a/b","source":"s","severity":"high","riskscore":0.850,"on":true}"#,
            r#"{"type":"a","n":311060.7528870521e-22,"m":1e3,"k":-7,"data":{"b": [1.0, "\u00e9"]}}"#,
            r#"{"type":"a","data_base64":"AAAA","waxsealhops":2}"#,
            r#"{"type":"a","summary":"ü","data":1e400}"#,
        ] {
            let hops = Hops::default();
            let submission =
                Submission { text: text.into(), form: Form::Plain, fallback_id: None, hops };
            let tenant = "acme".parse().unwrap();
            let accepted = Event::accept(&tenant, &submission, Timestamp::from_ms(0), 7).unwrap();
            for event in [accepted.event.clone(), accepted.event.remove_payload()] {
                assert_eq!(event.tree().unwrap(), Json::parse(&event.view()).unwrap(), "{text}");
            }
        }
    }
}
