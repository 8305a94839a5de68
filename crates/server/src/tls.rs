//! The certificate of the listener: two PEM files, read once at start. A renewed certificate counts after a restart.
use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
};

use crate::ending::{Ended, Ending};

/// Where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// The chain, the listener's own certificate first.
    pub(crate) cert: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

impl Files {
    /// What the listener needs of them: TLS 1.2 and 1.3, HTTP/2 where the caller can.
    ///
    /// # Errors
    /// A usage error that names the file: it is missing, no PEM, or the two don't belong together.
    pub(crate) fn load(&self) -> Ended<Arc<ServerConfig>> {
        let cert = self.cert.display();
        let wrong = |error: &dyn std::fmt::Display| Ending::Usage(format!("tls_cert {cert}: {error}"));
        let unread = |error: pem::Error| wrong(&error);
        let chain: Vec<_> =
            CertificateDer::pem_file_iter(&self.cert).map_err(unread)?.collect::<Result<_, _>>().map_err(unread)?;
        if chain.is_empty() {
            return Err(wrong(&"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| Ending::Usage(format!("tls_key {}: {error}", self.key.display())))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| wrong(&error))?;
        let mut configuration = builder.with_no_client_auth().with_single_cert(chain, key).map_err(|error| wrong(&error))?;
        configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(configuration))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Of nobody: it belongs to no certificate.
    const STRANGER: &str = include_str!("tls/test_certificate/stranger.pem");
    const CERT: &str = include_str!("tls/test_certificate/cert.pem");
    const KEY: &str = include_str!("tls/test_certificate/key.pem");

    fn load(folder: &Path, cert: &str, key: &str) -> Ended<Arc<ServerConfig>> {
        let files = Files { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        fs::write(&files.cert, cert).unwrap();
        fs::write(&files.key, key).unwrap();
        files.load()
    }

    #[test]
    fn a_certificate_with_its_key_serves_both_versions_of_http() {
        let home = tempfile::tempdir().unwrap();
        let configuration = load(home.path(), CERT, KEY).unwrap();
        assert_eq!(configuration.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    }

    #[test]
    fn what_will_not_do_is_wrong_configuration_and_names_its_file() {
        let home = tempfile::tempdir().unwrap();
        for (cert, key, named) in [
            ("", KEY, "tls_cert"),
            ("no certificate", KEY, "tls_cert"),
            (KEY, KEY, "tls_cert"),
            (CERT, "", "tls_key"),
            (CERT, CERT, "tls_key"),
            (CERT, STRANGER, "tls_cert"),
        ] {
            let ending = load(home.path(), cert, key).unwrap_err();
            assert_eq!(ending.status(), 2);
            assert!(ending.to_string().starts_with(named), "{ending}");
        }
        fs::remove_file(home.path().join("cert.pem")).unwrap();
        let files = Files { cert: home.path().join("cert.pem"), key: home.path().join("key.pem") };
        assert_eq!(files.load().unwrap_err().status(), 2);
    }
}
