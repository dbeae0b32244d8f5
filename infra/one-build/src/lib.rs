//! Nothing is here but dependencies: crates of others, each with all the features that any crate of ours
//! asks for.
//!
//! Cargo joins the features of the packages that are built together. The server, the functions and the
//! tests ask different features of the same crates, so that each of the three builds would compile `tokio`,
//! and all that stands on it, anew. `cargo xtask` therefore names this package beside whichever it builds
//! for tests. What is released, and what `cargo run` starts, is built without it. `cargo xtask lint` says
//! which feature is missing here.
