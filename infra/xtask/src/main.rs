//! `cargo xtask`: the project's own commands. It needs nothing but the standard library, so that it
//! is built in a moment on any machine.

mod advisories;
mod attacks;
mod book;
mod cost;
mod figures;
mod functions;
mod fuzz;
mod kept;
mod lint;
mod lists;
mod mutants;
mod prove;
mod release;
mod run;
mod setup;
mod test;
mod test_binary;
mod trees;
mod walls;

use std::process::ExitCode;

use functions::Package;

/// Seconds for each fuzz target.
const FUZZ_S: u64 = 60;

const USAGE: &str = "\
cargo xtask test    set up what is needed, lint, and run every test
cargo xtask lint    the book, formatting, clippy, dependencies, template
cargo xtask build   the functions, as they are deployed, in target/sam
cargo xtask build tests
                    the same, compiled as the tests are: for the tests on the emulator
cargo xtask figures measure again, and keep the figures in infra/figures.md
cargo xtask prove [SEEDS [KILLS [SECONDS]]]
                    many simulated seeds, many kills, fuzzing, mutants, a soak; kept there too
cargo xtask prove mutants [PART/PARTS]
                    the mutants alone, which take hours, or one part of them: 0/16 to 15/16
cargo xtask release the server's binary, with what it is made of inside it and beside it, in target/release-files
cargo xtask fuzz    `cargo fuzz` of what parses outside input, where nightly is there
cargo xtask setup   the tools that tests use, pinned, under target/tools";

/// How `cargo xtask build` is to compile the functions.
fn package() -> Package {
    match std::env::args().nth(2).as_deref() {
        Some("tests") => Package::Tests,
        _ => Package::Release,
    }
}

/// The mutants alone, all or one part of them.
fn mutants(part: Option<String>) -> Result<String, String> {
    let shard = part.map_or(Ok(mutants::Shard::WHOLE), |part| mutants::Shard::parse(&part))?;
    mutants::mutate(shard)
}

fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    let done = match verb.as_str() {
        "test" => test::test(),
        "lint" => setup::setup().and_then(|tools| lint::lint(&tools)),
        "build" => setup::setup().and_then(|tools| functions::build(&tools, package())),
        "figures" => setup::setup().and_then(|tools| figures::keep(&tools)),
        "prove" if std::env::args().nth(2).as_deref() == Some("mutants") => {
            mutants(std::env::args().nth(3)).map(|done| println!("{done}"))
        }
        "prove" => {
            let lengths: Vec<String> = std::env::args().skip(2).collect();
            prove::Lengths::parse(&lengths).and_then(|lengths| prove::prove(&lengths))
        }
        "release" => release::release(),
        "fuzz" => fuzz::fuzz(FUZZ_S).map(|done| println!("{done}")),
        "setup" => setup::setup().map(|_| ()),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(u8::from(!verb.is_empty()) * 2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
