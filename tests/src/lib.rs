//! What the tests share: sinks on loopback, an engine whose sender is scripted, the embedded binary.

pub mod by_hand;
pub mod canaries;
pub mod client;
pub mod cloud;
pub mod contract;
pub mod emulator;
pub mod eventually;
pub mod faults;
pub mod fixtures;
pub mod hooks;
pub mod management;
pub mod openapi;
pub mod poster;
pub mod process;
pub mod proxy;
pub mod random;
pub mod receivers;
pub mod rng;
pub mod rogue;
pub mod scripted;
pub mod settings;
pub mod sim;
pub mod sink;
pub mod sixth;
pub mod systems;
pub mod thirds;
