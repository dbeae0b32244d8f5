//! A source: who sends hooks to our receiver, and how they are verified.

use serde::{Deserialize, Serialize};

use crate::id::{SourceName, TenantName};
use crate::json::Fault;
use crate::limits::{SOURCE_MAX_PER_SECOND, SOURCES_PER_TENANT_MAX};
use crate::profile::Profile;
use crate::secret::SealedSecret;

/// A sender of hooks. Its name is unique within its tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// The source's name, which is the last segment of its hooks' paths.
    pub name: SourceName,
    /// The tenant whose events the hooks become.
    pub tenant: TenantName,
    /// The wire contract's name.
    pub profile: String,
    /// The secrets that may have signed.
    pub secrets: Vec<SealedSecret>,
    /// How far a hook's timestamp may be off, in seconds.
    pub tolerance_s: u64,
    /// Hooks a second; [`SOURCE_MAX_PER_SECOND`] where there is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
    /// Whether the path without a tenant, `/hooks/{source}`, leads to it: so it is with the first source of that name
    /// in the deployment, for as long as it is there, and with every source of the time when names were unique.
    #[serde(default = "has_short_path")]
    pub has_short_path: bool,
}

/// The path to which hooks are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookPath<'a> {
    /// The tenant's name; none in the path that only one source of the deployment can have.
    pub tenant: Option<&'a str>,
    /// The source's name.
    pub source: &'a str,
}

impl<'a> HookPath<'a> {
    /// Reads `/hooks/{tenant}/{source}` or `/hooks/{source}`; none where the path is another.
    pub fn parse(path: &'a str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("hooks"), Some(source), None, None) => Some(Self { tenant: None, source }),
            (Some("hooks"), Some(tenant), Some(source), None) => {
                Some(Self { tenant: Some(tenant), source })
            }
            _ => None,
        }
    }
}

impl Source {
    /// Returns the hooks a second that are taken of it.
    pub fn max_per_second(&self) -> u32 {
        self.max_per_second.unwrap_or(SOURCE_MAX_PER_SECOND)
    }

    /// Returns the path to which its hooks are sent.
    pub fn path(&self) -> String {
        format!("/hooks/{}/{}", self.tenant, self.name)
    }

    /// Returns the path without a tenant, where it leads to this source.
    pub fn short_path(&self) -> Option<String> {
        self.has_short_path.then(|| format!("/hooks/{}", self.name))
    }
}

fn has_short_path() -> bool {
    true
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
            max_per_second: None,
            has_short_path: false,
        };
        let sources: Vec<Source> =
            (0..SOURCES_PER_TENANT_MAX).map(|index| source(format!("s{index}"))).collect();
        assert_eq!(check_room(&sources, &"s0".parse().unwrap()), Ok(()));
        assert!(check_room(&sources, &"another".parse().unwrap()).is_err());
        assert_eq!(check_room(&sources[1..], &"another".parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_source_that_was_stored_when_names_were_unique_keeps_its_path() {
        let text =
            r#"{"name":"github","tenant":"acme","profile":"github","secrets":[],"tolerance_s":1}"#;
        let stored: Source = serde_json::from_str(text).unwrap();
        assert_eq!(stored.short_path().as_deref(), Some("/hooks/github"));
        assert_eq!(stored.path(), "/hooks/acme/github");
        assert_eq!(stored.max_per_second(), SOURCE_MAX_PER_SECOND);
    }

    #[test]
    fn a_hooks_path_has_a_tenant_or_none() {
        let read = |path| HookPath::parse(path).map(|path| (path.tenant, path.source));
        assert_eq!(read("/hooks/github"), Some((None, "github")));
        assert_eq!(read("/hooks/acme/github/"), Some((Some("acme"), "github")));
        for other in ["/hooks", "/hooks/", "/hooks/a/b/c", "/v1/hooks/a", "/hook/a"] {
            assert_eq!(read(other), None, "{other}");
        }
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
