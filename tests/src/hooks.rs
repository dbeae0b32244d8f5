//! Hooks: signed as a profile has it, and checked as it does.

use waxseal_adapters::clock::SystemClock;
use waxseal_domain::profile::{Dialect, Profile};
use waxseal_flows::ports::Clock as _;
use waxseal_verify::{Delivery, Fault, VerifiedHook, Window};

use crate::client::Client;
use crate::sink::CapturedRequest;

/// A hook's headers and body.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte as it is signed.
    pub body: Vec<u8>,
}

impl Hook {
    /// A hook signed now with a secret, without Standard Webhooks' headers beside the profile's own.
    pub fn sign(profile: &str, secret: &str, id: &str, event_type: &str, body: &str) -> Self {
        let timestamp_s = SystemClock.now().seconds();
        let profile = Profile::find_builtin(profile).unwrap();
        let keys = [profile.dialect.key(secret).unwrap()];
        let variable = |name: &str| (name == "type").then(|| event_type.to_owned());
        let delivery = Delivery {
            id,
            timestamp_s,
            body: body.as_bytes(),
            standard_beside: false,
            variable: &variable,
        };
        let signed = profile.dialect.sign(&keys, delivery).unwrap();
        Self { headers: signed.headers, body: signed.body.into_owned() }
    }

    /// What a sink has captured.
    pub fn of_captured(captured: &CapturedRequest) -> Self {
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = captured.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        Self { headers: headers.collect(), body: captured.body.to_vec() }
    }

    /// The headers but for those that are the connection's own.
    fn sendable(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        headers.filter(|(name, _)| !["connection", "content-length", "host"].contains(name))
    }

    /// The same with one bit of one byte of the body flipped: a letter's, so that JSON stays JSON.
    #[must_use]
    pub fn flip_a_bit(&self) -> Self {
        let mut flipped = self.clone();
        let letter = flipped.body.iter_mut().find(|byte| **byte == b'e');
        *letter.expect("an e in the body") ^= 1;
        flipped
    }

    /// Sends it to a path, without an API key; the status and JSON that are answered.
    pub async fn post(&self, client: &Client, path: &str) -> (u16, serde_json::Value) {
        let stranger = Client { key: String::new(), ..client.clone() };
        let headers: Vec<(&str, &str)> = self.sendable().collect();
        stranger.with("POST", path, &headers, self.body.clone()).await.expect("an answer")
    }

    /// Reads the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether it verifies now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, dialect: &Dialect, secret: &str) -> Result<VerifiedHook, Fault> {
        let keys = [dialect.key(secret).unwrap()];
        let window = Window::around(SystemClock.now().seconds());
        dialect.verify(|name| self.header(name), &self.body, &keys, window)
    }
}
