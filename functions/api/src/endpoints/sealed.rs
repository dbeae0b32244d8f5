//! What a change of an endpoint has sealed: the secret of its credentials, and the values of its own headers.

use std::collections::BTreeMap;

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::credentials::Credentials;
use waxseal_domain::endpoint::headers::OwnHeaders;
use waxseal_flows::authorize::seal_credentials;
use waxseal_flows::own_headers::{seal_headers, seal_stored_headers};
use waxseal_flows::ports::{Engine, EngineError};

use super::changes::Changes;
use crate::body::PatchValue;

/// Members of an endpoint that are sealed before they are applied. As it is made by default, it changes nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Sealed {
    pub(super) auth: PatchValue<Credentials>,
    /// All own headers as they are to be; none where they stay.
    pub(super) headers: Option<OwnHeaders>,
}

impl Sealed {
    /// Seals what is secret of changes, for the endpoint alone that they are of.
    pub(super) async fn of<E: Engine>(
        engine: &E,
        before: &Endpoint,
        changes: &Changes,
    ) -> Result<Self, EngineError> {
        let auth = match changes.auth.clone() {
            PatchValue::Value(new) => {
                PatchValue::Value(seal_credentials(engine, &before.tenant, &before.id, new).await?)
            }
            PatchValue::Null => PatchValue::Null,
            PatchValue::Absent => PatchValue::Absent,
        };
        let headers = match changes.headers.clone() {
            PatchValue::Value(wanted) => Some(seal_headers(engine, before, wanted).await?),
            PatchValue::Null => Some(seal_headers(engine, before, BTreeMap::new()).await?),
            PatchValue::Absent => seal_stored_headers(engine, before).await?,
        };
        Ok(Self { auth, headers })
    }
}
