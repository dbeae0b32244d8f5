//! What lies in the file and cannot be read keeps nothing else from being delivered.

use waxseal_flows::ports::{CheckStatus, Engine as _};
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
