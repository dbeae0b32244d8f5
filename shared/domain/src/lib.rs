//! The nouns of Waxseal and every rule about them.
//!
//! This crate decides; it never does. It knows no engine, no AWS, no HTTP client, no runtime, no environment,
//! no clock and no random source: the time, random numbers and keys are arguments. Nothing in it is `async`.
//! What is done by its decisions, and in which order, stands in `waxseal-flows`.
//!
//! | read | for |
//! | --- | --- |
//! | [`event`] | what happened; its types, its catalogue, and links to it |
//! | [`endpoint`] | who wants events: its subscription, address, target and credentials |
//! | [`delivery`] | one event owed to one endpoint: its row, its messages and its attempts |
//! | [`delivery::judge`] | whether a message may drive its delivery |
//! | [`delivery::dispatch`] | one attempt on the wire: rendered and signed |
//! | [`delivery::retry`] | what follows an outcome |
//! | [`clock`] | whether a clock is believed, and ages in time that has passed |
//! | [`flow_control`] | gates, circuit breakers, rates and slots |
//! | [`profile`], [`filter`], [`json`] | wire contracts, content filters, and JSON as both read it |
//! | [`schema_plan`] | what checking against a JSON Schema costs, counted before it begins |
//! | [`limits`] | every bound and every duration, with its reason |
//!
//! Why these dependencies: `hmac` and `sha2` sign and hash, `subtle` compares in constant time,
//! `zeroize` clears secrets; `serde` and `serde_json` (raw values, so that a payload's bytes are kept;
//! `float_roundtrip`, so that an attribute's number is, however often it is stored) are JSON;
//! `base64`, `time` and `url` are the parsers of their formats, and `hex`, which AWS's signer brings anyway, is
//! hexadecimal; `httpdate`, which hyper brings anyway, reads all three forms of HTTP's dates, and `ipnet`, which
//! comes with hyper as well, networks; `thiserror` words faults. None of them does I/O. `proptest` draws the random cases of tests.

pub mod api_key;
pub mod audit;
pub mod bounded_map;
pub mod clock;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod filter;
pub mod flow_control;
pub mod id;
pub mod json;
pub mod limits;
pub mod notice;
pub mod problem;
pub mod profile;
pub mod public_url;
pub mod schema_plan;
pub mod secret;
pub mod source;
pub mod timestamp;
