//! The body of a delivery, from its event and its profile's envelope.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Member, Profile};
use crate::event::Event;

/// The bytes of an attempt's body: compact JSON, members in the envelope's order.
pub fn render(profile: &Profile, event: &Event) -> Vec<u8> {
    serde_json::to_vec(&Body { envelope: profile.envelope, event })
        .expect("strings and JSON values always serialise")
}

struct Body<'a> {
    envelope: &'static [Member],
    event: &'a Event,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for member in self.envelope {
            match member {
                Member::Type(name) => map.serialize_entry(name, &self.event.event_type)?,
                Member::Time(name) => map.serialize_entry(name, &self.event.time)?,
                Member::Data => self.event.serialize_payload(&mut map)?,
                Member::Attributes => self.event.serialize_attributes(&mut map)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Form, Submission};
    use crate::profile::STANDARD;
    use crate::timestamp::Timestamp;

    #[test]
    fn type_timestamp_and_data_come_first() {
        let text = r#"{"id":"e1","type":"a.b","source":"s","severity":"high","data":{"n": 0.850}}"#;
        let submission = Submission { text: text.into(), form: Form::Plain, fallback_id: None };
        let tenant = "acme".parse().unwrap();
        let event = Event::accept(&tenant, &submission, Timestamp::from_ms(0), 0).unwrap().event;
        assert_eq!(
            String::from_utf8(render(&STANDARD, &event)).unwrap(),
            r#"{"type":"a.b","timestamp":"1970-01-01T00:00:00Z","data":{"n":0.850},"id":"e1","source":"s","severity":"high"}"#
        );
    }
}
