//! How what would go on for ever ends well: by Ctrl-C and SIGTERM.

use waxseal_adapters::stop::StopSignal;

use super::failure::{CommandResult, Failure};

/// Does work that ends by itself, or by one of the two signals: then it is done as well. They are caught from
/// here on, before the work says anything to the person who may send them.
pub(crate) async fn until_stopped(work: impl Future<Output = CommandResult>) -> CommandResult {
    let mut stop = StopSignal::catch().map_err(Failure::Failed)?;
    tokio::select! {
        done = work => done,
        () = stop.wait() => Ok(()),
    }
}
