//! What lies in the file and cannot be read keeps nothing else from being delivered.

use waxseal_domain::endpoint::Endpoint;
use waxseal_flows::ports::{Change, CheckStatus, Clock as _, Engine as _};
use waxseal_tests::by_hand::ByHand;
use waxseal_tests::fixtures;
use waxseal_tests::sink::Sink;

#[tokio::test]
async fn a_message_that_cannot_be_read_is_put_aside_at_the_start() {
    let world = ByHand::start();
    let sink = Sink::start(Vec::new()).await;
    fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    world.send(0..4).await;
    let world = world.restart(|_, file| {
        let spoil = |value: &str, id: u32| {
            file.execute(&format!("UPDATE messages SET body = {value} WHERE id = {id}"), [])
                .unwrap()
        };
        assert_eq!(spoil("'{\"v\":9}'", 1) + spoil("x'ff00'", 2), 2);
        let sql = "UPDATE messages SET visible_at = 'soon' WHERE id = 3";
        assert_eq!(file.execute(sql, []).unwrap(), 1);
    });
    world.deliver().await;
    assert_eq!(sink.requests().len(), 1, "the one that can be read");
    let checks = world.engine.checks().await;
    let rejected = checks.iter().find(|check| check.name == "rejected messages").unwrap();
    assert_eq!(rejected.status, CheckStatus::Warn);
    assert!(rejected.detail.starts_with("3 "), "{}", rejected.detail);
    let sql = "SELECT count(*) FROM rejected WHERE reason <> '' AND body <> ''";
    let kept: u32 = world.file().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 3, "with what they said, and why they are there");
}

#[tokio::test]
async fn what_cannot_be_read_of_a_gate_or_the_clock_stops_no_start_and_holds_nothing() {
    let world = ByHand::start();
    let sink = Sink::start(Vec::new()).await;
    let well = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    let paused_at = Some(world.engine.clock().now());
    let paused = Endpoint { paused_at, version: 2, ..well };
    assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(&paused)).await);
    world.send(0..3).await;
    world.deliver().await;
    let resumed = Endpoint { paused_at: None, version: 3, ..paused };
    assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(&resumed)).await);
    let world = world.restart(|_, file| {
        for table in ["gates", "clock"] {
            let sql = format!("UPDATE {table} SET doc = '?'");
            assert_eq!(file.execute(&sql, []).unwrap(), 1);
        }
    });
    assert_eq!(world.sweep().await, 3, "what the gate held is released");
    world.deliver().await;
    assert_eq!(sink.requests().len(), 3);
}
