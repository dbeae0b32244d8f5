use super::*;

/// The envelope with these members of its own, beside the body's `id` and `data`.
fn envelope(own: &str) -> Envelope {
    let members = r#"[{"name":"id","value":"id"},{"name":"data","value":"data"}]"#;
    serde_json::from_str(&format!(r#"{{"members":{members}{own}}}"#)).unwrap()
}

fn pointers(envelope: &Envelope) -> Vec<String> {
    let mut faults = Vec::new();
    envelope.check("/envelope", &mut faults);
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn what_fits_together_has_no_fault() {
    let longest = "a".repeat(63);
    let longest = format!(r#","extension_headers":"{longest}-""#);
    for own in [
        "",
        r#","content_type":"application/cloudevents+json; charset=utf-8""#,
        r#","extension_headers":"x-ce-""#,
        r#","extension_headers":"a-""#,
        &longest,
        r#","bytes_max":512,"shorten":"data""#,
    ] {
        assert_eq!(pointers(&envelope(own)), [""; 0], "{own}");
    }
    assert_eq!(envelope("").content_type, "application/json");
}

#[test]
fn each_fault_is_named_where_it_is() {
    let too_long = format!(r#","extension_headers":"{}-""#, "a".repeat(64));
    for (own, member) in [
        (r#","content_type":"""#, "content_type"),
        (r#","content_type":"text/ü""#, "content_type"),
        (r#","extension_headers":"ce""#, "extension_headers"),
        (r#","extension_headers":"-""#, "extension_headers"),
        (r#","extension_headers":"Ce-""#, "extension_headers"),
        (r#","extension_headers":"""#, "extension_headers"),
        (&too_long, "extension_headers"),
        (r#","body":"data""#, "members"),
        (r#","bytes_max":511,"shorten":"data""#, "bytes_max"),
        (r#","bytes_max":512"#, "shorten"),
        (r#","shorten":"data""#, "shorten"),
        (r#","bytes_max":512,"shorten":"id""#, "shorten"),
        (r#","bytes_max":512,"shorten":"payload""#, "shorten"),
    ] {
        assert_eq!(pointers(&envelope(own)), [format!("/envelope/{member}")], "{own}");
    }
}

fn text(name: &str) -> Member {
    serde_json::from_str(&format!(r#"{{"name":"{name}","text":"t"}}"#)).unwrap()
}

#[test]
fn members_are_counted_with_those_within_others() {
    let flat = |count: usize| Envelope { members: vec![text("a"); count], ..envelope("") };
    assert_eq!(pointers(&flat(MEMBERS_MAX)), [""; 0]);
    for count in [MEMBERS_MAX + 1, MEMBERS_MAX + 2] {
        assert_eq!(pointers(&flat(count)), ["/envelope/members"], "{count}");
    }
    let nested = |count: usize| {
        let inner = Some(vec![text("a"); count]);
        let outer = Member { text: None, members: inner, ..text("outer") };
        Envelope { members: vec![outer], ..envelope("") }
    };
    assert_eq!(pointers(&nested(MEMBERS_MAX - 1)), [""; 0]);
    assert_eq!(pointers(&nested(MEMBERS_MAX)), ["/envelope/members"]);
}

#[test]
fn a_member_holds_one_thing_and_has_a_name_unless_what_it_holds_brings_names() {
    for (member, is_right) in [
        (r#"{"name":"a","value":"id"}"#, true),
        (r#"{"name":"a","attribute":"severity"}"#, true),
        (r#"{"value":"attributes"}"#, true),
        (r#"{"name":"a"}"#, false),
        (r#"{"name":"a","value":"id","text":"t"}"#, false),
        (r#"{"name":"a","value":"extensions"}"#, false),
        (r#"{"text":"t"}"#, false),
    ] {
        let member: Member = serde_json::from_str(member).unwrap();
        let inner = Member { text: None, members: Some(vec![member.clone()]), ..text("outer") };
        let members = vec![member.clone(), inner];
        let found = pointers(&Envelope { members, ..envelope("") });
        let both = ["/envelope/members/0", "/envelope/members/1/members/0"];
        assert_eq!(found, if is_right { &[][..] } else { &both[..] }, "{member:?}");
    }
}
