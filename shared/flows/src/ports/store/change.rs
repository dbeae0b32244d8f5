//! Changes of what is configured: each is written together with its entry in the audit log.

use waxseal_domain::api_key::ApiKey;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::id::TenantName;
use waxseal_domain::source::Source;

use super::tenant::{Tenant, TenantVersion};

/// One change of what is configured.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Creates a tenant, if there is none of that name.
    CreateTenant(&'a Tenant),
    /// Adds an endpoint, if there is none of that id and the tenant's endpoints still have that
    /// version.
    AddEndpoint(&'a Endpoint, TenantVersion),
    /// Replaces an endpoint, if the stored one has the version before this one's.
    PutEndpoint(&'a Endpoint),
    /// Replaces an endpoint that takes another profile, if the stored one has the version before
    /// this one's and the tenant's endpoints still have that version. Profiles bound how many
    /// endpoints may use them.
    MoveEndpoint(&'a Endpoint, TenantVersion),
    /// Removes an endpoint, if the stored one has this version.
    RemoveEndpoint(&'a Endpoint),
    /// Adds an API key.
    AddApiKey(&'a ApiKey),
    /// Removes an API key, if there is one of that id and hash.
    RemoveApiKey(&'a ApiKey),
    /// Creates or replaces a tenant's source. One that has the short path takes it, unless another tenant's source
    /// has it.
    PutSource(&'a Source),
    /// Removes a source, if it is there, with the short path where it has it.
    RemoveSource(&'a Source),
    /// Creates or replaces an event type, if the tenant's endpoints and catalogue still have that
    /// version.
    PutEventType(&'a TenantName, &'a EventType, TenantVersion),
    /// Removes an event type, if the tenant has it.
    RemoveEventType(&'a TenantName, &'a EventType),
    /// Creates or replaces a profile of the deployment's own: its name, and the text of its file.
    PutProfile(&'a str, &'a str),
}

impl Change<'_> {
    /// Returns the tenant whose configuration is changed; none where it is the deployment's.
    pub fn tenant(&self) -> Option<&TenantName> {
        Some(match self {
            Self::CreateTenant(tenant) => &tenant.name,
            Self::AddEndpoint(endpoint, _)
            | Self::PutEndpoint(endpoint)
            | Self::MoveEndpoint(endpoint, _)
            | Self::RemoveEndpoint(endpoint) => &endpoint.tenant,
            Self::AddApiKey(key) | Self::RemoveApiKey(key) => &key.tenant,
            Self::PutSource(source) | Self::RemoveSource(source) => &source.tenant,
            Self::PutEventType(tenant, ..) | Self::RemoveEventType(tenant, _) => tenant,
            Self::PutProfile(..) => return None,
        })
    }
}
