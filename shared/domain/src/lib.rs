//! The nouns of Waxseal and every rule about them.
//!
//! This crate decides; it never does. It knows no engine, no AWS, no HTTP client, no runtime, no environment,
//! no clock and no random source: the time, random numbers and keys are arguments. Nothing in it is `async`.
//! What is done by its decisions, and in which order, stands in `waxseal-flows`.
//!
//! | read | for |
//! | --- | --- |
//! | [`event`], [`endpoint`], [`delivery`] | the nouns |
//! | [`subscription`] | which endpoints want an event |
//! | [`judge`] | whether a message may drive its delivery |
//! | [`target`] | where an endpoint's deliveries go: a receiver, a queue, a bus |
//! | [`dispatch`] | one attempt on the wire: rendered and signed |
//! | [`retry`] | what follows an outcome |
//!
//! Why these dependencies: `hmac` and `sha2` sign and hash, `subtle` compares in constant time,
//! `zeroize` clears secrets; `serde` and `serde_json` (raw values, so that a payload's bytes are kept;
//! `float_roundtrip`, so that an attribute's number is, however often it is stored) are JSON;
//! `base64`, `time` and `url` are the parsers of their formats; `thiserror` words faults;
//! None of them does I/O. `proptest` draws the random cases of tests.

pub mod acceptance;
pub mod address;
pub mod api_key;
pub mod attempt;
pub mod audit;
pub mod catalogue;
pub mod concurrency;
pub mod credentials;
pub mod delivery;
pub mod dispatch;
pub mod endpoint;
pub mod event;
pub mod event_type;
pub mod filter;
pub mod gate;
pub mod handshake;
pub mod id;
pub mod json;
pub mod judge;
pub mod lane;
pub mod limits;
pub mod link;
pub mod message;
pub mod notice;
pub mod problem;
pub mod profile;
pub mod rate;
pub mod retry;
pub mod secret;
pub mod source;
pub mod subscription;
pub mod target;
pub mod throttle;
pub mod timestamp;
