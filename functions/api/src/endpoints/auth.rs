//! How an endpoint's receiver is authenticated to: read from a body, sealed.

use serde_json::{Value, json};
use waxseal_domain::endpoint::address::{AddressRules, URL_CHARS_MAX};
use waxseal_domain::endpoint::credentials::Credentials;
use waxseal_domain::endpoint::target::Target;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::json::Json;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_flows::ports::{Engine, EngineError, KeyVault as _};

use crate::body::{Body, PatchValue};

/// Characters of a token or a password.
const SECRET_CHARS_MAX: usize = 4_096;
/// Characters of any other member.
const TEXT_CHARS_MAX: usize = 512;

/// What a body says: its secret part is not sealed yet.
#[derive(Clone, Debug)]
pub(super) struct AuthRequest {
    /// With an empty `sealed`.
    credentials: Credentials,
    secret: Secret,
}

fn schema() -> Value {
    json!({"oneOf": [{"type": "null"}, bearer_schema(), basic_schema(), oauth2_schema()]})
}

fn bearer_schema() -> Value {
    json!({
        "title": "BearerAuth", "type": "object", "additionalProperties": false,
        "description": "Sends a fixed bearer token with every request.",
        "required": ["type", "token"],
        "properties": {
            "type": {"type": "string", "const": "bearer", "description": "Is always `bearer`."},
            "token": {"type": "string", "minLength": 1, "maxLength": SECRET_CHARS_MAX,
                "pattern": "^[!-~]+$", "description": "Holds the token."},
        },
    })
}

fn basic_schema() -> Value {
    json!({
        "title": "BasicAuth", "type": "object", "additionalProperties": false,
        "description": "Sends a user name and a password with every request (HTTP Basic authentication).",
        "required": ["type", "username", "password"],
        "properties": {
            "type": {"type": "string", "const": "basic", "description": "Is always `basic`."},
            "username": {"type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX,
                "pattern": "^[ -9;-~]+$", "description": "Names the user. It must not contain a colon."},
            "password": text_schema(SECRET_CHARS_MAX, "Holds the password."),
        },
    })
}

fn oauth2_schema() -> Value {
    json!({
        "title": "OAuth2Auth", "type": "object", "additionalProperties": false,
        "description": "Gets an access token from an OAuth 2.0 server for client credentials, and sends it \
            with every request until it expires.",
        "required": ["type", "token_url", "client_id", "client_secret"],
        "properties": {
            "type": {"type": "string", "const": "oauth2", "description": "Is always `oauth2`."},
            "token_url": {"type": "string", "pattern": "^https://[!-~]+$", "maxLength": URL_CHARS_MAX,
                "description": "Tells where the access token is requested."},
            "client_id": text_schema(TEXT_CHARS_MAX, "Identifies the client to the OAuth 2.0 server."),
            "client_secret": text_schema(SECRET_CHARS_MAX, "Holds the secret of the client."),
            "scope": text_schema(TEXT_CHARS_MAX, "Tells which scope is requested."),
            "audience":
                text_schema(TEXT_CHARS_MAX, "Tells for which audience the access token is requested."),
        },
    })
}

fn text_schema(chars_max: usize, about: &str) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": "^[ -~]+$",
        "description": about})
}

/// Members of `auth`, each asked for once.
struct Members<'b, 'a> {
    given: &'b [(std::borrow::Cow<'a, str>, Json<'a>)],
    known: Vec<&'static str>,
    faults: Vec<(String, String)>,
}

impl Members<'_, '_> {
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
        let text = found
            .and_then(Json::as_str)
            .filter(|text| {
                (1..=most).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b))
            })
            .map(str::to_owned);
        if text.is_none() {
            self.fault(name, &format!("must be 1 to {most} printable ASCII characters"));
        }
        text
    }

    fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push((format!("auth/{name}"), detail.to_owned()));
    }
}

