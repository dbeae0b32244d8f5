//! Ctrl-C and SIGTERM: how what would go on for ever ends well.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::{CommandResult, Failure};

/// Catches both from the moment that it is made, before anything is said to the person who may send them.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Catches both; within a runtime.
    pub(crate) fn catch() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
        })
    }

    /// Does work that ends by itself, or by one of them: then it is done as well.
    pub(crate) async fn or(mut self, work: impl Future<Output = CommandResult>) -> CommandResult {
        tokio::select! {
            done = work => done,
            _ = self.interrupt.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }
}

fn catch(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::Failed(format!("cannot wait for signals: {error}")))
}
