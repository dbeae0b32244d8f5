//! A source: who sends hooks to our receiver, and how they are verified.

use serde::{Deserialize, Serialize};

use crate::id::{SourceName, TenantName};
use crate::json::Fault;
use crate::limits::SOURCES_PER_TENANT_MAX;
use crate::profile::Profile;
use crate::secret::SealedSecret;

/// A sender of hooks. Its name is unique in the deployment, since hooks carry no tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// The source's name, which is the last segment of its hooks' path.
    pub name: SourceName,
    /// The tenant whose events the hooks become.
    pub tenant: TenantName,
    /// The wire contract's name.
    pub profile: String,
    /// The secrets that may have signed.
    pub secrets: Vec<SealedSecret>,
    /// How far a hook's timestamp may be off, in seconds.
    pub tolerance_s: u64,
}

/// Says whether a tenant has room for a source: one that is there already is replaced.
pub fn check_room(sources: &[Source], name: &SourceName) -> Result<(), Fault> {
    let is_new = sources.iter().all(|found| found.name != *name);
    if is_new && sources.len() >= SOURCES_PER_TENANT_MAX {
        let detail = format!("the tenant has {SOURCES_PER_TENANT_MAX} sources, its limit");
        return Err(Fault::new("", &detail));
    }
    Ok(())
}

/// Names every secret that a profile cannot verify with.
pub fn check_secrets(secrets: &[String], profile: &Profile) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, text) in secrets.iter().enumerate() {
        if profile.dialect.key(text).is_err() {
            faults.push(Fault::new(&format!("/secrets/{index}"), &profile.secret_shape()));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_replaced_where_there_is_no_room_for_another() {
        let source = |name: String| Source {
            name: name.parse().unwrap(),
            tenant: "acme".parse().unwrap(),
            profile: "standard".to_owned(),
            secrets: Vec::new(),
            tolerance_s: 300,
        };
        let sources: Vec<Source> =
            (0..SOURCES_PER_TENANT_MAX).map(|index| source(format!("s{index}"))).collect();
        assert_eq!(check_room(&sources, &"s0".parse().unwrap()), Ok(()));
        assert!(check_room(&sources, &"another".parse().unwrap()).is_err());
        assert_eq!(check_room(&sources[1..], &"another".parse().unwrap()), Ok(()));
    }

    #[test]
    fn each_secret_that_is_none_is_named() {
        let profile = Profile::standard();
        let good = profile.dialect.generate_secret([1; 32]).to_string();
        let faults = check_secrets(&[good, "no secret".to_owned()], &profile);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/secrets/1");
    }
}
