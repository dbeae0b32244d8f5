//! A delivery as an event of an EventBridge bus.
//!
//! A bus has no place for headers, and writes the detail anew: a signature would not verify. Who may put
//! events on the bus is for its policy to say.

use serde_json::value::RawValue;

use crate::delivery::dispatch::Request;
use crate::timestamp::Timestamp;

/// Bytes of an entry. EventBridge takes 1 MB, which is read as the lesser of its two meanings.
const ENTRY_BYTES_MAX: usize = 1_000_000;
/// What `Time` counts in an entry. Of EventBridge.
const TIME_BYTES: usize = 14;
/// Characters of a detail type. EventBridge drops a longer one's event in silence.
const DETAIL_TYPE_CHARS_MAX: usize = 128;
/// Characters of a source: what a rule's pattern takes.
const SOURCE_CHARS_MAX: usize = 256;

/// An event to be put on a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusEntry {
    /// `waxseal:` and the event's source. Never one that begins with `aws.`, which are AWS's own.
    pub source: String,
    /// The type of the event, by which rules match.
    pub detail_type: String,
    /// A JSON object: the POST's body if it is one, else `{"body": …}`.
    pub detail: String,
    /// When the event happened.
    pub time: Option<Timestamp>,
    /// The delivery's id, by which to tell a repetition, and behind it how many deliveries this is the last of
    /// ([`crate::event::hops::Hops::resource`]).
    pub resources: [String; 2],
}

impl BusEntry {
    /// Makes the entry of a request, or says why the request cannot be one.
    pub fn of(request: &Request) -> Result<Self, String> {
        let subject = &request.subject;
        let body = str::from_utf8(&request.body).map_err(|_| "the body is not text")?;
        let entry = Self {
            source: cut(&format!("waxseal:{}", subject.source), SOURCE_CHARS_MAX),
            detail_type: cut(&subject.event_type, DETAIL_TYPE_CHARS_MAX),
            detail: detail(body),
            time: subject.time,
            resources: [subject.delivery.clone(), subject.hops.resource()],
        };
        let texts = [&entry.source, &entry.detail_type, &entry.detail];
        let texts = texts.into_iter().chain(&entry.resources);
        let bytes = TIME_BYTES + texts.map(String::len).sum::<usize>();
        if bytes > ENTRY_BYTES_MAX {
            let most = ENTRY_BYTES_MAX;
            return Err(format!("the entry is {bytes} bytes long, and EventBridge takes {most}"));
        }
        Ok(entry)
    }
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

/// The body's own bytes wherever it is JSON: numbers stay as they are written.
fn detail(body: &str) -> String {
    match serde_json::from_str::<&RawValue>(body) {
        Ok(json) if json.get().starts_with('{') => json.get().to_owned(),
        Ok(json) => format!(r#"{{"body":{}}}"#, json.get()),
        Err(_) => serde_json::json!({ "body": body }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::dispatch::Subject;
    use crate::event::hops::Hops;

    fn entry(source: &str, event_type: &str, body: &[u8]) -> Result<BusEntry, String> {
        let subject = Subject {
            delivery: "dlv_1_e".to_owned(),
            event_type: event_type.to_owned(),
            source: source.to_owned(),
            time: Some(Timestamp::from_ms(1)),
            verified_by: Vec::new(),
            hops: Hops::new(2),
        };
        BusEntry::of(&Request {
            method: crate::delivery::dispatch::Method::Post,
            tenant: "acme".parse().unwrap(),
            url: "arn:aws:events:us-east-1:123456789012:event-bus/b".to_owned(),
            headers: std::collections::BTreeMap::new(),
            body: body.to_vec(),
            timeout_ms: 1_000,
            response_chars_max: 0,
            subject,
        })
    }

    #[test]
    fn an_object_is_the_detail_as_it_is_written() {
        let entry = entry("/policies", "policy.denied", b" {\"n\": 1.0}\n").unwrap();
        assert_eq!(entry.source, "waxseal:/policies");
        assert_eq!(entry.detail_type, "policy.denied");
        assert_eq!(entry.detail, "{\"n\": 1.0}");
        assert_eq!(entry.time, Some(Timestamp::from_ms(1)));
        assert_eq!(entry.resources, ["dlv_1_e", "waxseal-hops/2"]);
    }

    #[test]
    fn anything_else_is_wrapped_in_one() {
        assert_eq!(entry("s", "t", b"[1.0]").unwrap().detail, r#"{"body":[1.0]}"#);
        assert_eq!(entry("s", "t", b"a=1&b=\"").unwrap().detail, r#"{"body":"a=1&b=\""}"#);
        assert_eq!(entry("s", "t", b"{\"a\"").unwrap().detail, r#"{"body":"{\"a\""}"#);
        assert_eq!(entry("s", "t", b"").unwrap().detail, r#"{"body":""}"#);
        assert!(entry("s", "t", b"\xff").is_err());
    }

    #[test]
    fn every_part_is_bounded() {
        let long = entry(&"ä".repeat(512), &"t".repeat(200), b"{}").unwrap();
        assert_eq!(long.source.chars().count(), 256);
        assert_eq!(long.detail_type.chars().count(), 128);
        // 14 of the time, 9 of the source, 1 of the type, 7 of the id, 14 of the hops, 2 quotes, 9 around the body.
        let body = |length: usize| "b".repeat(length).into_bytes();
        assert!(entry("s", "t", &body(1_000_000 - 56)).is_ok());
        let said = entry("s", "t", &body(1_000_000 - 55)).unwrap_err();
        assert!(said.contains("1000001"), "{said}");
    }
}
