//! A seed from its first start to its last check: so many cuts one after the other, on one folder.

use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use waxseal_tests::rng::Rng;

use crate::disk::{Disk, Figures, Pragmas};
use crate::machine::{Answer, Machine, Outside};
use crate::vfs::{mount, unmount};
use crate::workload::{Senders, Sizes, configure, settle, step};

/// Steps between two cuts, if the power lasts so long.
const STEPS_MAX: u64 = 40;
/// The latest change at which the power goes. One commit of a small event is about fifteen; with large events the log
/// is full after some thousands, and is copied into the database.
const CHANGES_MAX: u64 = 600;
const CHANGES_MAX_OF_LARGE: u64 = 9_000;
/// Between so many cuts, once the events are large.
const LARGE_ONE_IN: u64 = 6;
/// A large event is so many times the changes of a small one, and none would come through.
const LARGE_FAIL_LESS: u64 = 4;
/// A first start makes about so many changes.
const CHANGES_OF_A_START: u64 = 60;

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Everything random comes from it.
    pub seed: u64,
    /// How often the power goes.
    pub cuts: u64,
    /// One change of the disk in so many fails while the power is on; none where it is 0.
    pub failing_one_in: u64,
    /// Whose pragmas hold.
    pub pragmas: Pragmas,
    /// When an event is answered.
    pub answer: Answer,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was promised and is not there; empty if all is.
    pub violations: Vec<String>,
    /// How often the power went.
    pub cuts: u64,
    /// Events that were acknowledged.
    pub events: usize,
    /// POSTs that receivers got.
    pub posts: u32,
    /// Changes of the disk, with the power on: writes, syncs, files made and removed.
    pub changes: u64,
    /// Changes that failed while the power was on.
    pub failures: u64,
    /// How often the log was copied into the file.
    pub checkpoints: u64,
    /// Cuts at which a copy of the log was under way.
    pub cut_checkpoints: u64,
    /// Changes at which a cut waited for a log with a hole to be mended.
    pub put_off: u64,
}

impl Report {
    /// Adds another's figures and violations.
    pub fn add(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.cuts += other.cuts;
        self.events += other.events;
        self.posts += other.posts;
        self.changes += other.changes;
        self.failures += other.failures;
        self.checkpoints += other.checkpoints;
        self.cut_checkpoints += other.cut_checkpoints;
        self.put_off += other.put_off;
    }
}

impl Trial {
    /// The server as it is.
    pub fn of_the_server(seed: u64, cuts: u64) -> Self {
        let (pragmas, answer) = (Pragmas::Own, Answer::AfterCommit);
        Self { seed, cuts, failing_one_in: 0, pragmas, answer }
    }
}

/// Runs a trial until its first violation, or to its end.
pub fn run(trial: Trial) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::new(folder.path(), trial.pragmas, trial.seed));
    mount(&disk);
    // One thread beside this one, so that what several steps read comes back in their order.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let outside = Outside::new(trial.seed);
    let mut run = Run {
        trial,
        rng: Rng::new(trial.seed ^ 0xc07),
        disk: Arc::clone(&disk),
        outside,
        senders: Senders::default(),
        cuts: 0,
    };
    let violations = runtime.block_on(run.all());
    drop(runtime);
    unmount(&disk);
    let ledger = run.outside.ledger();
    let Figures { changes, failures, checkpoints, cut_checkpoints, put_off } = disk.figures();
    let violations = violations.into_iter().map(|said| format!("seed {}: {said}", trial.seed));
    Report {
        violations: violations.collect(),
        cuts: run.cuts,
        events: ledger.events(),
        posts: ledger.posts(),
        changes,
        failures,
        checkpoints,
        cut_checkpoints,
        put_off,
    }
}

struct Run {
    trial: Trial,
    rng: Rng,
    disk: Arc<Disk>,
    outside: Arc<Outside>,
    senders: Senders,
    cuts: u64,
}

impl Run {
    async fn all(&mut self) -> Vec<String> {
        while self.cuts < self.trial.cuts {
            let violations = self.live_until_cut().await;
            if !violations.is_empty() {
                return violations;
            }
        }
        self.end().await
    }

    /// From a start to the next cut.
    async fn live_until_cut(&mut self) -> Vec<String> {
        let sizes = if self.rng.one_in(LARGE_ONE_IN) { Sizes::Large } else { Sizes::Small };
        let is_first = self.cuts == 0;
        let changes_max = match sizes {
            _ if is_first => CHANGES_OF_A_START,
            Sizes::Small => CHANGES_MAX,
            Sizes::Large => CHANGES_MAX_OF_LARGE,
        };
        let changes = 1 + self.rng.below(changes_max);
        let may_cut_start = is_first || self.rng.one_in(8);
        if may_cut_start {
            self.disk.cut_after(changes);
        }
        let machine = match self.start() {
            Ok(Some(machine)) => machine,
            Ok(None) => {
                self.cut();
                return Vec::new();
            }
            Err(violations) => return violations,
        };
        let violations = self.check();
        if !violations.is_empty() {
            machine.end().await;
            return violations;
        }
        if !may_cut_start {
            self.disk.cut_after(changes);
        }
        self.disk.fail_one_in(match sizes {
            Sizes::Small => self.trial.failing_one_in,
            Sizes::Large => LARGE_FAIL_LESS * self.trial.failing_one_in,
        });
        self.live(&machine, sizes).await;
        self.disk.fail_one_in(0);
        let stops_cleanly = self.rng.one_in(4);
        if !stops_cleanly {
            self.disk.cut_now();
        }
        // The cut may still fall into a clean stop.
        machine.end().await;
        self.cut();
        Vec::new()
    }

    async fn live(&mut self, machine: &Arc<Machine>, sizes: Sizes) {
        configure(machine).await;
        for _ in 0..self.rng.within(1, STEPS_MAX) {
            if self.disk.is_off() {
                return;
            }
            step(machine, &mut self.senders, sizes).await;
        }
    }

    /// The engine; none where the power went while it started.
    fn start(&self) -> Result<Option<Arc<Machine>>, Vec<String>> {
        match Machine::start(&self.disk, &self.outside, self.trial.answer) {
            Ok(machine) => Ok(Some(machine)),
            Err(_) if self.disk.is_off() => Ok(None),
            Err(error) => Err(vec![format!("the engine does not start: {error}")]),
        }
    }

    /// What was promised and is not in the file. Nothing can be said where the power is gone again.
    fn check(&self) -> Vec<String> {
        if self.disk.is_off() {
            return Vec::new();
        }
        match self.look() {
            Ok(file) => self.outside.ledger().check(&file),
            Err(error) => vec![format!("the file does not open: {error}")],
        }
    }

    fn look(&self) -> rusqlite::Result<Connection> {
        let path = self.disk.folder().join("waxseal.db");
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn cut(&mut self) {
        self.disk.cut();
        let now = self.outside.clock_now();
        self.outside.ledger().power_went(now);
        self.cuts += 1;
    }

    /// Lets everything come to its end, with the power on.
    async fn end(&mut self) -> Vec<String> {
        let machine = match self.start() {
            Ok(machine) => machine.expect("the power is on"),
            Err(violations) => return violations,
        };
        let mut violations = self.check();
        if violations.is_empty() {
            configure(&machine).await;
            let file = self.look().unwrap();
            if !settle(&machine, &mut self.senders, &file).await {
                violations.push("something is owed for ever".to_owned());
            }
            violations.extend(self.outside.ledger().check_end(&file));
        }
        machine.end().await;
        violations
    }
}
