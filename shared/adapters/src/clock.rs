//! Tells the time: by the system's clock, or by one that is not believed alone.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use waxseal_domain::clock::{Correction, Jump, Jumps, LastSeen, Timeline};
use waxseal_domain::limits::CLOCK_STEP_MS_MAX;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock;

/// The system's clock and the runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        // A clock that stands before 1970 reads 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(Duration::from_millis(at.since_ms(self.now()))).await;
    }
}

/// The system's clock, compared with what else is known of the time. An engine and all its parts share one. A test can
/// let time pass on it, or set it as somebody sets a machine's clock; nobody else does.
#[derive(Clone, Debug)]
pub struct MovableClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    /// Time that passed for a test alone.
    passed_ms: AtomicU64,
    /// By how much a test has set the wall clock.
    set_ms: AtomicI64,
    belief: Mutex<Belief>,
    moved: Notify,
}

/// What the wall clock is compared with.
#[derive(Debug)]
enum Belief {
    /// Nothing.
    Wall,
    /// The time that has passed, as one process sees it.
    TimePassed(TimePassed),
    /// The time that others tell.
    Told(Correction),
}

#[derive(Debug)]
struct TimePassed {
    timeline: Timeline,
    /// How many jumps were followed since the process began.
    followed: u64,
    /// By how much the machine's uptime is ahead of the process's own count, in milliseconds: so long it was up before,
    /// or slept.
    uptime_ahead_ms: Option<u64>,
}

impl Default for MovableClock {
    fn default() -> Self {
        Self(Arc::new(Shared {
            began: Instant::now(),
            passed_ms: AtomicU64::new(0),
            set_ms: AtomicI64::new(0),
            belief: Mutex::new(Belief::Wall),
            moved: Notify::new(),
        }))
    }
}

