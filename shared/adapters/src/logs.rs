//! A function's logs: lines of JSON where Lambda asks for them.
//!
//! What other crates say below INFO is left out whatever the level is: Lambda's runtime says every payload
//! there, and with it every secret that is configured and every key that is sent.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

use crate::environment::Environment;
use crate::repeated::Repeated;

/// Has this process log to its standard output, from now on.
pub(crate) fn start(environment: &Environment) {
    let level = level(&environment.log_level);
    let is_known = level.is_some();
    // Nobody looks at a terminal here, whatever feature another crate of the build asks for.
    let lines = fmt::layer().with_ansi(false).with_target(false).without_time();
    let lines = if environment.log_format == "JSON" { lines.json().boxed() } else { lines.boxed() };
    let repeated = Repeated::default();
    let lines = lines
        .with_filter(repeated.clone())
        .with_filter(filter_fn(is_told))
        .with_filter(level.unwrap_or(LevelFilter::INFO));
    // Another call has set it before.
    if registry().with(lines).try_init().is_ok() {
        repeated.say_each_minute();
    }
    if !is_known {
        // No reason not to start: `RUST_LOG` may be written for another program.
        tracing::warn!(level = environment.log_level, "the log level is not known: it is INFO");
    }
}

/// Reads a level; none where it is not one.
fn level(said: &str) -> Option<LevelFilter> {
    match said {
        // Lambda's word for what we do not tell from an error.
        "FATAL" => Some(LevelFilter::ERROR),
        "" => Some(LevelFilter::INFO),
        said => said.parse().ok(),
    }
}

fn is_told(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || metadata.target().starts_with("waxseal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_levels_are_ours() {
        let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", ""].map(level);
        let (error, info) = (LevelFilter::ERROR, LevelFilter::INFO);
        let (trace, debug, warn) = (LevelFilter::TRACE, LevelFilter::DEBUG, LevelFilter::WARN);
        assert_eq!(levels, [trace, debug, info, warn, error, error, info].map(Some));
        assert_eq!(level("loud"), None);
    }
}
