//! What the tests share: sinks on loopback, an engine whose sender is scripted, the embedded binary.

pub mod by_hand;
pub mod client;
pub mod cloud;
pub mod contract;
pub mod emulator;
pub mod fixtures;
pub mod process;
pub mod proxy;
pub mod rogue;
pub mod scripted;
pub mod sim;
pub mod sink;
