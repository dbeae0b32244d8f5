//! The time in which a hook counts: what bounds its replay.

use crate::verify::Fault;

/// Now, and how far from it a hook's timestamp may lie. There is no clock in here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The receiver's time, in seconds since 1970.
    pub now_s: u64,
    /// How many seconds a timestamp may lie before or after it.
    pub tolerance_s: u64,
}

impl Window {
    /// Five minutes to either side, as Standard Webhooks, Stripe and Slack advise.
    pub fn around(now_s: u64) -> Self {
        Self { now_s, tolerance_s: 300 }
    }

    /// The seconds of a header's text, where they are near enough.
    pub(crate) fn admit(self, text: &str) -> Result<u64, Fault> {
        let seconds = seconds(text).ok_or(Fault::Timestamp)?;
        if seconds.saturating_add(self.tolerance_s) < self.now_s {
            return Err(Fault::TooOld);
        }
        if seconds > self.now_s.saturating_add(self.tolerance_s) {
            return Err(Fault::TooNew);
        }
        Ok(seconds)
    }
}

/// A timestamp in decimal seconds: digits only, no sign.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerates_its_seconds_and_no_more() {
        let at = |now_s| Window::around(now_s).admit("1000");
        assert_eq!(at(1_300), Ok(1_000));
        assert_eq!(at(1_301), Err(Fault::TooOld));
        assert_eq!(at(700), Ok(1_000));
        assert_eq!(at(699), Err(Fault::TooNew));
        for text in ["", "+1000", "1e3", "-1", " 1000", "99999999999999999999"] {
            assert_eq!(Window::around(1_000).admit(text), Err(Fault::Timestamp), "{text}");
        }
    }
}
