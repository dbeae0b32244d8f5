//! Settings of a function, from its environment: the one place where names of variables stand.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::endpoint::target::CloudTargets;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_flows::ports::EngineError;

/// Settings of a function. Each function has those that it needs: one that is missing is an error
/// when it is asked for.
#[derive(Clone, Default)]
pub struct Environment {
    /// `WAXSEAL_CONFIG_TABLE`: tenants, endpoints, keys and sources.
    pub config_table: String,
    /// `WAXSEAL_STATE_TABLE`: events and deliveries.
    pub state_table: String,
    /// `WAXSEAL_QUEUE_URL`: the queue of deliveries' messages.
    pub queue_url: String,
    /// `WAXSEAL_CRITICAL_QUEUE_URL`: the queue of critical events' messages.
    pub critical_queue_url: String,
    /// `WAXSEAL_REJECTED_QUEUE_URL`: the queue of what cannot be read, for a person.
    pub rejected_queue_url: String,
    /// `WAXSEAL_DEAD_LETTERS_URL`: messages of invocations that crashed.
    pub dead_letters_url: String,
    /// `WAXSEAL_ALARMS_PREFIX`: what the names of the deployment's alarms begin with.
    pub alarms_prefix: String,
    /// `WAXSEAL_KEY_ID`: the KMS key that seals secrets.
    pub key_id: String,
    /// `WAXSEAL_OPERATOR_SECRET`: the Secrets Manager secret that is the operator's API key.
    pub operator_secret: String,
    /// `WAXSEAL_DEFAULT_TENANT`: whose an event is that says no tenant.
    pub default_tenant: Option<String>,
    /// When circuit breakers open: `WAXSEAL_BREAKER_PERCENT` and `WAXSEAL_PROBE_S`.
    pub breaker: BreakerSettings,
    /// What may be called: `WAXSEAL_ALLOW_LOOPBACK`, `AWS_LAMBDA_RUNTIME_API`, and, ARNs between commas,
    /// `WAXSEAL_TARGET_ARNS` but for `WAXSEAL_OWN_ARNS`.
    pub address_rules: AddressRules,
    /// `WAXSEAL_PUBLIC_URL`: where the API is reached from outside.
    pub public_url: Option<String>,
    /// `AWS_REGION`: the region of the tables, queues and keys.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: on Lambda they outlast the
    /// process.
    pub credentials: [String; 3],
    /// `AWS_LAMBDA_LOG_LEVEL`, and where Lambda has no say `RUST_LOG`: `INFO` where neither is set.
    pub log_level: String,
    /// `AWS_LAMBDA_LOG_FORMAT`: `JSON`, or for people.
    pub log_format: String,
    /// `AWS_ENDPOINT_URL`: another endpoint than AWS's own, as an emulator's.
    pub endpoint_url: Option<String>,
}

impl Environment {
    /// Reads all of them. One that is set to what it cannot be is an error, and never as if it were not set.
    pub fn read() -> Result<Self, EngineError> {
        let text = |name| variable(name).unwrap_or_default();
        let usual = BreakerSettings::default();
        let percent = variable("WAXSEAL_BREAKER_PERCENT");
        let probe_s = variable("WAXSEAL_PROBE_S");
        Ok(Self {
            config_table: text("WAXSEAL_CONFIG_TABLE"),
            state_table: text("WAXSEAL_STATE_TABLE"),
            queue_url: text("WAXSEAL_QUEUE_URL"),
            critical_queue_url: text("WAXSEAL_CRITICAL_QUEUE_URL"),
            rejected_queue_url: text("WAXSEAL_REJECTED_QUEUE_URL"),
            dead_letters_url: text("WAXSEAL_DEAD_LETTERS_URL"),
            alarms_prefix: text("WAXSEAL_ALARMS_PREFIX"),
            key_id: text("WAXSEAL_KEY_ID"),
            operator_secret: text("WAXSEAL_OPERATOR_SECRET"),
            default_tenant: variable("WAXSEAL_DEFAULT_TENANT"),
            breaker: BreakerSettings {
                failures_percent: number("WAXSEAL_BREAKER_PERCENT", percent.as_deref(), 1..=100)?
                    .unwrap_or(usual.failures_percent),
                probe_s: number("WAXSEAL_PROBE_S", probe_s.as_deref(), 1..=3_600)?
                    .map_or(usual.probe_s, u64::from),
                ..usual
            },
            address_rules: AddressRules {
                allow_loopback: flag("WAXSEAL_ALLOW_LOOPBACK", &text("WAXSEAL_ALLOW_LOOPBACK"))?,
                // Not ours to set: AWS writes an address, tools that imitate it a name or a URL. Those lie on
                // loopback, which is a rule of its own.
                runtime_api: variable("AWS_LAMBDA_RUNTIME_API")
                    .and_then(|api| api.parse::<SocketAddr>().ok()),
                cloud_targets: Some(CloudTargets {
                    allowed: list(&text("WAXSEAL_TARGET_ARNS")),
                    own: list(&text("WAXSEAL_OWN_ARNS")),
                }),
            },
            public_url: variable("WAXSEAL_PUBLIC_URL")
                .map(|url| url.trim_end_matches('/').to_owned()),
            region: text("AWS_REGION"),
            credentials: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
                .map(text),
            log_level: variable("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|| text("RUST_LOG")),
            log_format: text("AWS_LAMBDA_LOG_FORMAT"),
            endpoint_url: variable("AWS_ENDPOINT_URL"),
        })
    }

    /// A setting that is needed now.
    pub fn require<'a>(name: &'static str, value: &'a str) -> Result<&'a str, EngineError> {
        if value.is_empty() {
            return Err(EngineError::denied("read settings", format!("{name} is not set")));
        }
        Ok(value)
    }
}

/// What stands between commas; an empty list of CloudFormation's leaves commas alone.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// Reads a number that must lie within its bounds; none where it is not set.
fn number(
    name: &'static str,
    text: Option<&str>,
    bounds: RangeInclusive<u32>,
) -> Result<Option<u32>, EngineError> {
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.map(Some).ok_or_else(|| {
        let detail = format!("{name} must be a number from {} to {}", bounds.start(), bounds.end());
        EngineError::denied("read settings", detail)
    })
}

/// Reads a switch, which is off where it is not set.
fn flag(name: &'static str, text: &str) -> Result<bool, EngineError> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err(EngineError::denied("read settings", format!("{name} must be 1 or 0"))),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_cannot_be_is_an_error_that_names_it() {
        let percent = |text| number("WAXSEAL_BREAKER_PERCENT", text, 1..=100);
        assert_eq!(percent(None).unwrap(), None);
        assert_eq!(percent(Some("100")).unwrap(), Some(100));
        for bad in ["0", "101", "-1", "half", "50%"] {
            let error = percent(Some(bad)).unwrap_err().to_string();
            let fault = "WAXSEAL_BREAKER_PERCENT must be a number from 1 to 100";
            assert!(error.contains(fault), "{bad}: {error}");
        }
        let loopback = |text| flag("WAXSEAL_ALLOW_LOOPBACK", text);
        assert!(loopback("1").unwrap() && !loopback("0").unwrap() && !loopback("").unwrap());
        assert!(loopback("yes").unwrap_err().to_string().contains("WAXSEAL_ALLOW_LOOPBACK"));
    }

    #[test]
    fn a_list_leaves_out_what_is_empty() {
        assert!(list(",").is_empty());
        assert_eq!(list(",a, b,"), ["a", "b"]);
    }
}
