//! An endpoint as flags say it: all of it when it is created, some of it in a change or a match.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use waxseal_api_types::EndpointChanges;
use waxseal_api_types::endpoint::NewRetry;

use super::body;
use super::failure::Failure;
use super::filter::EventChoice;

/// What an endpoint is to be, as far as flags say it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Draft {
    /// A name by which people know the endpoint.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    wanted: EventChoice,
    /// The wire contract: standard, svix, github, … (GET /v1/profiles).
    #[arg(long, help_heading = "How it is sent")]
    profile: Option<String>,
    /// A header of every delivery. Repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_header, help_heading = "How it is sent")]
    header: Vec<(String, String)>,
    /// How the receiver is authenticated to, beside the signature: JSON as the API takes it, best as
    /// @file or -, so that no secret stands in a shell's history.
    #[arg(long, value_name = "JSON", help_heading = "How it is sent")]
    auth: Option<String>,
    /// Deliveries a second, at most.
    #[arg(long, value_name = "N", help_heading = "How it is sent")]
    max_per_second: Option<u32>,
    /// Attempts under way at once, at most.
    #[arg(long, value_name = "N", help_heading = "How it is sent")]
    max_concurrency: Option<u32>,
    /// Milliseconds that an attempt may take: 1000 to 10000.
    #[arg(long, value_name = "MS", help_heading = "How it is sent")]
    timeout_ms: Option<u32>,
    /// Seconds before each retry, between commas.
    #[arg(long, value_name = "SECONDS", value_delimiter = ',', help_heading = "How it is sent")]
    delays_s: Vec<u32>,
}

/// The secret that an endpoint is to have; one is made if nothing is said.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Secret {
    /// A file that holds the secret to sign with.
    #[arg(long, value_name = "FILE", help_heading = "Secret")]
    secret_file: Option<PathBuf>,
    /// What a new secret signs with: hmac-sha256 or ed25519.
    #[arg(long, value_name = "NAME", value_parser = ["hmac-sha256", "ed25519"], help_heading = "Secret")]
    algorithm: Option<String>,
}

/// Parses `name=value`; the value may hold `=` itself.
pub(crate) fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.trim().is_empty())
        .ok_or("must be name=value")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Draft {
    /// The members that were said, as the API takes them.
    pub(crate) fn changes(&self) -> Result<EndpointChanges, Failure> {
        let delays_s = Some(self.delays_s.clone()).filter(|delays_s| !delays_s.is_empty());
        let headers: BTreeMap<String, String> = self.header.iter().cloned().collect();
        let wanted = self.wanted.changes()?;
        // Every member by its name: one that has no flag, and none on purpose, does not compile.
        Ok(EndpointChanges {
            name: self.name.clone(),
            event_types: wanted.event_types,
            filter: wanted.filter,
            min_severity: wanted.min_severity,
            risk_score_above: wanted.risk_score_above,
            outcomes: wanted.outcomes,
            profile: self.profile.clone(),
            auth: self.auth.as_ref().map(|text| body::json("--auth", text)).transpose()?,
            retry: delays_s.map(|delays_s| NewRetry { delays_s, ..NewRetry::default() }),
            timeout_ms: self.timeout_ms,
            max_per_second: self.max_per_second,
            max_concurrency: self.max_concurrency,
            headers: Some(headers).filter(|headers| !headers.is_empty()),
            // A flag of the commands that create, change or match, under other names.
            url: None,
            // Said by commands of their own: `enable`, `disable`, `pause` and `resume`.
            enabled: None,
            paused: None,
        })
    }
}

impl Secret {
    /// Reads the secret that was given; none where one is to be made.
    pub(crate) fn read(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.secret_file else { return Ok(None) };
        let text = body::file(path)?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The algorithm that was said.
    pub(crate) fn algorithm(&self) -> Option<String> {
        self.algorithm.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value_that_may_hold_the_sign_itself() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(parse_header("x-a=b=c"), pair("x-a", "b=c"));
        assert_eq!(parse_header("x-a="), pair("x-a", ""));
        assert!(parse_header("x-a: b").is_err() && parse_header("=b").is_err());
        assert!(parse_header("").is_err());
    }

    #[test]
    fn only_what_was_said_is_a_member() {
        let draft = Draft { max_per_second: Some(5), delays_s: vec![1, 2], ..Draft::default() };
        let expected = json!({"max_per_second": 5, "retry": {"delays_s": [1, 2]}});
        assert_eq!(draft.changes().map(|changes| json!(changes)), Ok(expected));
    }
}
