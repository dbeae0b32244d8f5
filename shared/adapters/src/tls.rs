//! Configures TLS for every client: rustls, with Mozilla's roots compiled in. To read the system's
//! roots instead would cost tens of milliseconds of a cold start.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use waxseal_flows::ports::EngineError;

/// Reads the certificates of a PEM file of authorities; none where no file is named.
pub fn read_authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let describe = |error: pem::Error| format!("{}: {error:?}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(describe)?;
    let certificates: Vec<_> = found.collect::<Result<_, _>>().map_err(describe)?;
    if certificates.is_empty() {
        // Whoever names a file wants something trusted: without a word it would fail at the first call.
        return Err(format!("{}: it holds no certificate (PEM)", path.display()));
    }
    Ok(certificates)
}

/// Makes a configuration that trusts Mozilla's roots and the extra ones. The extra ones are for
/// receivers behind a company's own authority.
pub(crate) fn trust(
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, EngineError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots.add(root).map_err(|error| EngineError::unreadable("trust extra root", error))?;
    }
    // Named here, not installed for the process: what another crate installs first would otherwise
    // decide.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| EngineError::unreadable("configure TLS", error))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
