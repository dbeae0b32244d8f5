//! JSON Schemas: compiled once in an instance, offline, with patterns that take time proportional to the
//! text only.
//!
//! Why this dependency: `jsonschema` is the implementation that is kept, and passes the drafts' own
//! suite. It brings a random source for its hash maps, so it is not the domain's.

use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;
use waxseal_domain::bounded_map::BoundedMap;
use waxseal_domain::event::catalogue::Schema;
use waxseal_domain::json::Fault;
use waxseal_domain::limits::SCHEMA_FAULTS_MAX;
use waxseal_flows::ports::SchemaChecker;

/// Schemas that are kept compiled; when there are more, compiling begins anew.
const COMPILED_MAX: usize = 1_000;
/// Bytes that a schema's regular expression may take up, compiled.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// Keeps schemas compiled, since compiling costs far more than checking.
#[derive(Debug)]
pub struct JsonSchemas(Mutex<BoundedMap<Schema, Arc<Validator>>>);

impl Default for JsonSchemas {
    fn default() -> Self {
        Self(Mutex::new(BoundedMap::new(COMPILED_MAX)))
    }
}

impl SchemaChecker for JsonSchemas {
    fn compile(&self, schema: &Schema) -> Result<(), Fault> {
        self.compile_once(schema).map(|_| ())
    }

    fn faults(&self, schema: &Schema, value: &Value) -> Vec<Fault> {
        match self.compile_once(schema) {
            Ok(validator) => {
                validator.iter_errors(value).take(SCHEMA_FAULTS_MAX).map(|e| fault(&e)).collect()
            }
            // It was compiled before it was stored: a newer version of ours no longer takes it.
            Err(fault) => vec![fault],
        }
    }
}

impl JsonSchemas {
    fn compile_once(&self, schema: &Schema) -> Result<Arc<Validator>, Fault> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(schema).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let compiled = Arc::new(compile(schema)?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(schema.clone(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

fn compile(schema: &Schema) -> Result<Validator, Fault> {
    let schema: Value = serde_json::from_str(schema.text())
        .map_err(|_| Fault::new("", "is not JSON that can be read"))?;
    if !schema.is_object() && !schema.is_boolean() {
        return Err(Fault::new("", "must be an object, or true or false"));
    }
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX);
    let options = jsonschema::options().offline().with_pattern_options(patterns);
    options.build(&schema).map_err(|error| {
        let at = error.instance_path().to_string();
        Fault::new(&at, &format!("is not a JSON Schema that can be used: {error}"))
    })
}

/// Masked: an event's payload stays out of answers and logs.
fn fault(error: &ValidationError<'_>) -> Fault {
    Fault::new(&error.instance_path().to_string(), &error.masked().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use waxseal_domain::limits::SCHEMA_BYTES_MAX;
    use waxseal_flows::catalogue::read_schema;

    const SCHEMA: &str = r#"{"type": "object", "required": ["user"],
        "properties": {"user": {"type": "string", "pattern": "^[a-z]+$"}, "n": {"minimum": 1}}}"#;

    #[test]
    fn every_fault_is_named_at_its_place_and_shows_no_payload() {
        let checker = JsonSchemas::default();
        let schema = read_schema(&checker, SCHEMA).unwrap();
        assert_eq!(checker.faults(&schema, &json!({"user": "anna", "n": 2})), []);
        let faults = checker.faults(&schema, &json!({"user": "CANARY1", "n": 0}));
        let mut places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/n", "/user"]);
        assert!(faults.iter().all(|fault| !fault.detail.contains("CANARY1")), "{faults:?}");
        assert_eq!(checker.faults(&schema, &json!({})).len(), 1);
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let checker = JsonSchemas::default();
        let long = format!(r#"{{"description": "{}"}}"#, "a".repeat(SCHEMA_BYTES_MAX));
        for text in [
            "3",
            r#"{"type": "strin"}"#,
            r#"{"$ref": "https://example.com/other.json"}"#,
            r##"{"$ref": "#/$defs/missing"}"##,
            r#"{"pattern": "(a"}"#,
            r#"{"pattern": "(?=a)b"}"#,
            "{",
            &long,
        ] {
            assert!(read_schema(&checker, text).is_err(), "{text}");
        }
    }
}
