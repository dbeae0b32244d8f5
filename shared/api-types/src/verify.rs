//! Verification: whether a hook is signed as its profile says, and if not, why.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks whether a hook verifies.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Names the profile by which the hook is signed. The default is `standard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Holds a secret that the hook may be signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Lists more such secrets. Together with `secret` there are one to five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<String>>,
    /// Holds the headers of the hook.
    pub headers: BTreeMap<String, String>,
    /// Holds the body of the hook as text. Give either this or `body_base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Holds the body of the hook in base 64. Give either this or `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Limits how far the timestamp of the hook may be off, in seconds. The default is 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_s: Option<u64>,
    /// Tells when the hook arrived, in seconds since 1970. The default is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now_s: Option<u64>,
}

/// Tells whether a hook verifies, and if it does not, what is wrong with it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Tells whether the signature verifies and the timestamp is within the tolerance.
    pub valid: bool,
    /// Identifies the hook, where it verifies and its profile signs an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Tells when the hook was signed, in seconds since 1970, where it verifies and its profile signs a
    /// timestamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    /// Lists the mistakes that explain why the hook does not verify. It is empty for a hook that does.
    pub mistakes: Vec<Mistake>,
}

/// Explains one thing that is wrong with a hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mistake {
    /// Identifies the kind of mistake, such as `wrong_secret`. Programs can decide by it.
    pub code: String,
    /// Explains the mistake for people.
    pub detail: String,
}

impl Question {
    /// Shows one: the hook of GitHub's own documentation.
    pub fn example() -> Self {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let headers = BTreeMap::from([("x-hub-signature-256".to_owned(), signature.to_owned())]);
        Self {
            profile: Some("github".to_owned()),
            secret: Some("It's a Secret to Everybody".to_owned()),
            headers,
            body: Some("Hello, World!".to_owned()),
            ..Self::default()
        }
    }
}

impl Verdict {
    /// Shows one of a hook that does not verify.
    pub fn example() -> Self {
        let mistake = Mistake {
            code: "wrong_secret".to_owned(),
            detail: "no secret given makes this signature".to_owned(),
        };
        Self { valid: false, id: None, timestamp: None, mistakes: vec![mistake] }
    }
}
