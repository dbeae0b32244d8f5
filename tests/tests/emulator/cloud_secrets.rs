//! No secret in a row of DynamoDB, in a log of a function, or in an answer of the deployed template.

use serde_json::json;
use waxseal_tests::canaries::{CANARIES, QUERY, RAW, receivers, use_them};
use waxseal_tests::cloud::Cloud;
use waxseal_tests::emulator::Emulator;

#[tokio::test]
async fn no_secret_is_in_a_row_a_log_or_an_answer() {
    let cloud = Cloud::deploy_on(Emulator::start_tracing().await, &[]).await;
    let (sink, tokens) = receivers().await;
    let answers = json!(use_them(&cloud.client(), &sink, &tokens).await).to_string();
    let path = "/v1/tenants/acme/keys";
    let key = cloud.client().send("POST", path, &[], "").await.of(201).json;
    let rows = cloud.emulator.cloud("rows", json!({})).await;
    let (config, state) = (
        rows[cloud.output("ConfigTableName")].as_array().unwrap(),
        rows[cloud.output("StateTableName")].as_array().unwrap(),
    );
    assert!(config.len() > 5 && state.len() > 5, "{} and {} rows", config.len(), state.len());
    let mut logged = String::new();
    for function in ["Api", "Deliver", "Ingest", "Receiver"] {
        let function = json!({"function": cloud.function(function).await});
        let lines: Vec<String> =
            serde_json::from_value(cloud.emulator.cloud("logs", function).await).unwrap();
        logged += &lines.concat();
    }
    assert!(logged.contains(" INFO attempt"), "the log is one");
    assert!(!logged.contains(QUERY), "a URL's query is logged");
    let made = [key["key"].as_str().unwrap(), cloud.output("OperatorKey")];
    let rows = rows.to_string();
    for secret in CANARIES.into_iter().chain(RAW).chain(made) {
        assert!(!answers.contains(secret), "{secret} is answered");
        assert!(!rows.contains(secret), "{secret} is in a row");
        assert!(!logged.contains(secret), "{secret} is logged");
    }
    let is_there = |what: &str| rows.contains(what);
    assert!(is_there("acme") && is_there("github"), "the rows are those of what was configured");
}
