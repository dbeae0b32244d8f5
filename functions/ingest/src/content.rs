//! From a request's content to submissions: CloudEvents in structured, batched and binary mode, a
//! plain object, or an array of them. Told apart by content type and headers, as CloudEvents' HTTP
//! binding says; never by looking into the body.

use ::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use waxseal_adapters::http;
use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Form, Submission};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::EVENTS_PER_REQUEST_MAX;
use waxseal_domain::problem::Problem;

/// What a request holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// One event: its result is the answer.
    One([Submission; 1]),
    /// An array: its results are the answer, in order.
    Many(Vec<Submission>),
}

impl Content {
    pub(crate) fn submissions(&self) -> &[Submission] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }

    /// The content as something brought it that says so many deliveries lie behind it.
    fn with_hops(mut self, hops: Hops) -> Self {
        let submissions: &mut [Submission] = match &mut self {
            Self::One(one) => one,
            Self::Many(many) => many,
        };
        for submission in submissions {
            submission.hops = hops;
        }
        self
    }
}

/// Reads a request's content.
pub(crate) fn read(headers: &HeaderMap, body: &str) -> Result<Content, Problem> {
    Ok(read_events(headers, body)?.with_hops(http::hops(headers)?))
}

fn read_events(headers: &HeaderMap, body: &str) -> Result<Content, Problem> {
    let content_type = match headers.get("content-type") {
        None => "application/json",
        Some(value) => value.to_str().map_err(|_| unsupported())?,
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/cloudevents+json" => Ok(one(body.to_owned(), Form::CloudEvent)),
        "application/cloudevents-batch+json" => read_many(body, Form::CloudEvent),
        _ if headers.contains_key("ce-specversion") || headers.contains_key("ce-type") => {
            binary(headers, content_type, &media_type, body)
        }
        "application/json" | "text/json" => plain(body),
        _ => Err(unsupported()),
    }
}

fn unsupported() -> Problem {
    Problem::unsupported_media_type(
        "send application/json, application/cloudevents+json, \
         application/cloudevents-batch+json, or CloudEvents' binary mode",
    )
}

fn one(text: String, form: Form) -> Content {
    Content::One([Submission { text, form, fallback_id: None, hops: Hops::default() }])
}

fn plain(body: &str) -> Result<Content, Problem> {
    if body.trim_start().starts_with('[') {
        read_many(body, Form::Plain)
    } else {
        serde_json::from_str::<&RawValue>(body).map_err(|error| not_json(&error))?;
        Ok(one(body.to_owned(), Form::Plain))
    }
}

fn read_many(body: &str, form: Form) -> Result<Content, Problem> {
    let items: Vec<&RawValue> = serde_json::from_str(body).map_err(|error| {
        if error.is_data() {
            Problem::unprocessable(vec![Fault::new("", "must be an array")])
        } else {
            not_json(&error)
        }
    })?;
    if items.is_empty() || items.len() > EVENTS_PER_REQUEST_MAX {
        let detail = format!("must hold 1 to {EVENTS_PER_REQUEST_MAX} events");
        return Err(Problem::unprocessable(vec![Fault::new("", &detail)]));
    }
    Ok(Content::Many(
        items
            .iter()
            .map(|item| item.get().to_owned())
            .map(|text| Submission { text, form, fallback_id: None, hops: Hops::default() })
            .collect(),
    ))
}

/// Binary mode: attributes are headers, and the body is the data.
fn binary(
    headers: &HeaderMap,
    content_type: &str,
    media_type: &str,
    body: &str,
) -> Result<Content, Problem> {
    let mut members: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let text_sent = value.to_str().ok();
        let value = text_sent.and_then(|text| percent_decode_str(text).decode_utf8().ok());
        let Some(value) = value else {
            return Err(Problem::bad_request(format!("the header {name} is not text")));
        };
        members.insert(attribute.to_owned(), raw(&value)?);
    }
    if headers.contains_key("content-type") {
        members.insert("datacontenttype".to_owned(), raw(content_type)?);
    }
    if !body.is_empty() {
        let (name, data) = data(media_type, body)?;
        members.insert(name.to_owned(), data);
    }
    let text = serde_json::to_string(&members).map_err(|error| not_json(&error))?;
    Ok(one(text, Form::CloudEvent))
}

