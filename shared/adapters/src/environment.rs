//! Settings of a function, from its environment: the one place where names of variables stand.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use waxseal_domain::endpoint::address::{AddressRules, OwnAddresses};
use waxseal_domain::endpoint::target::CloudTargets;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::flow_control::tenant_bounds::TenantBounds;
use waxseal_domain::limits::{TENANT_DELIVERIES_PER_MINUTE_RANGE, TENANT_MAX_PER_SECOND_RANGE};
use waxseal_domain::public_url::PublicUrl;
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
    /// What each tenant may do at the most: `WAXSEAL_TENANT_MAX_PER_SECOND` and
    /// `WAXSEAL_TENANT_DELIVERIES_PER_MINUTE`.
    pub tenant_bounds: TenantBounds,
    /// What may be called: `WAXSEAL_ALLOW_LOOPBACK`, `AWS_LAMBDA_RUNTIME_API`, and, ARNs between commas,
    /// `WAXSEAL_TARGET_ARNS` but for `WAXSEAL_OWN_ARNS`.
    pub address_rules: AddressRules,
    /// `WAXSEAL_PUBLIC_URL`: where the API is reached from outside.
    pub public_url: Option<PublicUrl>,
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
        let text = |name| variable(name).map(Option::unwrap_or_default);
        let usual = BreakerSettings::default();
        let url = variable("WAXSEAL_PUBLIC_URL")?.map(|url| public_url(&url)).transpose()?;
        let percent = variable("WAXSEAL_BREAKER_PERCENT")?;
        let probe_s = variable("WAXSEAL_PROBE_S")?;
        Ok(Self {
            config_table: text("WAXSEAL_CONFIG_TABLE")?,
            state_table: text("WAXSEAL_STATE_TABLE")?,
            queue_url: text("WAXSEAL_QUEUE_URL")?,
            critical_queue_url: text("WAXSEAL_CRITICAL_QUEUE_URL")?,
            rejected_queue_url: text("WAXSEAL_REJECTED_QUEUE_URL")?,
            dead_letters_url: text("WAXSEAL_DEAD_LETTERS_URL")?,
            alarms_prefix: text("WAXSEAL_ALARMS_PREFIX")?,
            key_id: text("WAXSEAL_KEY_ID")?,
            operator_secret: text("WAXSEAL_OPERATOR_SECRET")?,
            default_tenant: variable("WAXSEAL_DEFAULT_TENANT")?,
            breaker: BreakerSettings {
                failures_percent: number("WAXSEAL_BREAKER_PERCENT", percent.as_deref(), 1..=100)?
                    .unwrap_or(usual.failures_percent),
                probe_s: number("WAXSEAL_PROBE_S", probe_s.as_deref(), 1..=3_600)?
                    .map_or(usual.probe_s, u64::from),
                ..usual
            },
            tenant_bounds: tenant_bounds()?,
            address_rules: AddressRules {
                own: OwnAddresses { public_url: url.clone(), ..OwnAddresses::default() },
                allow_loopback: flag("WAXSEAL_ALLOW_LOOPBACK", &text("WAXSEAL_ALLOW_LOOPBACK")?)?,
                runtime_api: variable("AWS_LAMBDA_RUNTIME_API")?
                    .map(|api| runtime_api(&api))
                    .transpose()?,
                cloud_targets: Some(CloudTargets {
                    allowed: list(&text("WAXSEAL_TARGET_ARNS")?),
                    own: list(&text("WAXSEAL_OWN_ARNS")?),
                }),
            },
            public_url: url,
            region: text("AWS_REGION")?,
            credentials: [
                text("AWS_ACCESS_KEY_ID")?,
                text("AWS_SECRET_ACCESS_KEY")?,
                text("AWS_SESSION_TOKEN")?,
            ],
            log_level: match variable("AWS_LAMBDA_LOG_LEVEL")? {
                Some(level) => level,
                None => text("RUST_LOG")?,
            },
            log_format: text("AWS_LAMBDA_LOG_FORMAT")?,
            endpoint_url: variable("AWS_ENDPOINT_URL")?,
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

/// Reads what each tenant may do at the most.
fn tenant_bounds() -> Result<TenantBounds, EngineError> {
    let read = |name, bounds, usual| -> Result<u32, EngineError> {
        let text = variable(name)?;
        Ok(number(name, text.as_deref(), bounds)?.unwrap_or(usual))
    };
    let usual = TenantBounds::default();
    Ok(TenantBounds {
        requests_per_second: read(
            "WAXSEAL_TENANT_MAX_PER_SECOND",
            TENANT_MAX_PER_SECOND_RANGE,
            usual.requests_per_second,
        )?,
        deliveries_per_minute: read(
            "WAXSEAL_TENANT_DELIVERIES_PER_MINUTE",
            TENANT_DELIVERIES_PER_MINUTE_RANGE,
            usual.deliveries_per_minute,
        )?,
    })
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

/// Reads where Lambda's own API is, which no delivery may reach. AWS writes an address, and tools that imitate it
/// a URL or `localhost`.
fn runtime_api(text: &str) -> Result<SocketAddr, EngineError> {
    let without_scheme = text.strip_prefix("http://").unwrap_or(text);
    let place = without_scheme.split_once('/').map_or(without_scheme, |(place, _)| place);
    let address = match place.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse(),
        None => place.parse(),
    };
    let fault = "AWS_LAMBDA_RUNTIME_API must be an address and a port";
    address.map_err(|_| EngineError::denied("read settings", fault))
}

fn public_url(text: &str) -> Result<PublicUrl, EngineError> {
    text.parse().map_err(|fault| {
        EngineError::denied("read settings", format!("WAXSEAL_PUBLIC_URL {fault}"))
    })
}

/// Reads a variable; none where it is not set, or empty.
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn variable(name: &'static str) -> Result<Option<String>, EngineError> {
    std::env::var_os(name).map_or(Ok(None), |value| text_of(name, value))
}

fn text_of(name: &'static str, value: OsString) -> Result<Option<String>, EngineError> {
    let read = value.into_string();
    let text = read.map_err(|_| EngineError::denied("read settings", format!("{name} is no text")));
    text.map(|text| Some(text).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

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
        let url = public_url("hooks.example").unwrap_err().to_string();
        assert!(url.contains("WAXSEAL_PUBLIC_URL must be a URL"), "{url}");
    }

    #[test]
    fn what_is_no_text_is_not_as_if_it_were_not_set() {
        assert_eq!(text_of("X", "".into()).unwrap(), None);
        assert_eq!(text_of("X", "é".into()).unwrap().as_deref(), Some("é"));
        let error = text_of("X", OsString::from_vec(vec![b'a', 0xff])).unwrap_err().to_string();
        assert!(error.contains("X is no text"), "{error}");
    }

    #[test]
    fn lambdas_own_api_is_found_however_it_is_written() {
        for written in ["127.0.0.1:9001", "http://127.0.0.1:9001/2018-06-01", "localhost:9001"] {
            assert_eq!(runtime_api(written).unwrap().to_string(), "127.0.0.1:9001", "{written}");
        }
        assert_eq!(runtime_api("[::1]:9001").unwrap().to_string(), "[::1]:9001");
        for bad in ["9001", "runtime", "runtime:9001", "127.0.0.1", "https://127.0.0.1:9001"] {
            let error = runtime_api(bad).unwrap_err().to_string();
            assert!(error.contains("AWS_LAMBDA_RUNTIME_API must be"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_list_leaves_out_what_is_empty() {
        assert!(list(",").is_empty());
        assert_eq!(list(",a, b,"), ["a", "b"]);
    }
}
