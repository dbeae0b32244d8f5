//! Settings of long tests, from the environment: how much, and with which seed.

/// A number in the environment, if it is one.
#[expect(clippy::disallowed_methods, reason = "the one way to ask a test for more")]
pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// `WAXSEAL_SEED`, or a new one; printed, so that a failure can be tried again.
pub fn seed() -> u64 {
    let entropy = waxseal_adapters::entropy::entropy() & 0xffff_ffff;
    let seed = setting("WAXSEAL_SEED").unwrap_or_else(|| u64::try_from(entropy).unwrap());
    println!("WAXSEAL_SEED={seed}");
    seed
}
