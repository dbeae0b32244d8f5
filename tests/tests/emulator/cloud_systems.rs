//! The real template with the real function binaries, on the emulator: the five systems at receivers that
//! are not ours, and a sixth from a file alone.

use waxseal_tests::cloud::Cloud;
use waxseal_tests::sixth;
use waxseal_tests::systems::{FLASK, NODE, Receivers, SYSTEMS, follows_link, link, play};

#[tokio::test]
async fn five_systems_are_accepted_and_a_sixth_works_both_ways() {
    let cloud = Cloud::shared().await;
    let client = cloud.client();
    let receivers = Receivers::start(&[&FLASK, &NODE]).await;
    let mut places = 0;
    for system in SYSTEMS {
        let played = play(&client, &receivers, system).await;
        for place in receivers.of(system) {
            place.refuses_flipped(&played.hooks).await;
            places += 1;
        }
        if system == "authensor" {
            follows_link(&client, &link(&played)).await;
        }
    }
    assert_eq!(places, 11);
    sixth::works_both_ways(&client).await;
}
