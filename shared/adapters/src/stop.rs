//! Ctrl-C and SIGTERM: how a person, or the system, asks a process to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals, caught from the moment that this is made: they end the process no more.
#[derive(Debug)]
pub struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    /// Catches both; within a runtime.
    pub fn catch() -> Result<Self, String> {
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
        })
    }

    /// Waits until one of the two signals comes.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn catch(kind: SignalKind) -> Result<Signal, String> {
    signal(kind).map_err(|error| format!("cannot wait for signals: {error}"))
}
