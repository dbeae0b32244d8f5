//! Credentials as a request gives them: every fault is named, and nothing is sealed yet.

use super::Credentials;
use crate::endpoint::address::{AddressRules, URL_CHARS_MAX};
use crate::endpoint::target::Target;
use crate::json::{Fault, Json, escape_pointer};
use crate::secret::Secret;

/// Characters of a token, a password or a client's secret.
pub const SECRET_CHARS_MAX: usize = 4_096;
/// Characters of any other member, but for a URL.
pub const TEXT_CHARS_MAX: usize = 512;

/// Credentials whose secret part is not sealed yet.
#[derive(Clone, Debug)]
pub struct NewCredentials {
    /// With an empty `sealed`.
    credentials: Credentials,
    secret: Secret,
}

impl NewCredentials {
    /// Reads the member `auth` of a request, or names every fault in it; pointers start at that member.
    pub fn read(auth: &Json<'_>, rules: &AddressRules) -> Result<Self, Vec<Fault>> {
        let Some(given) = auth.as_object() else {
            let detail = "must be an object with a type: bearer, basic or oauth2";
            return Err(vec![Fault::new("", detail)]);
        };
        let mut members = Members { given, known: vec!["type"], faults: Vec::new() };
        let credentials = match auth.get("type").and_then(Json::as_str) {
            Some("bearer") => members.bearer(),
            Some("basic") => members.basic(),
            Some("oauth2") => members.oauth2(rules),
            _ => {
                members.fault("type", "must be bearer, basic or oauth2");
                None
            }
        };
        let faults = members.finish();
        match credentials {
            Some(credentials) if faults.is_empty() => Ok(credentials),
            _ => Err(faults),
        }
    }

    /// Returns what is secret of them, for the key vault to seal.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Returns the credentials as they are stored, with their secret as the key vault has sealed it.
    pub fn sealed_as(mut self, text: String) -> Credentials {
        match &mut self.credentials {
            Credentials::Bearer { sealed }
            | Credentials::Basic { sealed, .. }
            | Credentials::Oauth2 { sealed, .. } => *sealed = text,
        }
        self.credentials
    }

    fn new(credentials: Credentials, secret: String) -> Self {
        Self { credentials, secret: Secret::new(secret.into_bytes()) }
    }
}

