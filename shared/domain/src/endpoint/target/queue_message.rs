//! A delivery as a message of an SQS queue: its body the POST's, its attributes the POST's headers.

use std::collections::BTreeMap;

use crate::api_key::hash_of;
use crate::delivery::dispatch::Request;
use crate::event::hops::HOPS_HEADER;

/// Bytes of a message, its attributes included. Of SQS.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Attributes of a message. Of SQS.
const ATTRIBUTES_MAX: usize = 10;
/// The attribute that holds, as a JSON object, the headers for which there is no room.
const REST: &str = "headers";
/// The type of every attribute, which counts as its name and value do.
const STRING: &str = "String";
/// Characters of a deduplication id. Of SQS.
const DEDUPLICATION_ID_CHARS_MAX: usize = 128;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// The POST's body, byte for byte.
    pub body: String,
    /// The POST's headers; at most ten, those by which a receiver verifies first.
    pub attributes: Vec<(String, String)>,
    /// The group in a FIFO queue, which is the tenant: its deliveries keep their order among
    /// themselves.
    pub group: String,
    /// The deduplication id in a FIFO queue, which is the delivery: the queue drops a second
    /// message of it within five minutes.
    pub deduplication_id: String,
}

impl QueueMessage {
    /// Makes the message of a request, or says why the request cannot be one.
    pub fn of(request: &Request) -> Result<Self, String> {
        let text = String::from_utf8(request.body.clone());
        let body = text.ok().filter(|body| !body.is_empty() && body.chars().all(is_taken));
        let body = body.ok_or("the body is not text that SQS takes")?;
        let attributes = attributes(&request.headers, &request.subject.verified_by);
        let bytes = body.len()
            + attributes
                .iter()
                .map(|(name, value)| name.len() + STRING.len() + value.len())
                .sum::<usize>();
        if bytes > MESSAGE_BYTES_MAX {
            let most = MESSAGE_BYTES_MAX;
            return Err(format!("the message is {bytes} bytes long, and SQS takes {most}"));
        }
        let id = &request.subject.delivery;
        let is_id = id.len() <= DEDUPLICATION_ID_CHARS_MAX;
        let deduplication_id = if is_id { id.clone() } else { hash_of(id) };
        Ok(Self { body, attributes, group: request.tenant.to_string(), deduplication_id })
    }
}

/// Every header, in attributes: one each for those that there is room for, `first` before all others, and
/// what is left as JSON in one more. Nothing is left out.
fn attributes(headers: &BTreeMap<String, String>, first: &[String]) -> Vec<(String, String)> {
    let place = |name: &String| {
        let at = first.iter().position(|one| one == name).unwrap_or(first.len());
        // The hops before all: whoever takes the message in again looks for them in an attribute of their own.
        (name != HOPS_HEADER, at, name != "content-type", name != "traceparent")
    };
    let mut sorted: Vec<_> = headers.iter().collect();
    sorted.sort_by_key(|(name, _)| place(name));
    let (mut fit, mut rest): (Vec<_>, Vec<_>) =
        sorted.into_iter().partition(|(name, value)| may_be_attribute(name, value));
    if fit.len() + usize::from(!rest.is_empty()) > ATTRIBUTES_MAX {
        rest.extend(fit.split_off(ATTRIBUTES_MAX - 1));
    }
    let mut all: Vec<(String, String)> =
        fit.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if !rest.is_empty() {
        let rest: BTreeMap<_, _> = rest.into_iter().collect();
        all.push((REST.to_owned(), serde_json::json!(rest).to_string()));
    }
    all
}

/// Whether SQS takes a header for an attribute as it is.
fn may_be_attribute(name: &str, value: &str) -> bool {
    let is_name = (1..=256).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let is_dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let is_reserved = name == REST || name.starts_with("aws.") || name.starts_with("amazon.");
    is_name && !is_dotted && !is_reserved && !value.is_empty() && value.chars().all(is_taken)
}

