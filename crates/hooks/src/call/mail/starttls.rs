//! What lettre encrypts a connection with that it has begun in clear.
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};

use super::{super::configured::settings::Tls, settings::Settings};

/// How far the server is trusted.
pub(super) struct Starttls(TlsParameters);

impl Starttls {
    pub(super) fn new(settings: &Settings, host: &str) -> Result<Self, String> {
        let unfit = "has a ca, which must be a certificate (PEM)";
        let mut builder = TlsParameters::builder(host.to_owned());
        if let Some(pem) = &settings.ca {
            let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|_| unfit)?;
            builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        if settings.tls != Tls::Verify {
            builder = builder.dangerous_accept_invalid_certs(true).dangerous_accept_invalid_hostnames(true);
        }
        builder.build_rustls().map(Self).map_err(|_| unfit.to_owned())
    }

    pub(super) fn parameters(&self) -> TlsParameters {
        self.0.clone()
    }
}
