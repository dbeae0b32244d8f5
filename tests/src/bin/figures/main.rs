//! Prints the figures of `infra/figures.md`, measured now: `cargo xtask figures` keeps them there.
//! Benchmarks, never tests: nothing fails here, whatever the machine is doing besides.

mod cold_start;
mod latency;
mod size;

use waxseal_tests::cloud::Cloud;

#[tokio::main]
async fn main() {
    let cloud = Cloud::deploy().await;
    let sizes = size::packages(&cloud).await;
    let starts = cold_start::measure();
    println!("| function | zip, MB | cold initialisation, ms | above hello, ms |");
    println!("| --- | --- | --- | --- |");
    let hello = starts.first().map_or(0.0, |(_, median)| *median);
    for (name, median) in &starts {
        let zip = sizes.get(name).map_or("–".to_owned(), |mb| format!("{mb:.2}"));
        println!("| {name} | {zip} | {median:.1} | {:+.1} |", median - hello);
    }
    let figures = latency::measure(&cloud).await;
    println!("\n| event in (HTTP API) to POST out, on the emulator | ms |\n| --- | --- |");
    println!("| p50 of {} | {:.0} |\n| p99 | {:.0} |", figures.count, figures.p50, figures.p99);
    println!();
    size::print_code();
}
