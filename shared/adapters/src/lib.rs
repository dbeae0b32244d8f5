//! All of Waxseal that talks to AWS, the network, the disk, the environment and the clock.
//!
//! The engines are features, so that neither links the other: [`embedded`] (SQLite and a key file)
//! and `aws` (DynamoDB, SQS and KMS). What both use stands beside them.
//!
//! Why these dependencies: `reqwest` makes the POSTs, over `rustls` with `webpki-roots` (its own CA
//! parsing costs tens of milliseconds of a cold start); `aws-lc-rs` is rustls' and the SDK's
//! cryptography, so random numbers and the key file's AES-GCM cost nothing more; `rusqlite` is
//! SQLite, bundled, so that nothing need be installed; `rustix` asks the system, without `unsafe`, who we are,
//! how full the disk is, and how many handles there are.
//! `tokio` waits, `tracing` logs, by `tracing-subscriber` in a function (the one that `lambda_runtime` brings
//! tells payloads), `http` and `bytes` are what all of HTTP here speaks, `percent-encoding`
//! reads its queries, `futures-util` settles a function's batch, and `zeroize` clears opened secrets.

#[cfg(feature = "aws")]
pub mod aws;
pub mod client;
pub mod clock;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod entropy;
#[cfg(feature = "aws")]
pub mod environment;
#[cfg(feature = "aws")]
pub mod function;
pub mod http;
pub mod json_schema;
#[cfg(feature = "aws")]
mod logs;
pub mod machine;
#[cfg(feature = "logs")]
pub mod repeated;
pub mod sender;
mod shortage;
#[cfg(feature = "signals")]
pub mod stop;
pub mod tls;
pub mod turns;
