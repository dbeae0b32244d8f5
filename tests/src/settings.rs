//! Settings of long tests, from the environment: how much, and with which seed.

use std::path::Path;

/// A number in the environment, if it is one.
#[expect(clippy::disallowed_methods, reason = "the one way to ask a test for more")]
pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// `PATH` with a folder before all others: for programs that call others by name.
#[expect(clippy::disallowed_methods, reason = "a child's environment is built on ours")]
pub fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

/// `WAXSEAL_SEED`, or a new one; printed, so that a failure can be tried again.
pub fn seed() -> u64 {
    let entropy = waxseal_adapters::entropy::entropy() & 0xffff_ffff;
    let seed = setting("WAXSEAL_SEED").unwrap_or_else(|| u64::try_from(entropy).unwrap());
    println!("WAXSEAL_SEED={seed}");
    seed
}
