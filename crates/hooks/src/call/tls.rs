//! TLS towards handlers: rustls with ring, the system's certificates, HTTP/2 where the server offers it.
//!
//! Made once and cloned for each handler: reading the system's certificates takes milliseconds and megabytes. The
//! provider is passed along rather than installed, so that hooks can live in a program that uses another one.
use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;

/// Sessions kept for each handler: it has one host.
const SESSIONS_MAX: usize = 8;

/// The configuration that handlers' own ones are cloned from.
///
/// Without any usable certificate `https` calls fail, each saying so, while `http` ones work: a server without a
/// certificate store must still start.
pub(super) fn configuration(extra_roots_pem: &[u8]) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let verified = verifier(extra_roots_pem, provider.clone());
    #[allow(clippy::expect_used)]
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("ring knows TLS 1.2 and 1.3");
    let mut configuration = match verified {
        Ok(verifier) => versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no certificates to check https handlers with: calls to them will fail");
            versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    };
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    configuration
}

/// A handler's own: certificates are shared, sessions are not.
pub(super) fn of_handler(shared: &ClientConfig) -> ClientConfig {
    let mut own = shared.clone();
    own.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    own
}

/// One that trusts these certificates (PEM) alone: a setting `ca`.
///
/// # Errors
/// What is wrong with them, in words that follow the field's name.
pub(super) fn of_roots(pem: &str) -> Result<ClientConfig, String> {
    let unfit = || "has a ca, which must be a certificate (PEM)".to_owned();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(|_| unfit())?).map_err(|_| unfit())?;
    }
    if roots.is_empty() {
        return Err(unfit());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// The shared configuration, trusting whoever answers: for servers whose certificate is nobody's.
pub(super) fn of_anybody(shared: &ClientConfig) -> ClientConfig {
    let mut config = shared.clone();
    let provider = Arc::clone(config.crypto_provider());
    config.dangerous().set_certificate_verifier(hookswitch_store::anybody::verifier(provider));
    config
}

fn verifier(extra_roots_pem: &[u8], provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    let extra = CertificateDer::pem_slice_iter(extra_roots_pem);
    let extra: Vec<_> = extra.collect::<Result<_, _>>().map_err(|error| rustls::Error::General(error.to_string()))?;
    Verifier::new_with_extra_roots(extra, provider)
}
