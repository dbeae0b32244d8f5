//! Cold initialisation: from the process's start to its first request for an invocation, which a
//! Runtime API on loopback waits for. Median of interleaved runs.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use waxseal_tests::cloud::build_folder;
use waxseal_tests::emulator::tools;

const RUNS: usize = 41;

/// The median of each function in milliseconds, `hello` first.
pub fn measure() -> Vec<(String, f64)> {
    let hello = tools().parent().unwrap().join("lambda/hello/bootstrap");
    let mut programs: Vec<(String, PathBuf)> = vec![("hello".to_owned(), hello)];
    programs.extend(functions(&build_folder()));
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); programs.len()];
    for _ in 0..RUNS {
        for ((_, program), times) in programs.iter().zip(&mut times) {
            times.push(start(program));
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    });
    programs.into_iter().map(|(name, _)| name).zip(medians).collect()
}

/// Every function that was built, by name: the folders of the build that hold a program.
fn functions(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let entry = entry.unwrap();
        let program = entry.path().join("bootstrap");
        if program.exists() {
            found.insert(entry.file_name().into_string().unwrap(), program);
        }
    }
    assert!(!found.is_empty(), "no function was built in {}", folder.display());
    found
}

fn start(program: &Path) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let began = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "cold")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "s")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "g")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let (stream, _) = listener.accept().unwrap();
    let mut request = String::new();
    BufReader::new(stream).read_line(&mut request).unwrap();
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    assert!(request.contains("/runtime/invocation/next"), "{request}");
    child.kill().unwrap();
    child.wait().unwrap();
    took
}
