//! Sizes: of the functions' packages as they were uploaded, and of the source.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use waxseal_tests::cloud::Cloud;

/// The zip of each function in megabytes, by its logical id.
pub async fn packages(cloud: &Cloud) -> BTreeMap<String, f64> {
    let sizes = cloud.emulator.cloud("sizes", json!({})).await;
    let named = sizes.as_object().unwrap().iter().filter_map(|(name, bytes)| {
        let id = name.split('-').nth(1)?;
        Some((id.to_owned(), bytes.as_f64()? / 1e6))
    });
    named.collect()
}

/// Lines of files and of functions of everything but tests, as `rustfmt` lays them out.
pub fn print_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for folder in ["shared", "functions", "infra"] {
        read(&root.join(folder), &mut files, &mut functions);
    }
    files.sort_unstable();
    functions.sort_unstable();
    let at = |sorted: &[usize], percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    println!("| source, without tests | count | median lines | 90 % within | longest |");
    println!("| --- | --- | --- | --- | --- |");
    for (what, sorted) in [("files", &files), ("functions", &functions)] {
        let (median, most, longest) = (at(sorted, 50), at(sorted, 90), at(sorted, 100));
        println!("| {what} | {} | {median} | {most} | {longest} |", sorted.len());
    }
}

fn read(folder: &Path, files: &mut Vec<usize>, functions: &mut Vec<usize>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, files, functions);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            files.push(text.lines().count());
            functions.extend(lengths(text));
        }
    }
}

/// A function ends at the first closing brace with its own indentation.
fn lengths(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let begins = |line: &str| {
        let words = line.trim_start().split([' ', '(']);
        let mut words =
            words.skip_while(|word| ["pub", "crate)", "super)", "async", "const"].contains(word));
        words.next() == Some("fn")
    };
    let length = |(at, line): (usize, &&str)| {
        let ends = |end: &&str| indent(end) == indent(line) && end.trim_end().ends_with(['}', ';']);
        lines[at..].iter().position(ends).map(|lines| lines + 1)
    };
    lines.iter().enumerate().filter(|(_, line)| begins(line)).filter_map(length).collect()
}
