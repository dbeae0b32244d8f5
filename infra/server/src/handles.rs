//! File handles: as many as the system grants, shared out so that connections never take those that deliveries and
//! the store need.
//!
//! Why this dependency: `rustix` reads and sets the limit without `unsafe` code of ours, and is linked anyway.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use waxseal_domain::limits::{HANDLES_PER_LANE_SHARE, HANDLES_RESERVED};

/// How many attempts, of each priority, and connections there may be at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Attempts of one priority; there are two.
    pub(crate) attempts: u32,
    /// Connections that clients may hold.
    pub(crate) connections: u32,
}

/// Raises this process's limit of open files to what it may be. Returns the limit that holds then.
pub(crate) fn raise_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let holds = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // The kernel's own bound may lie under the hard limit.
        Err(_) => current,
    };
    holds.unwrap_or(u64::MAX)
}

/// Shares a limit out: what the store and the process itself need is left, attempts have at most half of what
/// remains, and connections the rest. An error where that is too little to serve.
pub(crate) fn share_out(limit: u64, wanted: Shares) -> Result<Shares, String> {
    let usable = limit.saturating_sub(HANDLES_RESERVED);
    let per_lane = usable / HANDLES_PER_LANE_SHARE;
    let attempts = u64::from(wanted.attempts).min(per_lane);
    let connections = u64::from(wanted.connections).min(usable.saturating_sub(2 * attempts));
    if attempts == 0 || connections == 0 {
        return Err(format!(
            "the limit of open files is {limit}, and {} are needed at least: raise it (`ulimit -n`)",
            HANDLES_RESERVED + 4
        ));
    }
    let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Shares { attempts: narrow(attempts), connections: narrow(connections) })
}

impl Shares {
    /// Says what there is less of than was asked for; none where there is all.
    pub(crate) fn tell_less(self, wanted: Self, limit: u64) -> Option<String> {
        if self == wanted {
            return None;
        }
        Some(format!(
            "the limit of open files is {limit}: {} connections instead of {}, and {} attempts of a priority \
             instead of {}",
            self.connections, wanted.connections, self.attempts, wanted.attempts
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Shares = Shares { attempts: 128, connections: 1_024 };

    #[test]
    fn attempts_and_the_store_have_their_handles_before_connections() {
        for limit in [80, 256, 1_024, 1_280, 65_536] {
            let shares = share_out(limit, WANTED).unwrap();
            let taken = u64::from(2 * shares.attempts + shares.connections);
            assert!(taken + HANDLES_RESERVED <= limit, "{limit}: {shares:?}");
            assert!(shares.attempts <= 128 && shares.connections <= 1_024, "{shares:?}");
        }
        let of_256 = share_out(256, WANTED).unwrap();
        assert_eq!(of_256, Shares { attempts: 48, connections: 96 });
        let said = of_256.tell_less(WANTED, 256).unwrap();
        assert!(said.contains("96 connections instead of 1024"), "{said}");
        let all = share_out(u64::MAX, WANTED).unwrap();
        assert_eq!((all, all.tell_less(WANTED, u64::MAX)), (WANTED, None));
    }

    #[test]
    fn too_few_handles_are_an_error_that_says_how_many_it_takes() {
        let error = share_out(64, WANTED).unwrap_err();
        assert!(error.contains("is 64, and 68 are needed"), "{error}");
        assert!(share_out(68, WANTED).is_ok());
    }
}
