//! Third parties' programs, of `tests/thirds`: packages' signers and verifiers, and receivers as the users
//! of the five systems would write them. None of it is our code.

mod receiver;

pub use receiver::Receiver;

use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use waxseal_adapters::clock::SystemClock;
use waxseal_flows::ports::Clock as _;

use crate::emulator::tools;
use crate::hooks::Hook;

/// A language that they are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// With the packages of PyPI.
    Python,
    /// With the packages of npm.
    Node,
}

/// Every language that third parties' packages are run in.
pub const LANGUAGES: [Language; 2] = [Language::Python, Language::Node];

impl Language {
    /// The command of a script in `tests/thirds`, named without what stands behind its dot.
    fn script(self, name: &str) -> Command {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("thirds");
        match self {
            Self::Python => {
                let mut python = Command::new(tools().join("venv/bin/python"));
                // Tests run side by side: none writes into the source's folder, and each finds what
                // another has compiled.
                python.env("PYTHONPYCACHEPREFIX", tools().join("pycache"));
                python.arg(folder.join(format!("{name}.py")));
                python
            }
            Self::Node => {
                let mut node = Command::new("node");
                node.arg(folder.join(format!("{name}.mjs")));
                node.env("NODE_PATH", tools().join("node/node_modules"));
                node
            }
        }
    }
}

/// What is asked of a package's signer.
#[derive(Clone, Debug)]
pub struct Message {
    /// The package that verifies or signs.
    pub library: &'static str,
    /// The secret, in the form in which the package takes it.
    pub secret: String,
    /// The message's id, where the package has a place for one.
    pub id: String,
    /// The event's type, likewise.
    pub event_type: String,
    /// The body that is signed.
    pub body: String,
}

/// What a package signs now.
pub async fn sign(language: Language, messages: &[Message]) -> Vec<Hook> {
    let timestamp = SystemClock.now().seconds();
    let cases = messages.iter().map(|one| {
        json!({"library": one.library, "secret": one.secret, "id": one.id, "timestamp": timestamp,
            "type": one.event_type, "body": one.body})
    });
    let (signed, _) = run(language, "sign", cases.collect()).await;
    assert_eq!(signed.len(), messages.len());
    signed.iter().map(hook).collect()
}

fn hook(signed: &Value) -> Hook {
    let headers = signed["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    let body = signed["body"].as_str().unwrap().as_bytes().to_vec();
    Hook { headers: headers.collect(), body }
}

/// What is asked of a package's verifier.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The package that verifies or signs.
    pub library: &'static str,
    /// The secret, or a public key.
    pub secret: &'a str,
    /// The hook as the package signed it.
    pub hook: Hook,
}

impl Case<'_> {
    fn json(&self) -> Value {
        let headers = self.hook.headers.iter();
        let headers: serde_json::Map<String, Value> =
            headers.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let body = BASE64.encode(&self.hook.body);
        json!({"library": self.library, "secret": self.secret, "headers": headers, "body_base64": body})
    }
}

/// What the packages say of the hooks that they were given.
#[derive(Debug)]
pub struct Verdicts {
    /// Of each case: none where it is accepted, else the package's own words.
    pub refusals: Vec<Option<String>>,
    /// What was read of those that are CloudEvents, in order: `type`, `source` and `id`.
    pub parsed: Vec<Value>,
}

/// What the packages of a language say of cases.
pub async fn verify(language: Language, cases: &[Case<'_>]) -> Verdicts {
    let (said, parsed) = run(language, "verify", cases.iter().map(Case::json).collect()).await;
    assert_eq!(said.len(), cases.len());
    let refusal = |said: &Value| (said != &json!(true)).then(|| said.to_string());
    Verdicts { refusals: said.iter().map(refusal).collect(), parsed }
}

/// Has the packages of a language accept each of these, and refuse each with a byte flipped.
pub async fn accepts(language: Language, cases: &[Case<'_>]) {
    let flipped = cases.iter().map(|case| Case { hook: case.hook.flip_a_bit(), ..case.clone() });
    let all: Vec<Case<'_>> = cases.iter().cloned().chain(flipped).collect();
    let Verdicts { refusals, .. } = verify(language, &all).await;
    let (given, changed) = refusals.split_at(cases.len());
    for ((case, given), changed) in cases.iter().zip(given).zip(changed) {
        let said = format!("{language:?} {case:?} {given:?}, flipped {changed:?}");
        assert!(given.is_none() && changed.is_some(), "{said}");
    }
}

/// Runs a script on cases: its answers, and the JSON lines of its standard error.
async fn run(language: Language, name: &str, cases: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let mut command = language.script(name);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = Value::Array(cases).to_string();
    // Each reads all before it writes.
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{language:?} {name}: {errors}");
    let lines = errors.lines().filter_map(|line| serde_json::from_str(line).ok());
    (serde_json::from_slice(&output.stdout).unwrap(), lines.collect())
}
