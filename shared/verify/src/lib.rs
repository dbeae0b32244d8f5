#![doc = include_str!("../README.md")]

mod algorithm;
mod carried;
mod explain;
#[cfg(feature = "http")]
mod headers;
pub mod json;
mod key;
mod member;
mod message;
mod profile;
mod secret;
mod sign;
mod template;
mod verify;
mod window;

pub use algorithm::Algorithm;
pub use explain::{Explanation, Mistake, Rewriting};
#[cfg(feature = "http")]
pub use headers::headers;
pub use key::Key;
pub use profile::{FILES, Profile, ProfileFault};
pub use secret::SecretFault;
pub use sign::{Delivery, SignFault, SignedRequest};
pub use verify::{Fault, VerifiedHook};
pub use window::Window;
