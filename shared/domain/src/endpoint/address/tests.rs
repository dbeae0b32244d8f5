use super::*;

mod registries;

fn check(rules: &AddressRules, url: &str) -> Result<(), AddressFault> {
    rules.check_url(url).map(|_| ())
}

#[test]
fn public_https_may_be_called() {
    for url in [
        "https://example.com/hook",
        "https://example.com:8443/",
        "https://example.com:443/?a=b",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://müller.example/",
    ] {
        assert_eq!(check(&AddressRules::default(), url), Ok(()), "{url}");
    }
}

#[test]
fn no_notation_hides_an_address() {
    for url in [
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://①②⑦.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::a00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:1::1]/",
        "https://10.0.0.1/",
        "https://172.31.255.255/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://169.254.169.254/",
        "https://169.254.100.1:9001/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[ff02::1]/",
    ] {
        let checked = check(&AddressRules::default(), url);
        assert!(matches!(checked, Err(AddressFault::Range(_))), "{url}: {checked:?}");
    }
}

#[test]
fn names_the_fault_of_a_url() {
    let long = format!("https://example.com/{}", "a".repeat(URL_CHARS_MAX));
    for (url, fault) in [
        ("http://example.com/", AddressFault::NotHttps),
        ("ftp://example.com/", AddressFault::NotHttps),
        ("file:///etc/passwd", AddressFault::NotHttps),
        ("example.com", AddressFault::NotAUrl),
        ("https://user@example.com/", AddressFault::UserInformation),
        ("https://:pw@example.com/", AddressFault::UserInformation),
        ("https://example.com:22/", AddressFault::Port),
        ("https://example.com:80/", AddressFault::Port),
        ("https://example.com:0/", AddressFault::Port),
        ("https://localhost/", AddressFault::PrivateName),
        ("https://a.localhost./", AddressFault::PrivateName),
        ("https://db.internal/", AddressFault::PrivateName),
        ("https://printer/", AddressFault::PrivateName),
        (long.as_str(), AddressFault::TooLong),
    ] {
        assert_eq!(check(&AddressRules::default(), url), Err(fault), "{url}");
    }
}

#[test]
fn the_setting_allows_loopback_and_nothing_else() {
    let rules = AddressRules { allow_loopback: true, ..AddressRules::default() };
    for url in ["http://127.0.0.1:9000/", "https://localhost:9000/", "http://[::1]:9000/"] {
        assert_eq!(check(&rules, url), Ok(()), "{url}");
    }
    for url in ["http://10.0.0.1:9000/", "https://10.0.0.1/", "https://169.254.100.1:9001/"] {
        assert!(check(&rules, url).is_err(), "{url}");
    }
}

#[test]
fn the_runtime_api_is_refused_under_any_setting() {
    let rules = AddressRules {
        allow_loopback: true,
        runtime_api: Some("127.0.0.1:9001".parse().unwrap()),
        ..AddressRules::default()
    };
    for url in ["http://127.0.0.1:9001/", "http://[::ffff:127.0.0.1]:9001/"] {
        assert!(check(&rules, url).is_err(), "{url}");
    }
    assert_eq!(check(&rules, "http://127.0.0.1:9002/"), Ok(()));
}

#[test]
fn a_name_that_resolves_to_a_private_address_is_refused_before_connecting() {
    let rules = AddressRules::default();
    assert_eq!(check(&rules, "https://rebind.example.com/"), Ok(()));
    for ip in ["127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "169.254.1.1"] {
        assert!(rules.check_ip(ip.parse().unwrap(), 443).is_err(), "{ip}");
    }
    assert_eq!(rules.check_ip("93.184.216.34".parse().unwrap(), 443), Ok(()));
}

