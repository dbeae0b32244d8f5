//! What the mains of all functions share: settings read, engine wired.

use std::sync::Arc;

use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::EngineError;

use crate::aws::AwsEngine;
use crate::environment::Environment;

/// A function's engine and settings, made once in its initialisation.
#[derive(Clone, Debug)]
pub struct Function {
    /// The engine.
    pub engine: Arc<AwsEngine>,
    /// Whose an event is that says no tenant.
    pub default_tenant: Option<String>,
}

impl Function {
    /// From the environment; logs from now on.
    pub fn start() -> Result<Self, EngineError> {
        let environment = Environment::read();
        crate::logs::start(&environment);
        // Whatever randomness costs once, it costs in the initialisation.
        crate::entropy::entropy();
        let engine = Arc::new(AwsEngine::new(&environment)?);
        Ok(Self { engine, default_tenant: environment.default_tenant })
    }
}

/// An invocation's deadline, less what its answer needs.
pub fn deadline(deadline_ms: u64, reserve_ms: u64) -> Timestamp {
    Timestamp::from_ms(deadline_ms.saturating_sub(reserve_ms))
}
