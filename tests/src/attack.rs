//! The table of attacks: what each may take at the most, and what it took.

use crate::settings::setting;

/// One attack, and the bound that it must not pass.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// What is done, in a few words: the row's name.
    pub name: &'static str,
    /// What is counted, with its unit.
    pub counted: &'static str,
    /// The most that may be counted.
    pub bound: u64,
}

impl Attack {
    /// Holds what was counted against the bound, and prints the table's row for `cargo xtask prove`.
    pub fn took(&self, measured: u64) {
        let Self { name, counted, bound } = *self;
        println!("| {name} | {counted} | {bound} | {measured} |");
        assert!(measured <= bound, "{name}: {measured} {counted}, where {bound} is the bound");
    }
}

/// How often, or how much: the short form in a test run, and the long one where `WAXSEAL_ATTACKS_LONG` is 1.
pub fn short_or_long<T>(short: T, long: T) -> T {
    if setting("WAXSEAL_ATTACKS_LONG") == Some(1) { long } else { short }
}
