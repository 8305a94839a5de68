//! Signatures by Standard Webhooks: how a handler knows that a call is ours and was not changed on the way.
//!
//! `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` under the bytes that the
//! handler's `whsec_` secret spells. After a rotation the old secret signs as well, for 24 h, so that a receiver can
//! be changed over without losing a call: both signatures stand in the header, separated by a space.
//!
//! A [`Key`] is made once per handler and holds the HMAC's inner state already keyed.
use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "whsec_";

/// The standard asks for 24 to 64 bytes.
const SECRET_BYTES: usize = 32;
const SECRET_BYTES_MIN: usize = 24;

/// A new secret, as its owner is shown it once.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// A secret, ready to sign.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// Reads a `whsec_` secret; `None` if it isn't one, or too short to be safe.
    #[must_use]
    pub fn read(secret: &str) -> Option<Self> {
        let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
        if bytes.len() < SECRET_BYTES_MIN {
            return None;
        }
        Hmac::new_from_slice(&bytes).ok().map(Self)
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// The header `webhook-signature`: one signature for each key.
#[must_use]
pub fn sign<'a>(id: &str, timestamp: &str, body: &[u8], keys: impl IntoIterator<Item = &'a Key>) -> String {
    let mut header = String::with_capacity(96);
    for key in keys {
        let space = if header.is_empty() { "" } else { " " };
        // Writing to a String can't fail.
        let _written = write!(header, "{space}v1,{}", key.sign(id, timestamp, body));
    }
    header
}

/// True if one of the signatures in the header was made with this key: what a receiver does.
#[must_use]
pub fn verify(header: &str, id: &str, timestamp: &str, body: &[u8], key: &Key) -> bool {
    let expected = key.sign(id, timestamp, body);
    header
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .any(|signature| signature.as_bytes().ct_eq(expected.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 bytes, 1 to 24.
    const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";
    const OTHER: &str = "whsec_/////////////////////////////////////////w==";
    const ID: &str = "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11";

    #[test]
    fn a_signature_is_the_one_that_another_implementation_makes() {
        // Made with Python: hmac.new(bytes(range(1, 25)), b"ID.1795900447." + body, "sha256").
        let key = Key::read(SECRET).unwrap();
        let header = sign(ID, "1795900447", r#"{"event":{},"data":{"name":"Zoë"}}"#.as_bytes(), [&key]);
        assert_eq!(header, "v1,PVNoxb4qD8SbVj6HgpgO1CcG8OvlTe0jmL+catNk2Xg=");
    }

    #[test]
    fn both_secrets_sign_while_the_old_one_lives() {
        let [new, old] = [SECRET, OTHER].map(|secret| Key::read(secret).unwrap());
        let header = sign(ID, "1", b"body", [&new, &old]);
        assert_eq!(header.split(' ').count(), 2);
        for key in [&new, &old] {
            assert!(verify(&header, ID, "1", b"body", key));
            assert!(!verify(&header, ID, "2", b"body", key));
            assert!(!verify(&header, ID, "1", b"Body", key));
        }
        assert!(!verify(&sign(ID, "1", b"body", [&new]), ID, "1", b"body", &old));
    }

    #[test]
    fn a_new_secret_is_readable_long_and_never_the_same() {
        let [one, other] = [new_secret().unwrap(), new_secret().unwrap()];
        assert_ne!(one, other);
        assert!(Key::read(&one).is_some());
        assert!(STANDARD.decode(one.strip_prefix(PREFIX).unwrap()).unwrap().len() >= SECRET_BYTES_MIN);
    }

    #[test]
    fn what_is_no_secret_is_no_key() {
        for wrong in ["", "whsec_", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "whsec_???", "whsec_AQID"] {
            assert!(Key::read(wrong).is_none(), "{wrong}");
        }
    }
}
