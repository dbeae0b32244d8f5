//! What is configured, as it is read; [`Change`] says what may be written.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use waxseal_domain::api_key::ApiKey;
use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;

use super::change::Change;
use super::max_age::MaxAge;
use super::page::{Page, PageRequest};
use super::result::StoreResult;
use super::tenant::{Tenant, TenantEndpoints};

/// A kind of setting of the whole deployment. There are few settings of each kind, so all of them
/// can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// A profile's file, by the profile's name.
    Profile,
    /// The sealed key that signs a tenant's links to stored events, by the tenant's name.
    LinkKey,
}

impl Setting {
    /// Returns the word under which the stores keep settings of this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::LinkKey => "link_key",
        }
    }
}

/// What is configured: precious, small, read often, written seldom.
pub trait ConfigStore: Send + Sync {
    /// Makes a change and writes the audit entry that tells of it, both or neither: a log that can
    /// miss a change is no proof. False where what is stored is not as the change requires. There is
    /// no other way to change what people configure, so no change goes without its entry.
    fn change(
        &self,
        change: Change<'_>,
        entry: &Entry,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Writes an endpoint of which only the health is another than in the version before; false if
    /// the stored one has not that version. Health is what Waxseal has seen and nobody's wish, so
    /// the audit log does not tell of it.
    fn note_health(&self, endpoint: &Endpoint) -> impl Future<Output = StoreResult<bool>> + Send;

    /// A tenant's audit log, newest first.
    fn audit(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
    ) -> impl Future<Output = StoreResult<Page<Entry>>> + Send;

    /// A tenant's catalogue, by name, from a copy of at most that age.
    fn event_types(
        &self,
        tenant: &TenantName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Arc<Vec<EventType>>>> + Send;

    /// All tenants, by name.
    fn tenants(&self, page: &PageRequest)
    -> impl Future<Output = StoreResult<Page<Tenant>>> + Send;

    /// A tenant's endpoints, oldest first, from a copy of at most that age; none if there is no
    /// such tenant.
    fn endpoints(
        &self,
        tenant: &TenantName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Arc<TenantEndpoints>>>> + Send;

    /// One endpoint, from a copy of at most that age.
    fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Arc<Endpoint>>>> + Send;

    /// The key of that hash, from a short-lived copy.
    fn api_key(&self, hash: &str) -> impl Future<Output = StoreResult<Option<ApiKey>>> + Send;

    /// A tenant's keys, newest first.
    fn api_keys(
        &self,
        tenant: &TenantName,
    ) -> impl Future<Output = StoreResult<Vec<ApiKey>>> + Send;

    /// Notes when a key was used, for people to see.
    fn note_key_use(
        &self,
        key: &ApiKeyId,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Reads when keys were last used, as far as it was noted.
    fn key_uses(
        &self,
        keys: &[ApiKeyId],
    ) -> impl Future<Output = StoreResult<HashMap<ApiKeyId, Timestamp>>> + Send;

    /// A tenant's source, from a copy of at most that age.
    fn source(
        &self,
        tenant: &TenantName,
        name: &SourceName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Source>>> + Send;

    /// The source to which the path without a tenant leads, of whichever tenant, from a copy of at most that age.
    fn source_by_short_path(
        &self,
        name: &SourceName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Source>>> + Send;

    /// A tenant's sources, by name.
    fn sources(&self, tenant: &TenantName)
    -> impl Future<Output = StoreResult<Vec<Source>>> + Send;

    /// A setting of the deployment, from a copy of at most that age.
    fn setting(
        &self,
        kind: Setting,
        name: &str,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Arc<str>>>> + Send;

    /// Names and texts of all settings of a kind, by name.
    fn settings(
        &self,
        kind: Setting,
    ) -> impl Future<Output = StoreResult<Vec<(String, Arc<str>)>>> + Send;

    /// Stores the sealed key that signs a tenant's links, which Waxseal makes when it first needs
    /// one; false where the tenant has a key, which stays.
    fn keep_link_key(
        &self,
        tenant: &TenantName,
        sealed: &str,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
}
