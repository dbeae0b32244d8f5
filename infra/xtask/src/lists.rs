//! Lists that must name everything there is, where no compiler looks whether they do.

use std::fs;
use std::path::Path;

use crate::functions::FUNCTIONS;
use crate::run::root;

/// Folders whose files are modules of the `main.rs` beside them.
const TESTS: [&str; 5] = [
    "shared/verify/tests/signatures",
    "tests/tests/emulator",
    "tests/tests/engines",
    "tests/tests/server",
    "tests/tests/thirds",
];

/// Suites of checks, each with the macro that names them.
const SUITES: [&str; 2] = ["tests/src/contract.rs", "tests/src/management.rs"];

/// The contract suite, which calls every method of the ports below.
const CONTRACT: &str = "tests/src/contract.rs";

/// What says of each profile how it is tested.
const CONTRACTS: &str = "infra/docs/contracts.md";
/// The events of the systems that the demo shows, and the systems that tests play.
const SAMPLES: &str = "infra/waxseal/src/demo/samples.rs";
const SYSTEMS: &str = "tests/src/systems.rs";

/// Features of the adapters that are no engines: no contract is run on them.
const NO_ENGINES: [&str; 1] = ["signals"];

/// Crates that only one engine links, and that reach nothing by themselves: anybody may.
const FOR_ANYBODY: [&str; 7] = [
    "aws-sigv4",
    "aws-smithy-async",
    "aws-smithy-runtime-api",
    "aws-smithy-types",
    "aws-types",
    "futures-util",
    "tracing-subscriber",
];

/// Ports of which the contract suite calls every method: the file, the trait, and the method of
/// `Engine` that answers with what implements it.
const CALLED: [(&str, &str, &str); 6] = [
    ("shared/flows/src/ports/store/events.rs", "EventStore", "store"),
    ("shared/flows/src/ports/store/deliveries.rs", "DeliveryStore", "store"),
    ("shared/flows/src/ports/store/gates.rs", "GateStore", "store"),
    ("shared/flows/src/ports/store/config.rs", "ConfigStore", "store"),
    ("shared/flows/src/ports.rs", "Queue", "queue"),
    ("shared/flows/src/ports.rs", "KeyVault", "key_vault"),
];

/// Every list; what one leaves out is named.
pub(crate) fn lists() -> Result<(), String> {
    println!("── lists");
    let missing = [tests()?, suites()?, functions()?, engines()?, profiles()?].concat();
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

/// The modules of tests that no binary holds.
fn tests() -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    for folder in TESTS {
        let main = read(&format!("{folder}/main.rs"))?;
        for module in names(folder, ".rs")?.iter().filter(|module| *module != "main") {
            let main_file = format!("{folder}/main.rs");
            missing.extend(describe_left_out(&main, &format!("mod {module};"), &main_file));
        }
    }
    Ok(missing)
}

/// The checks that no macro names, and the ports' methods that no check calls.
fn suites() -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    for suite in SUITES {
        let text = read(suite)?;
        let list = text.split_once("macro_rules!").map_or("", |(_, list)| list);
        let list = list.split_once("\n}\n").map_or("", |(list, _)| list);
        for check in checks(&text) {
            missing.extend(describe_left_out(
                list,
                &format!("{check},"),
                &format!("the macro of {suite}"),
            ));
        }
    }
    let contract = read(CONTRACT)?;
    for (file, port, receiver) in CALLED {
        let methods = methods(&read(file)?, port);
        if methods.is_empty() {
            missing.push(format!("{file} lacks methods of {port}"));
        }
        missing.extend(find_uncalled(&contract, receiver, &methods));
    }
    Ok(missing)
}

/// Where a function is not built, deployed, measured or explained.
fn functions() -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    let template = read("template.yaml")?;
    let readme = read("README.md")?;
    for function in names("functions", "")? {
        if !FUNCTIONS.contains(&function.as_str()) {
            missing.push(format!("FUNCTIONS in infra/xtask/src/functions.rs lacks {function}"));
        }
        let binary = format!("{{Binary: {function}}}");
        missing.extend(describe_left_out(&template, &binary, "template.yaml"));
        missing.extend(describe_left_out(
            &readme,
            &format!("functions/{function} "),
            "the map of README.md",
        ));
    }
    Ok(missing)
}

/// What an engine is built on, where other crates could link it.
fn engines() -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    let (denied, trees) = (read("deny.toml")?, read("infra/xtask/src/trees.rs")?);
    let adapters = read("shared/adapters/Cargo.toml")?;
    let tested_with = read("tests/Cargo.toml")?;
    for engine in features(&adapters).into_iter().filter(|one| !NO_ENGINES.contains(one)) {
        missing.extend(describe_left_out(
            &tested_with,
            &format!("\"{engine}\""),
            "tests/Cargo.toml",
        ));
        let contract = format!("contract_{engine}.rs");
        let run_in =
            |binary: &str| root().join("tests/tests").join(binary).join(&contract).exists();
        if !["engines", "emulator"].into_iter().any(run_in) {
            missing.push(format!("tests/tests/engines lacks {contract}"));
        }
    }
    for engine in engine_crates(&adapters) {
        missing.extend(describe_left_out(&denied, &format!("crate = \"{engine}\""), "deny.toml"));
        // The lists of trees.rs name the SDK's crates by what they all begin with. No function links
        // another engine than that of AWS.
        let is_of_aws = engine.starts_with("aws-");
        let name = if is_of_aws { "aws-" } else { engine };
        let elsewhere = (!is_of_aws).then_some("OTHER_STACKS");
        for list in ["IMPURE", "ENGINES"].into_iter().chain(elsewhere) {
            let whole = format!("{list} in infra/xtask/src/trees.rs");
            missing.extend(describe_left_out(constant(&trees, list), &format!("\"{name}"), &whole));
        }
    }
    Ok(missing)
}

