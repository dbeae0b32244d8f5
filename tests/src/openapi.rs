//! The OpenAPI document as a list of operations.

use std::fmt;

use serde_json::{Map, Value};

/// One operation of the OpenAPI document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The HTTP method in capitals, as `GET`.
    pub method: String,
    /// Its path, with parameters in braces.
    pub path: String,
    /// What the document says of it.
    pub described: Value,
}

/// All of a document's.
pub fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("it has paths");
    let of = |path: &str, methods: &Map<String, Value>| {
        let methods = methods.iter().filter(|(name, _)| *name != "parameters");
        let operation = |(name, described): (&String, &Value)| Operation {
            method: name.to_ascii_uppercase(),
            path: path.to_owned(),
            described: described.clone(),
        };
        methods.map(operation).collect::<Vec<_>>()
    };
    paths.iter().flat_map(|(path, methods)| of(path, methods.as_object().unwrap())).collect()
}

impl Operation {
    /// Names of the path's parameters.
    pub fn parameters(&self) -> Vec<&str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// Whether it is of one tenant.
    pub fn is_in_a_tenant(&self) -> bool {
        self.parameters().contains(&"tenant")
    }

    /// Whether it needs no key.
    pub fn is_public(&self) -> bool {
        self.described["security"].as_array().is_some_and(Vec::is_empty)
    }

    /// What a key must be for: a scope, or `operator`; nothing where any key does.
    pub fn roles(&self) -> Vec<&str> {
        let roles = self.described["security"][0]["apiKey"].as_array();
        roles.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Finds the example of the request's body.
    pub fn example(&self) -> Option<&Value> {
        let content = self.described["requestBody"]["content"].as_object()?;
        content.values().next()?.get("example")
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
