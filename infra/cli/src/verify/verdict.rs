//! What is said of a hook: to people, or in JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use waxseal_verify::{Explanation, Fault, Key, Profile, VerifiedHook, Window};

use super::hook::Hook;

/// Whether a hook verifies, and what is wrong with it if not.
pub(super) struct Verdict {
    profile: Arc<Profile>,
    found: Result<VerifiedHook, (Fault, Explanation)>,
}

impl Verdict {
    pub(super) fn of(
        profile: Arc<Profile>,
        hook: &Hook,
        secrets: &[String],
        window: Window,
    ) -> Self {
        let header = |name: &str| hook.header(name);
        // A secret that is none is a mistake to be explained, unless another one verifies.
        let keys: Vec<Key> = secrets.iter().filter_map(|text| profile.key(text).ok()).collect();
        let texts: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let found = profile
            .verify(header, &hook.body, &keys, window)
            .map_err(|fault| (fault, profile.explain(header, &hook.body, &texts, window)));
        Self { profile, found }
    }

    pub(super) fn is_valid(&self) -> bool {
        self.found.is_ok()
    }

    /// Says in a line whether the hook verifies.
    pub(super) fn summarize(&self) -> String {
        match &self.found {
            Ok(verified) => self.valid(verified),
            // A key is missing because none could be made of the secrets.
            Err((Fault::NoKey, _)) => "Not valid: no secret is one of this profile.\n".to_owned(),
            Err((fault, _)) => format!("Not valid: {fault}. --explain says more.\n"),
        }
    }

    /// Each mistake by its code, and what to do.
    pub(super) fn explain(&self) -> String {
        let (_, explanation) = match &self.found {
            Ok(verified) => return self.valid(verified),
            Err(found) => found,
        };
        let mut text = format!("Not valid as {}.\n", self.profile.title());
        for mistake in &explanation.mistakes {
            push(&mut text, format_args!("\n{}\n  {mistake}\n", mistake.code()));
        }
        push(&mut text, format_args!("\nThe profile: {}\n", self.profile.about()));
        text
    }

    fn valid(&self, verified: &VerifiedHook) -> String {
        let mut text = format!("Valid as {}.\n", self.profile.title());
        // A header's value: nothing in it may steer a terminal.
        if let Some(id) = &verified.id {
            push(&mut text, format_args!("id: {}\n", id.escape_debug()));
        }
        if let Some(timestamp) = verified.timestamp {
            push(&mut text, format_args!("timestamp: {timestamp}\n"));
        }
        text
    }

    /// Writes what `POST /v1/verify` answers, with the mistakes.
    pub(super) fn json(&self) -> String {
        let mut answer = Map::new();
        answer.insert("valid".to_owned(), self.is_valid().into());
        let mut mistakes = Vec::new();
        match &self.found {
            Ok(VerifiedHook { id, timestamp }) => {
                answer.extend(id.as_ref().map(|id| ("id".to_owned(), id.as_str().into())));
                answer.extend(timestamp.map(|at| ("timestamp".to_owned(), at.into())));
            }
            Err((_, explanation)) => {
                let views = explanation.mistakes.iter();
                mistakes.extend(
                    views.map(|one| json!({"code": one.code(), "detail": one.to_string()})),
                );
            }
        }
        answer.insert("mistakes".to_owned(), mistakes.into());
        format!("{}\n", Value::Object(answer))
    }
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes any text");
}
