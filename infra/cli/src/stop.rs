//! Ctrl-C and SIGTERM: how what would go on for ever ends well.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::{Failure, Outcome};

/// Catches both from the moment that it is made, before anything is said to the person who may send them.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Within a runtime.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let caught = |kind| {
            let said = |error| Failure::Failed(format!("cannot wait for signals: {error}"));
            signal(kind).map_err(said)
        };
        let (interrupt, terminate) =
            (caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    /// Work that ends by itself, or by one of them: then it is done as well.
    pub(crate) async fn or(mut self, work: impl Future<Output = Outcome>) -> Outcome {
        tokio::select! {
            done = work => done,
            _ = self.interrupt.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }
}
