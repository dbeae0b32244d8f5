//! What the tests share: sinks on loopback, an engine whose sender is scripted, the embedded binary.

pub mod client;
pub mod contract;
pub mod emulator;
pub mod fixtures;
pub mod process;
pub mod scripted;
pub mod sink;
