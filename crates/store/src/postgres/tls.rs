//! How far a server is trusted.
use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Trust;
use crate::{OpenError, anybody};

/// What makes connections encrypted.
///
/// # Errors
/// When the roots can't be read.
pub(super) fn connector(trust: &Trust) -> Result<MakeRustlsConnect, OpenError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let other = |error: &dyn std::fmt::Display| OpenError::Other(format!("TLS to the database: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| other(&error))?;
    let config = match trust {
        Trust::Plain | Trust::Anybody => {
            builder.dangerous().with_custom_certificate_verifier(anybody::verifier(provider)).with_no_client_auth()
        }
        Trust::Verified(None) => builder.with_platform_verifier().map_err(|error| other(&error))?.with_no_client_auth(),
        Trust::Verified(Some(file)) => builder.with_root_certificates(roots(file)?).with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(file: &Path) -> Result<RootCertStore, OpenError> {
    let wrong = |words: &dyn std::fmt::Display| OpenError::Other(format!("sslrootcert {}: {words}", file.display()));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
        store.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if store.is_empty() { Err(wrong(&"there is no certificate in it")) } else { Ok(store) }
}