/// The characters of XML 1.0: SQS takes no others.
fn is_taken(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::dispatch::Subject;

    fn request(headers: &[(&str, &str)], body: &[u8]) -> Request {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: crate::delivery::dispatch::Method::Post,
            tenant: "acme".parse().unwrap(),
            url: "arn:aws:sqs:us-east-1:123456789012:q".to_owned(),
            headers: headers.iter().map(own).collect(),
            body: body.to_vec(),
            timeout_ms: 1_000,
            response_chars_max: 0,
            subject: Subject {
                delivery: "dlv_1_e".to_owned(),
                verified_by: vec!["webhook-id".to_owned(), "x-seal".to_owned()],
                ..Subject::default()
            },
        }
    }

    fn names(message: &QueueMessage) -> Vec<&str> {
        message.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn headers_become_attributes_those_to_verify_by_first() {
        let headers = [
            ("a", "1"),
            ("content-type", "t"),
            ("traceparent", "p"),
            ("x-seal", "s"),
            ("webhook-id", "i"),
        ];
        let message = QueueMessage::of(&request(&headers, b"{\"a\": 1}")).unwrap();
        assert_eq!(message.body, "{\"a\": 1}");
        let expected = ["webhook-id", "x-seal", "content-type", "traceparent", "a"];
        assert_eq!(names(&message), expected);
        assert_eq!(message.group, "acme");
        assert_eq!(message.deduplication_id, "dlv_1_e");
    }

    #[test]
    fn ten_headers_are_ten_attributes_and_of_eleven_the_last_two_are_json() {
        let names_of = |count: usize| (0..count).map(|n| format!("x-{n:02}")).collect::<Vec<_>>();
        let of = |count: usize| {
            let all = names_of(count);
            let headers: Vec<_> = all.iter().map(|name| (name.as_str(), "v")).collect();
            QueueMessage::of(&request(&headers, b"{}")).unwrap()
        };
        assert_eq!(names(&of(10)), names_of(10));
        let eleven = of(11);
        assert_eq!(eleven.attributes.len(), 10);
        let (name, rest) = eleven.attributes.last().unwrap();
        assert_eq!((name.as_str(), rest.as_str()), ("headers", r#"{"x-09":"v","x-10":"v"}"#));
    }

    #[test]
    fn a_header_that_sqs_refuses_is_in_the_json() {
        for (name, value) in [
            ("a!", "1"),
            (".a", "1"),
            ("a.", "1"),
            ("a..b", "1"),
            ("aws.a", "1"),
            ("amazon.a", "1"),
            ("a", ""),
            ("a", "\u{1}"),
            ("headers", "1"),
        ] {
            let message = QueueMessage::of(&request(&[(name, value)], b"{}")).unwrap();
            assert_eq!(names(&message), ["headers"], "{name}");
            let rest: BTreeMap<String, String> =
                serde_json::from_str(&message.attributes[0].1).unwrap();
            assert_eq!(rest[name], value);
        }
    }

    #[test]
    fn what_sqs_does_not_take_is_said() {
        for body in [&b""[..], b"\xff", b"{\"a\":\"\xef\xbf\xbf\"}", b"\0"] {
            assert!(QueueMessage::of(&request(&[], body)).is_err(), "{body:?}");
        }
        assert!(QueueMessage::of(&request(&[], "{\"ä\":\"\u{10ffff}\t\"}".as_bytes())).is_ok());
        // One attribute is 1 + 6 + 1 bytes.
        let full = vec![b'a'; MESSAGE_BYTES_MAX - 8];
        assert!(QueueMessage::of(&request(&[("a", "1")], &full)).is_ok());
        let said = QueueMessage::of(&request(&[("a", "12")], &full)).unwrap_err();
        assert!(said.contains("1048577"), "{said}");
    }

    #[test]
    fn a_long_id_is_hashed_for_a_fifo_queue() {
        let mut request = request(&[], b"{}");
        request.subject.delivery = "d".repeat(129);
        let id = QueueMessage::of(&request).unwrap().deduplication_id;
        assert_eq!(id.len(), 64);
    }
}
