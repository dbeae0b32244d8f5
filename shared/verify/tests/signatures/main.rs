//! Signatures by the crate's own interface alone, as a stranger uses it.

mod documented;
mod explain;
mod node;
mod profiles;
mod properties;
mod receivers;
mod round;
