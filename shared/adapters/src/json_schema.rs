//! JSON Schemas: compiled once for each owner, offline, with patterns that take time proportional to the text only.
//! What a check costs is counted before it begins, and where requests are served beside it, it is done on
//! blocking threads, one of a tenant at a time.
//!
//! Why this dependency: `jsonschema` is the implementation that is kept, and passes the drafts' own
//! suite. It brings a random source for its hash maps, so it is not the domain's.

mod kept;

use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;
use waxseal_domain::event::catalogue::Schema;
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{SCHEMA_FAULTS_MAX, SCHEMA_PATTERN_BYTES_MAX, WORK_PLACES};
use waxseal_domain::schema_plan::SchemaPlan;
use waxseal_flows::ports::{Busy, SchemaChecker, SchemaOwner, WorkOwner};

use self::kept::{Kept, Key};
use crate::turns::Turns;

/// Bytes of the table that a regular expression makes while it matches: small, since each thread that matches makes
/// one in each direction. An expression that needs more is matched without it, more slowly.
const PATTERN_TABLE_BYTES_MAX: usize = 16 * 1024;
/// Tables of one regular expression at a time: in two directions, on each thread that checks.
const PATTERN_TABLES: usize = 2 * WORK_PLACES;
/// Bytes that a compiled schema takes up for each byte of its text, as measured, with something to spare.
const COMPILED_BYTES_PER_BYTE: usize = 16;
/// Bytes that each schema takes up that a validator makes of it, as measured, with something to spare.
const COMPILED_BYTES_PER_NODE: usize = 256;

/// Keeps schemas compiled, since compiling costs far more than checking.
#[derive(Debug)]
pub struct JsonSchemas {
    kept: Arc<Mutex<Kept>>,
    /// Who checks next, where checks run on threads of their own.
    turns: Option<Arc<Turns>>,
}

/// A schema that is ready for values.
#[derive(Debug)]
struct Compiled {
    plan: SchemaPlan,
    validator: Validator,
    /// About how many bytes it takes up.
    bytes: usize,
}

impl SchemaChecker for JsonSchemas {
    async fn compile(
        &self,
        owner: &SchemaOwner,
        schema: &Schema,
    ) -> Result<Result<(), Fault>, Busy> {
        let bytes = schema.text().len();
        self.run(owner, schema, bytes, |compiled| compiled.map(|_| ())).await
    }

    async fn faults(
        &self,
        owner: &SchemaOwner,
        schema: &Schema,
        value: &str,
    ) -> Result<Vec<Fault>, Busy> {
        let (bytes, value) = (value.len(), value.to_owned());
        let check = move |compiled: Result<Arc<Compiled>, Fault>| match compiled {
            Ok(compiled) => compiled.faults_of_text(&value),
            // It was compiled before it was stored: a newer version of ours no longer takes it.
            Err(fault) => vec![fault],
        };
        self.run(owner, schema, bytes, check).await
    }
}

impl JsonSchemas {
    /// For a process that does one thing at a time: checks run where they are asked for.
    pub fn in_place() -> Self {
        Self { kept: Arc::default(), turns: None }
    }

    /// For a process that serves others meanwhile: tenants' checks run by turns.
    #[cfg(feature = "embedded")]
    pub(crate) fn beside_requests(turns: Arc<Turns>) -> Self {
        Self { kept: Arc::default(), turns: Some(turns) }
    }

    /// Does something with a compiled schema, where it may take its time.
    async fn run<T: Send + 'static>(
        &self,
        owner: &SchemaOwner,
        schema: &Schema,
        bytes: usize,
        work: impl FnOnce(Result<Arc<Compiled>, Fault>) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let key = Key::of(owner, schema);
        match (&self.turns, owner) {
            (Some(turns), SchemaOwner::EventType(tenant, _)) => {
                let (kept, schema) = (Arc::clone(&self.kept), schema.clone());
                let turn = turns.take(&WorkOwner::Tenant(tenant.clone()), bytes).await?;
                Ok(turn.run(move || work(compile_once(&kept, key, &schema))).await)
            }
            _ => Ok(work(compile_once(&self.kept, key, schema))),
        }
    }
}

fn compile_once(kept: &Mutex<Kept>, key: Key, schema: &Schema) -> Result<Arc<Compiled>, Fault> {
    let known = kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key, schema);
    if let Some(known) = known {
        return Ok(known);
    }
    let compiled = Arc::new(Compiled::of(schema)?);
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.keep(key, schema.clone(), Arc::clone(&compiled));
    Ok(compiled)
}

impl Compiled {
    /// Compiles a schema, after its plan has said that this ends.
    fn of(schema: &Schema) -> Result<Self, Fault> {
        let text = schema.text();
        let schema: Value = serde_json::from_str(text)
            .map_err(|_| Fault::new("", "is not JSON that can be read"))?;
        if !schema.is_object() && !schema.is_boolean() {
            return Err(Fault::new("", "must be an object, or true or false"));
        }
        let plan = SchemaPlan::of(&schema)?;
        let pattern_bytes = usize::try_from(SCHEMA_PATTERN_BYTES_MAX).unwrap_or(usize::MAX);
        let patterns = PatternOptions::regex()
            .size_limit(pattern_bytes / plan.patterns().max(1))
            .dfa_size_limit(PATTERN_TABLE_BYTES_MAX);
        let options = jsonschema::options().offline().with_pattern_options(patterns);
        let validator = options.build(&schema).map_err(|error| {
            let at = error.instance_path().to_string();
            Fault::new(&at, &format!("is not a JSON Schema that can be used: {error}"))
        })?;
        let tables = plan.patterns() * PATTERN_TABLES * PATTERN_TABLE_BYTES_MAX;
        let automata = usize::try_from(plan.pattern_bytes()).unwrap_or(usize::MAX);
        let nodes = plan.compiled_nodes() * COMPILED_BYTES_PER_NODE + plan.bytes();
        let bytes = text.len() * COMPILED_BYTES_PER_BYTE + nodes + automata + tables;
        Ok(Self { plan, validator, bytes })
    }

    fn faults_of_text(&self, text: &str) -> Vec<Fault> {
        match serde_json::from_str(text) {
            Ok(value) => self.faults(&value),
            // Of JSON, what is nested too deeply, or a number that no double holds.
            Err(error) => {
                vec![Fault::new("", &format!("cannot be checked against its schema: {error}"))]
            }
        }
    }

    /// Lists what does not fit, where counting says that this ends soon.
    fn faults(&self, value: &Value) -> Vec<Fault> {
        if let Err(fault) = self.plan.afford(value) {
            return vec![fault];
        }
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        if !self.plan.can_explain(value) {
            return vec![Fault::new(
                "",
                "does not fit the schema of its type; it is too large to say where",
            )];
        }
        self.validator.iter_errors(value).take(SCHEMA_FAULTS_MAX).map(|e| fault(&e)).collect()
    }
}

/// Masked: an event's payload stays out of answers and logs.
fn fault(error: &ValidationError<'_>) -> Fault {
    Fault::new(&error.instance_path().to_string(), &error.masked().to_string())
}

#[cfg(test)]
mod tests;
