//! `/healthz`, `/v1/status` and `doctor` tell what is: whether the store writes, and how the machine is.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use waxseal_tests::attack::{Attack, short_or_long};
use waxseal_tests::client::{Client, Session};
use waxseal_tests::eventually::eventually;
use waxseal_tests::process::{Server, command};

async fn health(client: &Client) -> (u16, Value) {
    client.call_without_key("GET", "/healthz").await
}

/// Waits until `/healthz` has this status: what it says is seconds old at the most.
async fn until_health_is(client: &Client, status: u16) -> Value {
    eventually(Duration::from_secs(30), async || {
        let (found, answer) = health(client).await;
        if found == status { Ok(answer) } else { Err(answer) }
    })
    .await
}

/// Runs `doctor` with the operator's key: whether nothing fails, and what it says.
async fn doctor(server: &Server, folder: &Path) -> (bool, String) {
    let mut doctor = command(folder, server.address);
    doctor.env("WAXSEAL_URL", format!("http://{}", server.address)).env("WAXSEAL_KEY", "operator");
    let told = doctor.arg("doctor").output().await.unwrap();
    (told.status.success(), String::from_utf8(told.stdout).unwrap())
}

#[tokio::test]
async fn a_store_that_does_not_write_is_told_without_a_key_and_without_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    assert_eq!(health(&client).await.0, 200);
    // Whoever holds the file's lock for writing keeps the server from it, as a backup gone wrong does.
    let other = rusqlite::Connection::open(folder.path().join("waxseal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let problem = until_health_is(&client, 503).await;
    assert_eq!(problem["detail"], "does not work: database writes", "{problem}");
    assert!(!problem.to_string().contains(&folder.path().display().to_string()), "{problem}");
    let (is_well, said) = doctor(&server, folder.path()).await;
    assert!(!is_well && said.contains("database writes"), "{said}");
    other.execute_batch("ROLLBACK").unwrap();
    until_health_is(&client, 200).await;
    server.stop().await;
}

#[tokio::test]
async fn whoever_asks_how_often_the_store_is_tried_every_few_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let looks = short_or_long(300, 100_000);
    let log = folder.path().join("waxseal.db-wal");
    let length = || std::fs::metadata(&log).unwrap().len();
    let before = length();
    let mut session = Session::of(&Client { key: String::new(), ..server.client() });
    for _ in 0..looks {
        assert_eq!(session.try_call("GET", "/healthz", "").await.unwrap().0, 200);
    }
    let attack = Attack {
        name: "/healthz asked again and again",
        counted: "bytes written, of some 12,000 for each try",
        bound: short_or_long(400_000, 8_000_000),
    };
    attack.took(length().saturating_sub(before));
}

#[tokio::test]
async fn the_status_tells_how_the_machine_is_and_doctor_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let status = server.client().send("GET", "/v1/status", &[], "").await.of(200).json;
    let checks = status["checks"].as_array().unwrap();
    let (_, said) = doctor(&server, folder.path()).await;
    let figures = [
        ("store", "reads and writes"),
        ("clock", "has never jumped"),
        ("database writes", "synced"),
        ("queue", "messages wait"),
        ("disk", "MB free"),
        ("file handles", "in use"),
        ("memory", "MB in use"),
    ];
    for (name, figure) in figures {
        let check = checks.iter().find(|check| check["name"] == name).expect(name);
        assert!(check["detail"].as_str().unwrap().contains(figure), "{check}");
        assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
    }
    assert!(said.contains("server's clock: "), "{said}");
}
