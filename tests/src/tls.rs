//! Certificates of a sink's own, which nobody trusts by itself.

use std::sync::Arc;

use rcgen::Certificate;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// What serves TLS for these names by a new certificate, and the certificate, for whoever is to trust it.
pub fn self_signed(names: &[&str]) -> (ServerConfig, Certificate) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let private = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], private)
        .unwrap();
    (tls, made.cert)
}