impl MovableClock {
    /// Lets time pass, for all who share it. Who waits for a time that has come now waits no longer.
    pub fn advance(&self, by: Duration) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.passed_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.0.moved.notify_waiters();
    }

    /// Sets the wall clock ahead by so many milliseconds, or back where they are negative. No time passes.
    pub fn set(&self, by_ms: i64) {
        self.0.set_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.0.moved.notify_waiters();
    }

    /// From now on compares the wall clock with the time that passes; `jumps` are those that are known from before.
    pub fn go_by_time_passed(&self, jumps: Jumps) {
        let timeline = Timeline::new(self.wall(), self.passed_ms(), jumps);
        let uptime_ahead_ms = self.uptime_ahead_ms();
        *self.belief() = Belief::TimePassed(TimePassed { timeline, followed: 0, uptime_ahead_ms });
    }

    /// From now on goes by the times that are told.
    pub fn go_by_what_is_told(&self) {
        *self.belief() = Belief::Told(Correction::default());
    }

    /// Returns what the wall clock shows, right or wrong.
    pub fn wall(&self) -> Timestamp {
        let passed = SystemClock.now().plus_ms(self.0.passed_ms.load(Ordering::Relaxed));
        passed.moved_ms(self.0.set_ms.load(Ordering::Relaxed))
    }

    /// Returns the jump that is not followed yet, if there is one. A machine that slept has not jumped.
    pub fn jump(&self) -> Option<Jump> {
        let mut belief = self.belief();
        let Belief::TimePassed(seen) = &mut *belief else { return None };
        let jump = seen.timeline.pending(self.wall(), self.passed_ms())?;
        // A process does not see the time pass while its machine sleeps; the machine's uptime goes on.
        let uptime_ahead_ms = self.uptime_ahead_ms();
        let slept = uptime_ahead_ms.zip(seen.uptime_ahead_ms);
        let slept_ms = slept.map_or(0, |(now, before)| now.saturating_sub(before));
        if slept_ms <= CLOCK_STEP_MS_MAX {
            return Some(jump);
        }
        seen.uptime_ahead_ms = uptime_ahead_ms;
        seen.timeline.slept(slept_ms);
        seen.timeline.pending(self.wall(), self.passed_ms())
    }

    /// Follows a jump, once all that was planned is moved by as much. Whoever waits for a time looks again.
    pub fn follow(&self, jump: Jump) {
        if let Belief::TimePassed(seen) = &mut *self.belief() {
            seen.timeline.follow(jump);
            seen.followed += 1;
        }
        self.0.moved.notify_waiters();
    }

    /// Returns how many jumps were followed since the process began: what was read before a jump was planned by
    /// another time than what is read after it.
    pub fn jumps_followed(&self) -> u64 {
        match &*self.belief() {
            Belief::TimePassed(seen) => seen.followed,
            Belief::Wall | Belief::Told(_) => 0,
        }
    }

    /// Returns the jumps that are known.
    pub fn jumps(&self) -> Jumps {
        match &*self.belief() {
            Belief::TimePassed(seen) => seen.timeline.jumps().clone(),
            Belief::Wall | Belief::Told(_) => Jumps::default(),
        }
    }

    /// Returns what the next process on the same store compares its clock with.
    pub fn last_seen(&self) -> LastSeen {
        LastSeen { at: self.now(), uptime: self.uptime(), jumps: self.jumps() }
    }

    /// Takes the time that an answer tells; returns by how many milliseconds our clock is ahead of it, where that has
    /// changed.
    pub fn tell(&self, at: Timestamp) -> Option<i64> {
        self.with_told(|told, wall, passed_ms| told.tell(at, wall, passed_ms))
    }

    /// Takes a time that has certainly come; returns the same.
    pub fn tell_at_least(&self, at: Timestamp) -> Option<i64> {
        self.with_told(|told, wall, passed_ms| told.tell_at_least(at, wall, passed_ms))
    }

    /// Returns what was told of the time; nothing where the clock does not go by that.
    pub fn told(&self) -> Correction {
        match &*self.belief() {
            Belief::Told(told) => *told,
            Belief::Wall | Belief::TimePassed(_) => Correction::default(),
        }
    }

    /// Returns the earliest time that it can be now, by what was told.
    pub fn least(&self) -> Option<Timestamp> {
        self.told().least(self.passed_ms())
    }

    /// Returns which start of the machine this is, and for how many milliseconds it has been up; none where the machine
    /// does not tell.
    pub fn uptime(&self) -> Option<(String, u64)> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let text = std::fs::read_to_string("/proc/uptime").ok()?;
        let (seconds, rest) = text.split_whitespace().next()?.split_once('.')?;
        let hundredths: u64 = rest.parse().ok()?;
        let up_ms = seconds.parse::<u64>().ok()? * 1_000 + hundredths * 10;
        Some((boot.trim().to_owned(), up_ms + self.0.passed_ms.load(Ordering::Relaxed)))
    }

    fn uptime_ahead_ms(&self) -> Option<u64> {
        self.uptime().map(|(_, up_ms)| up_ms.saturating_sub(self.passed_ms()))
    }

    /// Milliseconds that this process has seen pass.
    fn passed_ms(&self) -> u64 {
        let passed = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        passed.saturating_add(self.0.passed_ms.load(Ordering::Relaxed))
    }

    fn with_told<T>(
        &self,
        work: impl FnOnce(&mut Correction, Timestamp, u64) -> Option<T>,
    ) -> Option<T> {
        match &mut *self.belief() {
            Belief::Told(told) => work(told, self.wall(), self.passed_ms()),
            Belief::Wall | Belief::TimePassed(_) => None,
        }
    }

    fn belief(&self) -> MutexGuard<'_, Belief> {
        self.0.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let (wall, passed_ms) = (self.wall(), self.passed_ms());
        match &*self.belief() {
            Belief::Wall => wall,
            Belief::TimePassed(seen) => seen.timeline.now(wall, passed_ms),
            Belief::Told(told) => told.now(wall, passed_ms),
        }
    }

    fn reckon(&self, at: Timestamp) -> Timestamp {
        match &*self.belief() {
            Belief::TimePassed(seen) => seen.timeline.jumps().reckon(at),
            Belief::Wall | Belief::Told(_) => at,
        }
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let moved = self.0.moved.notified();
            let left_ms = at.since_ms(self.now());
            if left_ms == 0 {
                return;
            }
            let _moved = tokio::time::timeout(Duration::from_millis(left_ms), moved).await;
        }
    }
}
