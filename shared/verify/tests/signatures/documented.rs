//! Signatures that their owners have published: what we make must be theirs.

use waxseal_verify::{Delivery, FILES, Fault, Profile, Window};

const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

struct PublishedExample {
    profile: &'static str,
    secret: &'static str,
    id: &'static str,
    timestamp_s: u64,
    body: &'static str,
    header: (&'static str, &'static str),
}

const PUBLISHED: [PublishedExample; 4] = [
    // The specification's example, and its packages' own tests'.
    PublishedExample {
        profile: "standard",
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s: 1_614_265_330,
        body: r#"{"test": 2432232314}"#,
        header: ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    },
    PublishedExample {
        profile: "svix",
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s: 1_614_265_330,
        body: r#"{"test": 2432232314}"#,
        header: ("svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    },
    // "Validating webhook deliveries", docs.github.com.
    PublishedExample {
        profile: "github",
        secret: "It's a Secret to Everybody",
        id: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        timestamp_s: 0,
        body: "Hello, World!",
        header: (
            "x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
    },
    // "Verifying requests from Slack", docs.slack.dev.
    PublishedExample {
        profile: "slack",
        secret: "8f742231b10e8888abcd99yyyzzz85a5",
        id: "",
        timestamp_s: 1_531_420_618,
        body: SLACK_BODY,
        header: (
            "x-slack-signature",
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ),
    },
];

/// Profiles of which no signature is published: their verifiers or their own code are run instead
/// (`tests/tests/thirds`). Stripe's page has none either; its packages' own tests are below.
const UNPUBLISHED: [&str; 8] = [
    "aisentinel",
    "authensor",
    "aisg",
    "secureagentics",
    "omegaengine",
    "stripe",
    "cloudevents",
    "cloudevents-binary",
];

#[test]
fn each_profile_has_a_published_signature_or_there_is_none() {
    for (name, _) in FILES {
        let is_published = PUBLISHED.iter().any(|one| one.profile == *name);
        let is_missing = UNPUBLISHED.contains(name);
        assert!(is_published != is_missing, "{name} is in either PUBLISHED or UNPUBLISHED");
    }
}

#[test]
fn makes_and_verifies_what_their_owners_published() {
    for one in &PUBLISHED {
        let profile = Profile::find_builtin(one.profile).unwrap();
        let keys = [profile.key(one.secret).unwrap()];
        let delivery = Delivery {
            id: one.id,
            timestamp_s: one.timestamp_s,
            body: one.body.as_bytes(),
            standard_beside: false,
            variable: &|_| None,
        };
        let sent = profile.sign(&keys, delivery).unwrap();
        let (name, value) = one.header;
        assert!(sent.headers.contains(&(name.to_owned(), value.to_owned())), "{}", one.profile);
        let header = |name: &str| {
            sent.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
        };
        let window = Window::around(one.timestamp_s + 300);
        assert!(profile.verify(header, one.body.as_bytes(), &keys, window).is_ok());
        let other = profile.verify(header, b"other", &keys, window);
        assert_eq!(other, Err(Fault::Mismatch), "{}", one.profile);
    }
}

/// As Stripe's own packages read it: in any order, other schemes and old secrets beside.
#[test]
fn reads_stripes_header_as_stripe_does() {
    let profile = Profile::find_builtin("stripe").unwrap();
    let keys = [profile.key("whsec_test_secret").unwrap()];
    // hmac_sha256("whsec_test_secret", "1700000000.{}"), by Python's hmac.
    let signature = "ceb8863f7208fa249a6cd8f951e993c7563412aca65866f6272283debe143ab3";
    let verify = |value: &str| {
        let header = |name: &str| (name == "stripe-signature").then_some(value);
        profile
            .verify(header, b"{}", &keys, Window::around(1_700_000_000))
            .map(|hook| hook.timestamp)
    };
    let good = Ok(Some(1_700_000_000));
    assert_eq!(verify(&format!("t=1700000000,v1={signature}")), good);
    assert_eq!(verify(&format!("v1=00,v0=6ffb,v1={signature},t=1700000000")), good);
    assert_eq!(verify(&format!("t=1700000001,v1={signature}")), Err(Fault::Mismatch));
    assert_eq!(verify(&format!("t=1700000000,v0={signature}")), Err(Fault::Mismatch));
    let missing = || Err(Fault::Missing("stripe-signature".into()));
    assert_eq!(verify(&format!("v1={signature}")), missing());
    assert_eq!(verify("t=1700000000"), missing());
    assert_eq!(verify(""), missing());
}
