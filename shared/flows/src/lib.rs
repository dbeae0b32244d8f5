//! The use cases of Waxseal, each once and named by a verb, and the ports that they drive.
//!
//! The domain decides; a flow asks it, and takes the steps that follow through the [`ports`], in the order
//! that keeps the promises. A flow knows no AWS, no HTTP client, no database and no environment: the engines
//! of `waxseal-adapters` implement the ports, and the simulation of the tests does too. `cargo xtask lint` holds
//! these walls.
//!
//! | read | for |
//! | --- | --- |
//! | [`ports`] | what the engines must do |
//! | [`accept`] | an event in: valid, deduplicated, owed to its endpoints, queued |
//! | [`take_in`], [`receive`] | events that cloud sources bring, and hooks |
//! | [`attempt`] | one message, at most one POST: judged, sent, recorded, settled |
//! | [`send`] | one attempt on the wire: keys opened, request prepared, sent |
//! | [`sweep`] | what is due goes back on the queue; gates are reviewed |
//! | [`bury`] | what kept crashing becomes a failed delivery |
//! | [`authorize`] | what an endpoint's receiver is authenticated to with |
//! | [`replay`], [`cancel`], [`recover`], [`expunge`] | what a person asks of deliveries and events |
//! | [`configure`] | a change of what is configured, with its audit entry |
//! | [`disable`] | an endpoint that answered 410, or failed for days |
//! | [`announce`] | what happened is told as an event itself |
//! | [`authenticate`] | who calls, and what they may do |
//! | [`profiles`], [`catalogue`], [`link`], [`handshake`] | what is looked up, checked and asked on the way |
//! | [`memory`], [`tokens`] | what an instance remembers between invocations |
//! | [`refusal`] | why a flow did not do what it was asked |
//!
//! The exact order of their steps, and why it is so, is at the end of this page.
//!
//! Why these dependencies: `waxseal-domain` and `waxseal-verify` hold the nouns, the rules and the
//! signatures; `futures-util` joins what is under way at the same time; `serde` and `serde_json` write events
//! and answers; `zeroize` clears opened secrets; `tokio` keeps an attempt in a
//! task of its own, with an end; `tracing` logs. None of them does I/O as it is used here.

#![doc = include_str!("../PROTOCOL.md")]

pub mod accept;
pub mod access_tokens;
pub mod announce;
pub mod attempt;
pub mod authenticate;
pub mod authorize;
pub mod bury;
pub mod cancel;
pub mod catalogue;
pub mod configure;
pub mod disable;
pub mod expunge;
pub mod handshake;
pub mod link;
pub mod memory;
pub mod own_headers;
pub mod ports;
pub mod profiles;
pub mod receive;
pub mod recover;
pub mod refusal;
pub mod replay;
pub mod send;
pub mod sweep;
pub mod take_in;
mod throttle;