/// Reads `auth`; every fault of it is named. None goes to a queue or a bus.
pub(super) fn read(body: &mut Body<'_>, rules: &AddressRules) -> PatchValue<AuthRequest> {
    let Some(value) = body.member("auth", schema) else { return PatchValue::Absent };
    if value == Json::Null {
        return PatchValue::Null;
    }
    let Some(given) = value.as_object() else {
        body.fault("auth", "must be an object with a type: bearer, basic or oauth2");
        return PatchValue::Absent;
    };
    let mut members = Members { given, known: vec!["type"], faults: Vec::new() };
    let wanted = read_credentials(&mut members, value.get("type").and_then(Json::as_str), rules);
    let Members { given, known, faults } = members;
    for (name, _) in given.iter().filter(|(name, _)| !known.iter().any(|one| one == name)) {
        body.fault(&format!("auth/{name}"), "is not a member that this type takes");
    }
    let is_whole = faults.is_empty();
    for (place, detail) in faults {
        body.fault(&place, &detail);
    }
    wanted.filter(|_| is_whole).map_or(PatchValue::Absent, PatchValue::Value)
}

fn read_credentials(
    members: &mut Members<'_, '_>,
    kind: Option<&str>,
    rules: &AddressRules,
) -> Option<AuthRequest> {
    let sealed = String::new();
    let (credentials, secret) = match kind {
        Some("bearer") => {
            let token = members.text("token", SECRET_CHARS_MAX, true);
            if token.as_ref().is_some_and(|token| token.contains(' ')) {
                members.fault("token", "must not hold a space");
            }
            (Credentials::Bearer { sealed }, token?)
        }
        Some("basic") => {
            let username = members.text("username", TEXT_CHARS_MAX, true);
            let password = members.text("password", SECRET_CHARS_MAX, true);
            if username.as_ref().is_some_and(|username| username.contains(':')) {
                members.fault("username", "must not hold a colon");
            }
            (Credentials::Basic { username: username?, sealed }, password?)
        }
        Some("oauth2") => {
            let token_url = members.text("token_url", URL_CHARS_MAX, true);
            let client_id = members.text("client_id", TEXT_CHARS_MAX, true);
            let secret = members.text("client_secret", SECRET_CHARS_MAX, true);
            let scope = members.text("scope", TEXT_CHARS_MAX, false);
            let audience = members.text("audience", TEXT_CHARS_MAX, false);
            let token_url = token_url?;
            match rules.check(&token_url) {
                Ok(Target::Http(_)) => {}
                Ok(Target::Queue(_) | Target::Bus(_)) => {
                    members.fault("token_url", "must be https");
                }
                Err(fault) => members.fault("token_url", &fault.to_string()),
            }
            let client_id = client_id?;
            (Credentials::Oauth2 { token_url, client_id, scope, audience, sealed }, secret?)
        }
        _ => {
            members.fault("type", "must be bearer, basic or oauth2");
            return None;
        }
    };
    Some(AuthRequest { credentials, secret: Secret::new(secret.into_bytes()) })
}

/// Seals what is secret of it, for this endpoint alone.
pub(super) async fn seal<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoint: &EndpointId,
    wanted: PatchValue<AuthRequest>,
) -> Result<PatchValue<Credentials>, EngineError> {
    let AuthRequest { mut credentials, secret } = match wanted {
        PatchValue::Value(wanted) => wanted,
        PatchValue::Null => return Ok(PatchValue::Null),
        PatchValue::Absent => return Ok(PatchValue::Absent),
    };
    let context = SecretContext::credentials(tenant, endpoint);
    let text = engine.key_vault().seal(&context, &secret).await?;
    match &mut credentials {
        Credentials::Bearer { sealed }
        | Credentials::Basic { sealed, .. }
        | Credentials::Oauth2 { sealed, .. } => *sealed = text,
    }
    Ok(PatchValue::Value(credentials))
}
