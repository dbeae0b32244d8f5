//! Hooks in every profile: nobody forges one, and explaining it ends.
#![no_main]

use waxseal_domain::profile::{Hook, Profile};
use waxseal_verify::Window;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

libfuzzer_sys::fuzz_target!(|input: (u8, [&str; 3], &[u8])| {
    let (number, headers, body) = input;
    let profiles = Profile::builtins();
    let profile = &profiles[usize::from(number) % profiles.len()];
    let header = |name: &str| match name {
        name if name.contains("timestamp") => Some(headers[0]),
        name if name.contains("id") => Some(headers[1]),
        _ => Some(headers[2]),
    };
    let keys = [profile.dialect.key(SECRET).unwrap()];
    let window = Window::around(1_790_000_000);
    assert!(profile.dialect.verify(header, body, &keys, window).is_err());
    assert!(!profile.dialect.explain(header, body, &[SECRET], window).valid);
    let hook = Hook { id: Some("m"), header: &header, body };
    let _submission = profile.reading.submission("/hooks/x", &hook);
});
