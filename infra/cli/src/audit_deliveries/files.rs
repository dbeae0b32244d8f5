//! The two files that an audit may be given: what senders were answered, and what receivers have written down.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use waxseal_domain::history::{DeliveryHistory, Post, Standing};
use waxseal_domain::limits::{AUDITED_LINE_BYTES_MAX, AUDITED_LINES_MAX};
use waxseal_domain::timestamp::Timestamp;

use crate::failure::Failure;

/// What a ping's `type` is: it is sent, and stored nowhere.
const PING: &str = "webhook.ping";

/// Events that senders were answered with 202, and that were not met yet.
#[derive(Debug, Default)]
pub(super) struct Acknowledged(BTreeSet<String>);

#[derive(Deserialize)]
struct AcknowledgedLine {
    id: String,
}

impl Acknowledged {
    /// Reads the file, if there is one.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let mut ids = BTreeSet::new();
        if let Some(path) = path {
            read_lines(path, |line: AcknowledgedLine| {
                ids.insert(line.id);
                Ok(())
            })?;
        }
        Ok(Self(ids))
    }

    /// Notes that an event is there.
    pub(super) fn met(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// What was not met.
    pub(super) fn rest(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

/// What receivers have written down, by the delivery's id, as far as it was not taken yet.
#[derive(Debug)]
pub(super) struct ReceiverLog {
    posts: HashMap<String, Vec<Post>>,
    /// The time of the first and of the last line: of other times the log says nothing.
    span: Option<(Timestamp, Timestamp)>,
}

#[derive(Deserialize)]
struct PostLine {
    id: String,
    time: String,
    digest: String,
    #[serde(rename = "type")]
    event_type: Option<String>,
}

impl ReceiverLog {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mut log = Self { posts: HashMap::new(), span: None };
        read_lines(path, |line: PostLine| {
            let at = Timestamp::parse_rfc3339(&line.time)
                .ok_or_else(|| format!("its `time`, {:?}, is not of RFC 3339", line.time))?;
            let (first, last) = log.span.unwrap_or((at, at));
            log.span = Some((first.min(at), last.max(at)));
            if line.event_type.as_deref() != Some(PING) {
                log.posts.entry(line.id).or_default().push(Post { at, digest: line.digest });
            }
            Ok(())
        })?;
        Ok(log)
    }

    /// Takes what was written down of a delivery; none where nothing was, and nothing need be.
    pub(super) fn take(&mut self, history: &DeliveryHistory) -> Option<Vec<Post>> {
        let found = self.posts.remove(&history.id);
        found.or_else(|| self.covers(history).then(Vec::new))
    }

    /// Whether the log would hold the POST that was taken, had it come.
    fn covers(&self, history: &DeliveryHistory) -> bool {
        let Some((first, last)) = self.span else { return false };
        let taken = history.attempts.as_ref().and_then(|attempts| attempts.last());
        history.standing == Standing::Delivered
            && taken.is_some_and(|taken| {
                taken.started_at >= first && taken.started_at.plus_ms(taken.duration_ms) <= last
            })
    }

    /// What nobody took: the ids, each with the time of its last POST, in the order of the ids.
    pub(super) fn rest(&self) -> Vec<(String, Timestamp)> {
        let mut rest = Vec::new();
        for (id, posts) in &self.posts {
            if let Some(at) = posts.iter().map(|post| post.at).max() {
                rest.push((id.clone(), at));
            }
        }
        rest.sort();
        rest
    }
}

/// Reads JSON lines one by one. What a line lacks is said with its number.
fn read_lines<T: DeserializeOwned>(
    path: &Path,
    mut take: impl FnMut(T) -> Result<(), String>,
) -> Result<(), Failure> {
    let failed = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut file = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1..=AUDITED_LINES_MAX + 1 {
        line.clear();
        let most = u64::try_from(AUDITED_LINE_BYTES_MAX + 1).unwrap_or(u64::MAX);
        let read = file.by_ref().take(most).read_until(b'\n', &mut line);
        let bytes = read.map_err(|error| failed(error.to_string()))?;
        if bytes == 0 {
            return Ok(());
        }
        let at = |why: String| failed(format!("line {number}: {why}"));
        if bytes > AUDITED_LINE_BYTES_MAX {
            return Err(at(format!("it has more than {AUDITED_LINE_BYTES_MAX} bytes")));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed: T = serde_json::from_slice(&line).map_err(|error| at(error.to_string()))?;
        take(parsed).map_err(at)?;
    }
    Err(failed(format!(
        "it has more than {AUDITED_LINES_MAX} lines: give it in parts, with --since and --until"
    )))
}
