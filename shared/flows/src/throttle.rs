//! Asks whether an owner may do one more of what it is bounded in: each store call is asked for many at a time.

use waxseal_domain::flow_control::rate::{Rate, window_end};
use waxseal_domain::flow_control::throttle::Admission;

use crate::ports::{Clock as _, Engine, EngineError, GateStore as _};

/// Whether one more may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may be done, and is counted.
    Granted,
    /// The window is used up. It says after how many seconds the next begins, and whether this instance has just learnt
    /// of it.
    Over {
        /// Seconds until the next window begins, at least one.
        wait_s: u64,
        /// Whether it is the first refusal that this instance sees in this window.
        is_first: bool,
    },
}

/// Counts one of what an owner does, and says whether it may be done.
pub(crate) async fn take_turn<E: Engine>(
    engine: &E,
    whose: &str,
    rate: Rate,
) -> Result<Turn, EngineError> {
    let now = engine.clock().now();
    let throttle = &engine.memory().throttle;
    let over = |is_first| Turn::Over { wait_s: window_end(now).wait_s(now).max(1), is_first };
    let wanted = match throttle.ask(whose, rate, now) {
        Admission::Granted => return Ok(Turn::Granted),
        Admission::Refused => return Ok(over(false)),
        Admission::Ask(wanted) => wanted,
    };
    // Asked for many at once, and only when those that this instance may let pass by itself are used up. So an owner
    // that does little costs no write.
    let granted = engine.store().take_tokens(whose, wanted).await?;
    let is_granted = throttle.record_grant(whose, wanted, granted);
    Ok(if is_granted { Turn::Granted } else { over(true) })
}