/// Profiles that are not compiled in or not explained, and systems whose samples nobody sends.
fn profiles() -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    let files = read("shared/verify/src/profile/files.rs")?;
    let contracts = read(CONTRACTS)?.to_lowercase();
    for profile in names("shared/verify/profiles", ".json")? {
        let named = format!("\"{profile}\"");
        missing.extend(describe_left_out(&files, &named, "shared/verify/src/profile/files.rs"));
        missing.extend(describe_left_out(&contracts, &profile, CONTRACTS));
    }
    let (samples, systems) = (read(SAMPLES)?, read(SYSTEMS)?);
    for system in names("infra/events", ".json")? {
        missing.extend(describe_left_out(&samples, &format!("events/{system}.json"), SAMPLES));
        missing.extend(describe_left_out(&systems, &format!("\"{system}\""), SYSTEMS));
    }
    Ok(missing)
}

/// What to say where a list does not hold a text.
fn describe_left_out(list: &str, wanted: &str, whose: &str) -> Option<String> {
    (!list.contains(wanted)).then(|| format!("{whose} lacks {wanted}"))
}

/// The checks of a suite: its public functions.
fn checks(text: &str) -> Vec<&str> {
    let rests = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    rests.filter_map(|rest| rest.split(['<', '(']).next()).collect()
}

/// The methods of a trait, by the lines on which they begin.
fn methods(text: &str, port: &str) -> Vec<String> {
    let (_, rest) = text.split_once(&format!("pub trait {port}:")).unwrap_or_default();
    let (body, _) = rest.split_once("\n}\n").unwrap_or_default();
    let rests = body.lines().filter_map(|line| line.strip_prefix("    fn "));
    rests.filter_map(|rest| rest.split(['<', '(']).next()).map(str::to_owned).collect()
}

/// What to say of each method that the contract suite does not call on `engine.receiver()`, or on a
/// variable that is named like it. Other types have methods of the same names.
fn find_uncalled(contract: &str, receiver: &str, methods: &[String]) -> Vec<String> {
    let dense: String = contract.split_whitespace().collect();
    let is_called = |method: &&String| {
        [format!("{receiver}().{method}("), format!("{receiver}.{method}(")]
            .iter()
            .any(|call| dense.contains(call))
    };
    let uncalled = methods.iter().filter(|method| !is_called(method));
    uncalled.map(|method| format!("{CONTRACT} lacks a call of {receiver}.{method}")).collect()
}

/// The crates of a manifest that are there for one engine alone, but for those that anybody may use.
fn engine_crates(manifest: &str) -> Vec<&str> {
    let lines = manifest.lines().filter(|line| line.contains("optional = true"));
    let names = lines.filter_map(|line| line.split([' ', '.', '=']).next());
    names.filter(|name| !FOR_ANYBODY.contains(name)).collect()
}

/// The features of a manifest, each on a line.
fn features(manifest: &str) -> Vec<&str> {
    let (_, rest) = manifest.split_once("[features]\n").unwrap_or_default();
    let (section, _) = rest.split_once("\n[").unwrap_or((rest, ""));
    section.lines().filter_map(|line| line.split_once(" = [")).map(|(name, _)| name).collect()
}

/// The text of a constant in a source file, up to its end.
fn constant<'a>(source: &'a str, name: &str) -> &'a str {
    let (_, rest) = source.split_once(&format!("const {name}:")).unwrap_or_default();
    rest.split_once("];").map_or("", |(list, _)| list)
}

/// The names in a folder that end so, without their end, sorted.
fn names(folder: &str, end: &str) -> Result<Vec<String>, String> {
    let path = root().join(folder);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(end) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn read(file: &str) -> Result<String, String> {
    let path = root().join(Path::new(file));
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_this_workspace_are_whole() {
        assert_eq!(lists(), Ok(()));
    }

    #[test]
    fn what_a_list_leaves_out_is_named() {
        assert_eq!(describe_left_out("mod a;\nmod b;\n", "mod b;", "main.rs"), None);
        let said = describe_left_out("mod a;\n", "mod b;", "main.rs");
        assert_eq!(said.as_deref(), Some("main.rs lacks mod b;"));
        assert_eq!(checks("pub async fn one<E>(e: E) {}\nasync fn two() {}\n"), ["one"]);
        let port = "pub trait Queue: Send {\n    fn wait(&self);\n    fn put<T>(\n        &self,\n    );\n}\n";
        let methods = methods(port, "Queue");
        assert_eq!(methods, ["wait", "put"]);
        let calls = "engine\n    .queue()\n    .put(1); row.wait(2);";
        assert_eq!(
            find_uncalled(calls, "queue", &methods),
            ["tests/src/contract.rs lacks a call of queue.wait"]
        );
        let manifest = "sled = { workspace = true, optional = true }\nhttp.workspace = true\n\
                        aws-types = { workspace = true, optional = true }\n";
        assert_eq!(engine_crates(manifest), ["sled"]);
        let manifest =
            "[package]\na = []\n[features]\nb = [\"dep:b\"]\nc = []\n\n[lints]\nd = []\n";
        assert_eq!(features(manifest), ["b", "c"]);
        let source = "const A: [&str; 2] = [\"a\", \"b\"];\nconst B: [&str; 1] = [\"c\"];\n";
        assert_eq!(constant(source, "A"), " [&str; 2] = [\"a\", \"b\"");
        assert_eq!(constant(source, "C"), "");
    }
}
