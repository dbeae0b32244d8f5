//! TLS of every client: rustls with Mozilla's roots compiled in. Reading the system's instead costs
//! tens of milliseconds of a cold start.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use waxseal_flows::ports::EngineError;

/// Trusts Mozilla's roots and the extra ones.
pub(crate) fn trusting(
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, EngineError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots.add(root).map_err(|error| EngineError::unreadable("trust extra root", error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| EngineError::unreadable("configure TLS", error))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
