//! Metrics: one line of CloudWatch's embedded format on standard output; no call, no cost a call.

use serde_json::{Value, json};
use waxseal_flows::ports::Clock as _;

use crate::clock::SystemClock;

/// Counts, of one function. Never a tenant or an endpoint as a dimension: each would be a metric.
pub fn count(function: &str, counts: &[(&str, usize)]) {
    println!("{}", line(function, counts, SystemClock.now().ms()));
}

fn line(function: &str, counts: &[(&str, usize)], now_ms: u64) -> Value {
    let metrics: Vec<Value> =
        counts.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                {"Namespace": "Waxseal", "Dimensions": [["function"]], "Metrics": metrics}
            ],
        },
        "function": function,
    });
    if let Some(members) = line.as_object_mut() {
        members.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_declared_and_given() {
        let line = line("bury", &[("Crashed", 2)], 5);
        assert_eq!(line["Crashed"], 2);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Crashed");
        assert_eq!(line["function"], "bury");
    }
}