#[test]
fn an_arn_leads_to_a_target_only_where_there_is_aws() {
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    assert_eq!(AddressRules::default().check(arn), Err(AddressFault::NoAws));
    let none = AddressRules { cloud_targets: Some(CloudTargets::default()), ..Default::default() };
    assert_eq!(none.check(arn), Err(AddressFault::NotATarget));
    assert_eq!(none.check("arn:aws:s3:::bucket"), Err(AddressFault::NotAnArn));
    assert!(matches!(none.check("https://example.com/"), Ok(Target::Http(_))));
    assert_eq!(none.check("http://example.com/"), Err(AddressFault::NotHttps));
    // A sender over HTTP never takes an ARN for a URL.
    assert_eq!(none.check_url(arn), Err(AddressFault::NotHttps));
}

#[test]
fn a_url_may_be_as_long_as_is_said_and_have_any_port_that_is_not_privileged() {
    let rules = AddressRules::default();
    let start = "https://example.com/";
    let longest = format!("{start}{}", "a".repeat(URL_CHARS_MAX - start.len()));
    assert_eq!(check(&rules, &longest), Ok(()));
    assert_eq!(check(&rules, &format!("{longest}a")), Err(AddressFault::TooLong));
    for (port, checked) in
        [(1_023, Err(AddressFault::Port)), (1_024, Ok(())), (65_535, Ok(())), (443, Ok(()))]
    {
        assert_eq!(check(&rules, &format!("https://example.com:{port}/")), checked, "{port}");
    }
}

#[test]
fn what_a_parser_would_drop_is_refused() {
    for url in ["https://example.com/a b", "https://exam\u{7}ple.com/", "https://example.com/\n"] {
        assert_eq!(check(&AddressRules::default(), url), Err(AddressFault::WhiteSpace), "{url:?}");
    }
    let fragment = check(&AddressRules::default(), "https://example.com/#a");
    assert_eq!(fragment, Err(AddressFault::Fragment));
}

#[test]
fn the_setting_allows_http_to_loopback_on_its_usual_port() {
    let rules = AddressRules { allow_loopback: true, ..AddressRules::default() };
    assert_eq!(check(&rules, "http://localhost/"), Ok(()));
    for (url, fault) in [
        ("http://localhost:22/", AddressFault::Port),
        ("ftp://localhost:9000/", AddressFault::NotHttps),
        ("http://example.com:9000/", AddressFault::NotHttps),
        ("https://db.internal/", AddressFault::PrivateName),
    ] {
        assert_eq!(check(&rules, url), Err(fault), "{url}");
    }
}

#[test]
fn a_name_may_lead_to_loopback_where_that_is_allowed_and_never_to_the_runtime_api() {
    let loopback = AddressRules { allow_loopback: true, ..AddressRules::default() };
    let beside_the_api =
        AddressRules { runtime_api: Some("127.0.0.1:9001".parse().unwrap()), ..loopback.clone() };
    let resolved = |rules: &AddressRules, ip: &str| rules.check_resolved(ip.parse().unwrap());
    assert!(resolved(&AddressRules::default(), "127.0.0.1").is_err());
    assert!(resolved(&loopback, "127.0.0.1").is_ok());
    assert!(resolved(&beside_the_api, "127.0.0.1").is_err());
    assert!(resolved(&beside_the_api, "127.0.0.2").is_ok());
    for ip in ["10.0.0.1", "169.254.169.254"] {
        assert!(resolved(&loopback, ip).is_err(), "{ip}");
    }
    assert!(resolved(&AddressRules::default(), "93.184.216.34").is_ok());
}

#[test]
fn a_refused_address_is_told_by_its_kind() {
    for (ip, kind) in [
        ("127.0.0.1", "a loopback"),
        ("::1", "a loopback"),
        ("169.254.1.1", "a link-local"),
        ("fe80::1", "a link-local"),
        ("10.0.0.1", "a private"),
        ("fd00::1", "a private"),
        ("fec0::1", "a private"),
        ("224.0.0.1", "a reserved"),
        ("2002::1", "a reserved"),
    ] {
        let checked = AddressRules::default().check_resolved(ip.parse().unwrap());
        assert_eq!(checked, Err(AddressFault::Range(kind)), "{ip}");
    }
}
