//! How old an answer may be.

/// How old a copy may be that a read is answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(u64);

impl MaxAge {
    /// No copy at all: the store is read now.
    pub const NOW: Self = Self(0);

    /// A copy of at most so many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the age in seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_seconds_and_now_is_none() {
        assert_eq!(MaxAge::seconds(60).as_seconds(), 60);
        assert_eq!(MaxAge::NOW.as_seconds(), 0);
    }
}
