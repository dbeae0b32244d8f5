//! Lines of a log that come again and again: the first of a minute are written, the others counted, and their number
//! said once a minute. So nobody fills a log, or hides what matters in it, by what they send.
//!
//! A line is told by the place in the code that writes it. Only warnings and errors are counted: the line of each
//! attempt is what the log is for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// Lines of one place that are written within a minute.
const LINES_MAX: u64 = 10;
const MINUTE: Duration = Duration::from_mins(1);

/// Counts lines, and lets the first of each minute through.
#[derive(Clone, Debug, Default)]
pub struct Repeated(Arc<Mutex<HashMap<Identifier, Line>>>);

#[derive(Debug)]
struct Line {
    /// What it says, without its fields.
    text: String,
    /// How often it came since the last minute began.
    count: u64,
}

impl Repeated {
    /// Says once a minute what was counted, for as long as the process runs, on a thread of its own.
    pub fn say_each_minute(&self) {
        let repeated = self.clone();
        let said = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                // Nobody wakes it.
                std::thread::park_timeout(MINUTE);
                repeated.say();
            }
        });
        if let Err(error) = said {
            tracing::warn!(%error, "lines that are left out of the log are not counted aloud");
        }
    }

    /// Says what was left out since the last time, and begins anew.
    pub fn say(&self) {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for line in counted.into_values() {
            let left_out = line.count.saturating_sub(LINES_MAX);
            if left_out > 0 {
                tracing::warn!(lines = left_out, line = line.text, "more of a line, left out");
            }
        }
    }

    /// Counts a line. Returns whether it is written.
    fn count(&self, event: &Event<'_>) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = counted.entry(event.metadata().callsite()).or_insert_with(|| {
            let mut text = Text::default();
            event.record(&mut text);
            Line { text: text.0, count: 0 }
        });
        line.count += 1;
        line.count <= LINES_MAX
    }
}

impl<S: Subscriber> Filter<S> for Repeated {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        *event.metadata().level() > Level::WARN || self.count(event)
    }
}

/// Reads what an event says, and none of its fields, which may be anybody's.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// What a log holds.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_comes_again_and_again_is_counted_and_said_once() {
        let (log, repeated) = (Log::default(), Repeated::default());
        let writer = log.clone();
        let lines =
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(repeated.clone()));
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..1_000 {
                tracing::warn!(secret = "canary", number, "a hook was refused");
                tracing::info!("attempt");
            }
            tracing::error!("another line");
            repeated.say();
            repeated.say();
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
        assert_eq!((count("attempt"), count("another line")), (1_000, 1));
        assert_eq!(count("secret"), 10);
        let said: Vec<&str> = log.lines().filter(|line| line.contains("left out")).collect();
        let [said] = said.as_slice() else { panic!("{said:?}") };
        assert!(said.contains("lines=990") && said.contains("a hook was refused"), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}
