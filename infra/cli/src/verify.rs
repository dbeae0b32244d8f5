//! `waxseal verify`: whether a hook that somebody saved verifies, and if not, why. No server, no
//! network, nothing kept.
//!
//! [`hook`] reads what was saved, [`verdict`] says what is found of it. Secrets come from files and
//! variables only: arguments are in the list of processes and in the shell's history. They are never
//! printed, and neither is the signature that was expected.

mod hook;
mod verdict;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgGroup, Args};
use waxseal_adapters::clock::SystemClock;
use waxseal_domain::limits::TOLERANCE_S;
use waxseal_domain::profile::STANDARD;
use waxseal_flows::ports::Clock as _;
use waxseal_verify::{Profile, Window};

use self::hook::Hook;
use self::verdict::Verdict;
use crate::failure::Failure;
use crate::output::{print, print_json_text, say};

/// Secrets that are tried, as `POST /v1/verify` does.
const SECRETS_MAX: usize = 5;
/// Bytes of any input: far more than a hook has, and little enough for memory.
const INPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The exit code of a hook that does not verify.
const NOT_VALID: u8 = 1;
/// The exit code of usage, of input that cannot be read, or of a verdict that cannot be printed: clap's own for usage.
const UNREADABLE: u8 = 2;

/// What to verify, with what.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("secrets").required(true).multiple(true).args(["secret_file", "secret_env"])))]
pub struct Arguments {
    /// Say each mistake that is found, and what to do.
    #[arg(long)]
    explain: bool,
    /// Answer in JSON, as `POST /v1/verify` does, with the mistakes.
    #[arg(long)]
    json: bool,
    /// The profile by which the sender signs.
    #[arg(long, value_name = "NAME", default_value = STANDARD)]
    profile: String,
    /// A file that is the sender's profile.
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    profile_file: Option<PathBuf>,
    /// A file that holds the secret; a line end at its end is not of the secret. During a rotation
    /// give each.
    #[arg(long, value_name = "FILE")]
    secret_file: Vec<PathBuf>,
    /// An environment variable that holds the secret.
    #[arg(long, value_name = "VARIABLE")]
    secret_env: Vec<String>,
    /// A header of the hook.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// A file with a header on each line.
    #[arg(long, value_name = "FILE")]
    headers_file: Option<PathBuf>,
    /// The body, as it was received; standard input if not said.
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// The whole request: its first line or not, headers, an empty line, and the body as it was
    /// received.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["header", "headers_file", "body_file"])]
    request: Option<PathBuf>,
    /// The receiver's time, in seconds since 1970; this machine's if not said.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Seconds by which the timestamp may be off.
    #[arg(long, value_name = "SECONDS", default_value_t = TOLERANCE_S)]
    tolerance: u64,
}

/// Verifies, prints, and says by the exit code: 0 valid, 1 not valid, 2 nothing could be said.
pub fn run(arguments: &Arguments) -> ExitCode {
    let verdict = match arguments.verdict() {
        Ok(verdict) => verdict,
        Err(error) => {
            say(&format!("waxseal: {error}"));
            return ExitCode::from(UNREADABLE);
        }
    };
    let text = match (arguments.json, arguments.explain) {
        (true, _) => verdict.json(),
        (false, true) => verdict.explain(),
        (false, false) => verdict.summarize(),
    };
    let printed = if arguments.json { print_json_text(&text) } else { print(&text) };
    match printed {
        Ok(()) | Err(Failure::NobodyReads) if verdict.is_valid() => ExitCode::SUCCESS,
        Ok(()) | Err(Failure::NobodyReads) => ExitCode::from(NOT_VALID),
        Err(failure) => {
            failure.tell();
            ExitCode::from(UNREADABLE)
        }
    }
}

impl Arguments {
    fn verdict(&self) -> Result<Verdict, String> {
        let profile = self.profile()?;
        let secrets = self.secrets()?;
        let hook = self.hook()?;
        let now_s = self.now.unwrap_or_else(|| SystemClock.now().seconds());
        let window = Window { now_s, tolerance_s: self.tolerance };
        Ok(Verdict::of(profile, &hook, &secrets, window))
    }

    fn profile(&self) -> Result<Arc<Profile>, String> {
        let Some(path) = &self.profile_file else {
            return Profile::find_builtin(&self.profile).ok_or_else(|| {
                let names: Vec<&str> = Profile::builtins().iter().map(|one| one.name()).collect();
                let known = names.join(", ");
                format!("there is no profile {}: {known}, or --profile-file", self.profile)
            });
        };
        let text = text(read(path)?, path)?;
        let profile = Profile::parse(&text);
        profile.map(Arc::new).map_err(|fault| format!("{}: {fault}", path.display()))
    }

    /// Neither a file's name nor a variable's is in an error: it may be the secret itself, given in
    /// their place.
    fn secrets(&self) -> Result<Vec<String>, String> {
        let mut secrets = Vec::new();
        for path in &self.secret_file {
            let bytes =
                read_open(File::open(path)).map_err(|error| format!("--secret-file: {error}"));
            let text = String::from_utf8(bytes?).map_err(|_| "--secret-file: it is not text")?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            secrets.push(line.strip_suffix('\r').unwrap_or(line).to_owned());
        }
        for name in &self.secret_env {
            #[expect(
                clippy::disallowed_methods,
                reason = "which variable it is stands in an argument"
            )]
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            secrets.push(value.ok_or("--secret-env: there is no such variable with text in it")?);
        }
        if secrets.len() > SECRETS_MAX {
            return Err(format!("give at most {SECRETS_MAX} secrets"));
        }
        Ok(secrets)
    }

    fn hook(&self) -> Result<Hook, String> {
        if let Some(path) = &self.request {
            let hook = Hook::of_request(&read(path)?);
            return hook.map_err(|error| format!("{}: {error}", path.display()));
        }
        let mut headers = Vec::new();
        for line in &self.header {
            let header = hook::header(line).ok_or("--header: it must be 'Name: value'");
            headers.push(header?);
        }
        if let Some(path) = &self.headers_file {
            let lines = hook::headers(&text(read(path)?, path)?);
            headers.extend(lines.map_err(|error| format!("{}: {error}", path.display()))?);
        }
        let body = match &self.body_file {
            Some(path) => read(path)?,
            None => {
                read_open(Ok(std::io::stdin())).map_err(|error| format!("the body: {error}"))?
            }
        };
        Ok(Hook { headers, body })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    read_open(File::open(path)).map_err(|error| format!("{}: {error}", path.display()))
}

fn read_open(opened: std::io::Result<impl Read>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = opened.and_then(|file| file.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes));
    let length = read.map_err(|error| error.to_string())?;
    if u64::try_from(length).is_ok_and(|length| length <= INPUT_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(format!("it is longer than {INPUT_BYTES_MAX} bytes"))
    }
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| format!("{}: it is not text", path.display()))
}