/// Members of `auth`, each asked for once.
struct Members<'b, 'a> {
    given: &'b [(std::borrow::Cow<'a, str>, Json<'a>)],
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl Members<'_, '_> {
    fn bearer(&mut self) -> Option<NewCredentials> {
        let token = self.text("token", SECRET_CHARS_MAX, true);
        if token.as_ref().is_some_and(|token| token.contains(' ')) {
            self.fault("token", "must not hold a space");
        }
        Some(NewCredentials::new(Credentials::Bearer { sealed: String::new() }, token?))
    }

    fn basic(&mut self) -> Option<NewCredentials> {
        let username = self.text("username", TEXT_CHARS_MAX, true);
        let password = self.text("password", SECRET_CHARS_MAX, true);
        if username.as_ref().is_some_and(|username| username.contains(':')) {
            self.fault("username", "must not hold a colon");
        }
        let credentials = Credentials::Basic { username: username?, sealed: String::new() };
        Some(NewCredentials::new(credentials, password?))
    }

    fn oauth2(&mut self, rules: &AddressRules) -> Option<NewCredentials> {
        let token_url = self.text("token_url", URL_CHARS_MAX, true);
        let client_id = self.text("client_id", TEXT_CHARS_MAX, true);
        let secret = self.text("client_secret", SECRET_CHARS_MAX, true);
        let scope = self.text("scope", TEXT_CHARS_MAX, false);
        let audience = self.text("audience", TEXT_CHARS_MAX, false);
        let token_url = token_url?;
        match rules.check(&token_url) {
            Ok(Target::Http(_)) => {}
            Ok(Target::Queue(_) | Target::Bus(_)) => self.fault("token_url", "must be https"),
            Err(fault) => self.fault("token_url", &fault.to_string()),
        }
        let client_id = client_id?;
        let sealed = String::new();
        let credentials = Credentials::Oauth2 { token_url, client_id, scope, audience, sealed };
        Some(NewCredentials::new(credentials, secret?))
    }

    /// Text that a header can hold; a fault where it is missing and required.
    fn text(&mut self, name: &'static str, most: usize, required: bool) -> Option<String> {
        self.known.push(name);
        let found = self.given.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        if found.is_none_or(|value| *value == Json::Null) {
            if required {
                self.fault(name, "is required");
            }
            return None;
        }
        let fits = |text: &&str| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b))
        };
        let text = found.and_then(Json::as_str).filter(fits).map(str::to_owned);
        if text.is_none() {
            self.fault(name, &format!("must be 1 to {most} printable ASCII characters"));
        }
        text
    }

    fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(Fault::new(&format!("/{}", escape_pointer(name)), detail));
    }

    /// Returns every fault, those of members that nobody asked for first.
    fn finish(self) -> Vec<Fault> {
        let unknown =
            self.given.iter().filter(|(name, _)| !self.known.iter().any(|one| one == name));
        let mut faults: Vec<Fault> = unknown
            .map(|(name, _)| {
                let pointer = format!("/{}", escape_pointer(name));
                Fault::new(&pointer, "is not a member that this type takes")
            })
            .collect();
        faults.extend(self.faults);
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(auth: &str) -> Result<NewCredentials, Vec<String>> {
        let rules = AddressRules::default();
        NewCredentials::read(&Json::parse(auth).unwrap(), &rules).map_err(|faults| {
            faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect()
        })
    }

    #[test]
    fn each_type_is_taken_and_its_secret_is_apart() {
        let token = read(r#"{"type":"bearer","token":"canary"}"#).unwrap();
        assert_eq!(token.secret().expose(), b"canary");
        assert!(!format!("{token:?}").contains("canary"));
        assert_eq!(token.sealed_as("s".to_owned()), Credentials::Bearer { sealed: "s".to_owned() });
        let basic = read(r#"{"type":"basic","username":"a b","password":"p: q"}"#).unwrap();
        let (username, sealed) = ("a b".to_owned(), "s".to_owned());
        assert_eq!(basic.secret().expose(), b"p: q");
        assert_eq!(basic.sealed_as("s".to_owned()), Credentials::Basic { username, sealed });
        let oauth2 = r#"{"type":"oauth2","token_url":"https://id.example/token","client_id":"c",
            "client_secret":"canary","scope":null}"#;
        let oauth2 = read(oauth2).unwrap().sealed_as("s".to_owned());
        let Credentials::Oauth2 { token_url, scope, sealed, .. } = oauth2 else { panic!() };
        assert_eq!((&*token_url, scope, &*sealed), ("https://id.example/token", None, "s"));
    }

    #[test]
    fn every_fault_is_named_and_no_secret_with_it() {
        let refused = [
            ("5", &[" must be an object with a type: bearer, basic or oauth2"][..]),
            ("{}", &["/type must be bearer, basic or oauth2"]),
            (r#"{"type":"bearer"}"#, &["/token is required"]),
            (r#"{"type":"bearer","token":"a b"}"#, &["/token must not hold a space"]),
            (
                r#"{"type":"bearer","token":"canary\u0007","x/y":1}"#,
                &[
                    "/x~1y is not a member that this type takes",
                    "/token must be 1 to 4096 printable ASCII characters",
                ],
            ),
            (
                r#"{"type":"basic","username":"a:b"}"#,
                &["/password is required", "/username must not hold a colon"],
            ),
            (
                r#"{"type":"oauth2","token_url":"arn:aws:sqs:eu-west-1:123456789012:q","client_id":"",
                    "client_secret":"canary"}"#,
                &["/client_id must be 1 to 512 printable ASCII characters"],
            ),
        ];
        for (auth, expected) in refused {
            let faults = read(auth).unwrap_err();
            assert_eq!(faults[..expected.len()], *expected, "{auth}");
            assert!(!faults.concat().contains("canary"), "{faults:?}");
        }
        for url in
            ["http://id.example/", "https://10.0.0.1/", "arn:aws:sqs:eu-west-1:123456789012:q"]
        {
            let auth = format!(
                r#"{{"type":"oauth2","token_url":"{url}","client_id":"c","client_secret":"s"}}"#
            );
            let faults = read(&auth).unwrap_err();
            assert!(faults[0].starts_with("/token_url "), "{url}: {faults:?}");
        }
    }
}
