//! How an endpoint's receiver is authenticated to: read from a body.

use serde_json::{Value, json};
use waxseal_domain::endpoint::address::{AddressRules, URL_CHARS_MAX};
use waxseal_domain::endpoint::credentials::{NewCredentials, SECRET_CHARS_MAX, TEXT_CHARS_MAX};
use waxseal_domain::json::{Fault, Json};

use crate::body::{Body, PatchValue};

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

/// Reads `auth`; every fault of it is named. None goes to a queue or a bus.
pub(super) fn read(body: &mut Body<'_>, rules: &AddressRules) -> PatchValue<NewCredentials> {
    let Some(value) = body.member("auth", schema) else { return PatchValue::Absent };
    if value == Json::Null {
        return PatchValue::Null;
    }
    match NewCredentials::read(&value, rules) {
        Ok(credentials) => PatchValue::Value(credentials),
        Err(faults) => {
            for Fault { pointer, detail, .. } in faults {
                body.fault_once(Fault::new(&format!("/auth{pointer}"), &detail));
            }
            PatchValue::Absent
        }
    }
}
