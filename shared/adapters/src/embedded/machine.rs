//! How the machine is on which the server runs: the disk of its data, its file handles, its memory. What a
//! system does not tell is left out.

use std::path::Path;

use waxseal_flows::ports::Check;

/// Looks at the disk, the file handles and the memory.
pub(super) fn look(folder: &Path) -> Vec<Check> {
    #[cfg(unix)]
    let checks = unix::look(folder);
    #[cfg(not(unix))]
    let checks = {
        let _not_asked = folder;
        Vec::new()
    };
    checks
}

#[cfg(unix)]
mod unix {
    use std::fs::read_to_string;
    use std::path::Path;

    use rustix::process::{Resource, getrlimit};
    use waxseal_domain::limits::{
        DISK_FREE_PERCENT_MIN, HANDLES_USED_PERCENT_MAX, MEMORY_USED_PERCENT_MAX,
    };
    use waxseal_flows::ports::Check;

    const MB: u64 = 1_000_000;

    pub(super) fn look(folder: &Path) -> Vec<Check> {
        let all = [Some(check_disk(folder)), check_handles(), check_memory()];
        all.into_iter().flatten().collect()
    }

    fn check_disk(folder: &Path) -> Check {
        let name = "disk";
        match rustix::fs::statvfs(folder) {
            Err(error) => Check::fail(name, error.to_string()),
            Ok(found) => {
                let free = found.f_bavail.saturating_mul(found.f_frsize);
                describe_disk(free, found.f_blocks.saturating_mul(found.f_frsize))
            }
        }
    }

    pub(super) fn describe_disk(free: u64, all: u64) -> Check {
        let percent = percent(free, all);
        let detail = format!("{} MB free, {percent} %", free / MB);
        if percent >= DISK_FREE_PERCENT_MIN {
            Check::ok("disk", detail)
        } else {
            let hint = "make room before nothing can be accepted";
            Check::warn("disk", format!("{detail}: {hint}"))
        }
    }

    fn check_handles() -> Option<Check> {
        // The handle that reads the folder is one of them.
        let used = std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
        let limit = getrlimit(Resource::Nofile).current?;
        Some(describe_handles(u64::try_from(used).ok()?, limit))
    }

    pub(super) fn describe_handles(used: u64, limit: u64) -> Check {
        let detail = format!("{used} of {limit} in use");
        if percent(used, limit) <= HANDLES_USED_PERCENT_MAX {
            Check::ok("file handles", detail)
        } else {
            let hint = "raise the limit (ulimit -n), or lower --max-connections";
            Check::warn("file handles", format!("{detail}: {hint}"))
        }
    }

    fn check_memory() -> Option<Check> {
        let status = read_to_string("/proc/self/status").ok()?;
        let used = kib_of(&status, "VmRSS:")?.saturating_mul(1_024);
        let machine = read_to_string("/proc/meminfo").ok()?;
        let all = kib_of(&machine, "MemTotal:")?.saturating_mul(1_024);
        // A container is given less; without a bound of its own this reads `max`.
        let own = read_to_string("/sys/fs/cgroup/memory.max").ok();
        let bound = own.and_then(|text| text.trim().parse().ok());
        Some(describe_memory(used, bound.map_or(all, |bound: u64| bound.min(all))))
    }

    pub(super) fn describe_memory(used: u64, limit: u64) -> Check {
        let detail = format!("{} of {} MB in use", used / MB, limit / MB);
        if percent(used, limit) <= MEMORY_USED_PERCENT_MAX {
            Check::ok("memory", detail)
        } else {
            Check::warn("memory", format!("{detail}: the system may end the server"))
        }
    }

    /// The number of kibibytes behind a name of `/proc`.
    fn kib_of(text: &str, name: &str) -> Option<u64> {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim().strip_suffix("kB")?.trim().parse().ok()
    }

    /// A share in percent, rounded down; a share of nothing is none.
    fn percent(part: u64, whole: u64) -> u64 {
        part.saturating_mul(100).checked_div(whole).unwrap_or(0)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use waxseal_flows::ports::CheckStatus;

    use super::unix::{describe_disk, describe_handles, describe_memory};
    use super::*;

    #[test]
    fn what_runs_short_is_a_warning_with_figures() {
        let (ok, warn) = (CheckStatus::Ok, CheckStatus::Warn);
        for (check, status, figures) in [
            (describe_disk(10_000_000, 100_000_000), ok, "10 MB free, 10 %"),
            (describe_disk(9_900_000, 100_000_000), warn, "9 MB free, 9 %: make room"),
            (describe_disk(0, 0), warn, "0 MB free"),
            (describe_handles(80, 100), ok, "80 of 100 in use"),
            (describe_handles(820, 1_000), warn, "820 of 1000 in use: raise"),
            (describe_memory(80_000_000, 100_000_000), ok, "80 of 100 MB"),
            (describe_memory(99_000_000, 100_000_000), warn, "99 of 100 MB in use: "),
        ] {
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.detail.starts_with(figures), "{check:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_is_looked_at() {
        let names: Vec<String> =
            look(&std::env::temp_dir()).into_iter().map(|check| check.name).collect();
        assert_eq!(names, ["disk", "file handles", "memory"]);
    }
}
