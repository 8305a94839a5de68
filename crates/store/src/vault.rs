//! Secrets where they are stored: XChaCha20-Poly1305 under a key file that is not in the database.
use std::{
    fmt,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::{Error, OpenError};

const NONCE_BYTES: usize = 24;

/// The 32 bytes of the key file.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MasterKey")
    }
}

impl MasterKey {
    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key file (64 hexadecimal digits), or makes one that only its owner can read.
    ///
    /// # Errors
    /// [`OpenError::KeyFile`], in words that name the file.
    pub fn load_or_create(path: &Path) -> Result<Self, OpenError> {
        let wrong = |words: String| OpenError::KeyFile { path: path.display().to_string(), words };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let mut key = [0; 32];
                hex::decode_to_slice(text.trim(), &mut key).map_err(|_| wrong("must hold 64 hexadecimal digits".to_owned()))?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path).map_err(|error| wrong(error.to_string())),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// Written whole under another name first: a crash leaves no half key.
    fn create(path: &Path) -> std::io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let half = path.with_extension("new");
        let _ = std::fs::remove_file(&half);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
        writeln!(file, "{}", hex::encode(key))?;
        file.sync_all()?;
        std::fs::rename(&half, path)?;
        Ok(Self(key))
    }

    /// A key for another use, by HMAC-SHA256 of its name.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        // HMAC takes keys of any length.
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0).expect("any key length will do");
        mac.update(label.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Seals and opens secrets; a cheap handle.
#[derive(Clone)]
pub struct Vault {
    cipher: Arc<XChaCha20Poly1305>,
    key: MasterKey,
}

impl fmt::Debug for Vault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Vault")
    }
}

impl Vault {
    /// Under this key.
    #[must_use]
    pub fn new(key: MasterKey) -> Self {
        Self { cipher: Arc::new(XChaCha20Poly1305::new(&key.derive("vault").into())), key }
    }

    /// A key for another use.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        self.key.derive(label)
    }

    /// Seals a text: nonce, then what is sealed.
    ///
    /// # Panics
    /// If the system has no random numbers to give: without them nothing may be sealed.
    #[must_use]
    pub fn seal(&self, text: &str) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the system gives random numbers");
        let payload = Payload { msg: text.as_bytes(), aad: b"" };
        // Fails beyond 256 GiB only.
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), payload).expect("texts are shorter than 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// If it was sealed under another key, or changed.
    pub fn open(&self, sealed: &[u8]) -> Result<String, Error> {
        let broken = || Error::engine("a sealed value can't be opened with this key file");
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
        let text = self.cipher.decrypt(XNonce::from_slice(nonce), sealed).map_err(|_| broken())?;
        String::from_utf8(text).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_again_under_the_same_key_only() {
        let vault = Vault::new(MasterKey::from_bytes([7; 32]));
        let sealed = vault.seal("s3cret");
        assert!(!sealed.windows(6).any(|part| part == b"s3cret"));
        assert_eq!(vault.open(&sealed).unwrap(), "s3cret");
        assert_ne!(vault.seal("s3cret"), sealed);
        assert!(Vault::new(MasterKey::from_bytes([8; 32])).open(&sealed).is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(vault.open(&changed).is_err());
        assert!(vault.open(&sealed[..10]).is_err());
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let made = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKey::load_or_create(&path).unwrap().0, made.0);
        std::fs::write(&path, "garbled").unwrap();
        assert!(matches!(MasterKey::load_or_create(&path), Err(OpenError::KeyFile { .. })));
    }
}
