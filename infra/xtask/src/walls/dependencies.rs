//! What manifests depend on by a path.

/// Folders that a function may depend on: what functions share, and no function.
const SHARED: &str = "shared/";

/// The paths of a manifest's dependencies that are not shared.
pub(super) fn unshared(folder: &str, manifest: &str, workspace: &[Dependency]) -> Vec<String> {
    let mut found = Vec::new();
    for one in dependencies(manifest) {
        // A dependency that the workspace has no line for does not compile.
        let inherited = workspace.iter().filter(|other| one.is_inherited && other.name == one.name);
        let inherited = inherited.filter_map(|other| other.path.clone());
        found.extend(one.path.map(|path| resolve(folder, &path)).into_iter().chain(inherited));
    }
    found.retain(|path| !path.starts_with(SHARED));
    found
}

/// A line of a manifest about a dependency that is no dev-dependency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The name by which the manifest calls it.
    name: String,
    path: Option<String>,
    /// Whether the workspace's manifest says the rest.
    is_inherited: bool,
}

/// Of every dependency what its manifest says, whatever the form: a line, a table, or dotted keys.
pub(super) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut table = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']);
            continue;
        }
        let line = format!("{table}.{line}").replace('\'', "\"");
        let mut keys = line.split(['.', '=', '{', ',', ' ']).map(|key| key.trim_matches('"'));
        let kinds = ["dependencies", "build-dependencies"];
        if !keys.any(|key| kinds.contains(&key)) {
            continue;
        }
        let name = keys.find(|key| !key.is_empty()).unwrap_or_default().to_owned();
        let dense = line.replace(' ', "");
        let value = |key: &str| {
            let ends = dense.match_indices(key).map(|(at, _)| at + key.len());
            let mut rests = ends.filter_map(|end| dense.get(end..));
            rests.find_map(|rest| rest.trim_start_matches('"').strip_prefix('='))
        };
        let path = value("path").and_then(|rest| rest.split('"').nth(1)).map(str::to_owned);
        let is_inherited = value("workspace").is_some_and(|rest| rest.starts_with("true"));
        found.push(Dependency { name, path, is_inherited });
    }
    found
}

/// A path as it is from the root, with no `..` left but those that lead out of it.
fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_depends_on_another_is_noticed_however_it_says_so() {
        let workspace = "[workspace.dependencies]\nserde = \"1\"\nwaxseal-api = { path = \"functions/api\" }\n\
                         waxseal-flows = { path = \"shared/flows\" }\n";
        let workspace = dependencies(workspace);
        let on = |manifest: &str| unshared("functions/bury", manifest, &workspace);
        for manifest in [
            "[dependencies]\nwaxseal-api.workspace = true\n",
            "[dependencies]\nwaxseal-api = { workspace = true, features = [] }\n",
            "[dependencies.waxseal-api]\nworkspace = true\n",
            "[build-dependencies]\n\"waxseal-api\" = {workspace=true}\n",
            "[dependencies]\nother = { package = \"waxseal-api\", path = \"../api\" }\n",
            "[dependencies]\nother.path = '../../shared/../functions/api/'\n",
            "[dependencies.other]\npackage = \"waxseal-api\"\npath = \"../api\"\n",
            "[target.'cfg(unix)'.dependencies]\nother = { \"path\" = \"../api\" }\n",
            "[target.'cfg(unix)'.dependencies.other]\npath = \"../api\"\n",
            "[dependencies.xpath]\npath = \"../api\"\n",
            "dependencies.other.path = \"../api\"\n",
        ] {
            assert_eq!(on(manifest), ["functions/api"], "{manifest}");
        }
        for manifest in [
            "[dev-dependencies]\nwaxseal-api.workspace = true\nother = { path = \"../api\" }\n",
            "[[bin]]\nname = \"bury\"\npath = \"src/main.rs\"\n\n[lints]\nworkspace = true\n",
            "[dependencies]\nserde.workspace = true\nwaxseal-flows.workspace = true\n",
            "[dependencies]\n# other = { path = \"../api\" }\nflows = { path = \"../../shared/flows\" }\n",
        ] {
            assert_eq!(on(manifest), [""; 0], "{manifest}");
        }
        assert_eq!(resolve("functions/bury", "../../../elsewhere"), "../elsewhere");
    }
}