/// The data of binary mode: JSON as it is, text as a JSON string, anything else in base 64.
fn data(media_type: &str, body: &str) -> Result<(&'static str, Box<RawValue>), Problem> {
    if media_type.ends_with("/json") || media_type.ends_with("+json") {
        let json = Box::<RawValue>::deserialize(&mut serde_json::Deserializer::from_str(body));
        return json.map(|json| ("data", json)).map_err(|error| not_json(&error));
    }
    if media_type.starts_with("text/") {
        return Ok(("data", raw(body)?));
    }
    Ok(("data_base64", raw(&BASE64.encode(body))?))
}

fn raw(text: &str) -> Result<Box<RawValue>, Problem> {
    to_raw_value(text).map_err(|error| not_json(&error))
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("the body is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            let name: ::http::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn texts(pairs: &[(&str, &str)], body: &str) -> Vec<String> {
        let content = read(&headers(pairs), body).unwrap();
        content.submissions().iter().map(|submission| submission.text.clone()).collect()
    }

    #[test]
    fn a_plain_object_and_an_array_of_them() {
        assert_eq!(texts(&[], r#"{"type":"a"}"#), [r#"{"type":"a"}"#]);
        let json = [("Content-Type", "application/json; charset=utf-8")];
        assert_eq!(
            texts(&json, r#" [{"type":"a"}, {"type":"b"}]"#),
            [r#"{"type":"a"}"#, r#"{"type":"b"}"#]
        );
    }

    #[test]
    fn a_content_type_that_is_no_text_is_not_taken_for_json() {
        let value = ::http::HeaderValue::from_bytes(b"application/\xff").unwrap();
        let headers = HeaderMap::from_iter([(::http::header::CONTENT_TYPE, value)]);
        assert_eq!(read(&headers, "{}").unwrap_err().status, 415);
    }

    #[test]
    fn binary_mode_takes_attributes_from_headers() {
        let pairs = [
            ("ce-specversion", "1.0"),
            ("ce-type", "a.b"),
            ("ce-summary", "caf%C3%A9"),
            ("content-type", "application/json"),
        ];
        assert_eq!(
            texts(&pairs, r#"{"n": 1.0}"#),
            [
                r#"{"data":{"n": 1.0},"datacontenttype":"application/json","specversion":"1.0","summary":"café","type":"a.b"}"#
            ]
        );
        let text = [("ce-specversion", "1.0"), ("content-type", "text/plain")];
        assert!(texts(&text, "hi \"x\"")[0].starts_with(r#"{"data":"hi \"x\"","#));
        let bytes = [("ce-specversion", "1.0"), ("content-type", "application/x")];
        assert!(texts(&bytes, "hi")[0].starts_with(r#"{"data_base64":"aGk=","#));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let status = |pairs: &[(&str, &str)], body| read(&headers(pairs), body).unwrap_err().status;
        assert_eq!(status(&[], "not json"), 400);
        assert_eq!(status(&[("content-type", "text/xml")], "<a/>"), 415);
        assert_eq!(status(&[], "[]"), 422);
        let many = format!("[{}1]", "1,".repeat(100));
        assert_eq!(status(&[], &many), 422);
        let batch = [("content-type", "application/cloudevents-batch+json")];
        for (body, expected, why) in [
            ("{}", 422, "must be an array"),
            ("1", 422, "must be an array"),
            ("[1", 400, "is not JSON"),
        ] {
            let problem = read(&headers(&batch), body).unwrap_err();
            let told =
                problem.errors.first().map_or(problem.detail.clone(), |fault| fault.detail.clone());
            assert!(problem.status == expected && told.contains(why), "{body}: {told}");
        }
    }
}
