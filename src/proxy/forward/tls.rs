//! TLS towards AWS: one provider, always verified.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Trusts the platform's roots, or those of one PEM file alone.
pub(super) fn client(ca_bundle: Option<&PathBuf>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match ca_bundle {
        Some(path) => {
            let at = path.display();
            let certificates = CertificateDer::pem_file_iter(path)
                .map_err(|error| format!("cannot read the CA bundle {at}: {error}"))?;
            for certificate in certificates {
                let certificate = certificate
                    .map_err(|error| format!("the CA bundle {at} is not PEM: {error}"))?;
                roots.add(certificate).map_err(|error| {
                    format!("the CA bundle {at} holds a certificate that cannot be used: {error}")
                })?;
            }
            if roots.is_empty() {
                return Err(format!("the CA bundle {at} holds no certificate"));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
