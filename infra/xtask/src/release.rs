//! A release: the server's binary, which says by itself what it is made of, and the same as a CycloneDX bill of
//! materials beside it; one for each function too, whose binaries SAM builds where they are deployed.
//!
//! `cargo auditable` puts the list of crates into the binary, where `cargo audit bin` and other scanners find
//! it. Both tools are built here alone: no test needs them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cost::Stage;
use crate::functions::FUNCTIONS;
use crate::run::{host, output, program, root, step, target};
use crate::setup::{auditable, cyclonedx};

/// The section of the binary that holds the list of its crates.
const SECTION: &[u8] = b".dep-v0";

/// Builds everything into `target/release-files`.
pub(crate) fn release() -> Result<(), String> {
    let folder = target().join("release-files");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let host = host()?;
    let binary = build_server(&host)?;
    check_section(&binary)?;
    keep(&binary, &folder.join("waxseal"))?;
    write_bills(&host, &folder)?;
    println!("── in {}", folder.display());
    Ok(())
}

fn build_server(host: &str) -> Result<PathBuf, String> {
    let mut build = program(auditable()?);
    build.args(["auditable", "build", "--release", "--locked", "--quiet"]);
    build.args(["--package", "waxseal", "--target", host]).env("CARGO_TARGET_DIR", target());
    step(Stage::Build, "build the server, auditable", &build)?;
    Ok(target().join(host).join("release/waxseal"))
}

fn check_section(binary: &Path) -> Result<(), String> {
    let bytes = fs::read(binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    if bytes.windows(SECTION.len()).any(|part| part == SECTION) {
        Ok(())
    } else {
        Err(format!("{} does not say what it is made of", binary.display()))
    }
}

/// The tool writes a bill beside each member's `Cargo.toml`. Those of what is released are kept, and none stays
/// in the sources.
fn write_bills(host: &str, folder: &Path) -> Result<(), String> {
    const NAME: &str = "bill";
    let mut write = program(cyclonedx()?);
    write.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--quiet"]);
    write.args(["--target", host, "--no-build-deps", "--override-filename", NAME]);
    let written = step(Stage::Build, "bills of materials", &write);
    let mut kept = 0;
    for manifest in manifests()? {
        let member = manifest.parent().unwrap_or(&manifest);
        let bill = member.join(format!("{NAME}.json"));
        if !bill.exists() {
            continue;
        }
        if let Some(name) = released_as(member) {
            keep(&bill, &folder.join(format!("{name}.cdx.json")))?;
            kept += 1;
        }
        fs::remove_file(&bill).map_err(|error| format!("{}: {error}", bill.display()))?;
    }
    written?;
    let wanted = FUNCTIONS.len() + 1;
    if kept == wanted {
        Ok(())
    } else {
        Err(format!("{kept} bills of materials, and not {wanted}"))
    }
}

/// What a member's bill is named after; none where nothing of it is released by itself.
fn released_as(member: &Path) -> Option<String> {
    let below = member.strip_prefix(root()).ok()?.to_str()?;
    if below == "infra/waxseal" {
        return Some("waxseal".to_owned());
    }
    let name = below.strip_prefix("functions/")?;
    FUNCTIONS.contains(&name).then(|| format!("waxseal-{name}"))
}

/// Each member's `Cargo.toml`.
fn manifests() -> Result<Vec<PathBuf>, String> {
    let said = output("git", program("git").args(["ls-files", "*Cargo.toml"]))?;
    Ok(said.lines().map(|path| root().join(path)).collect())
}

fn keep(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(|_| ()).map_err(|error| format!("{}: {error}", from.display()))
}
