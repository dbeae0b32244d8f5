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
