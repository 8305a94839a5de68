//! Standard Webhooks signatures as a receiver checks them: written apart from the program's own code.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::recorder::Call;

/// How many of the signatures on this call were made with `secret` (`whsec_...`).
///
/// # Panics
/// When the secret or a header has not the form of the contract.
#[must_use]
pub fn valid_signatures(call: &Call, secret: &str) -> usize {
    let expected = sign(call, secret);
    signatures(call).iter().filter(|signature| **signature == expected).count()
}

/// The signatures on this call, without their `v1,`.
///
/// # Panics
/// When there is no such header, or one is of another version.
#[must_use]
pub fn signatures(call: &Call) -> Vec<String> {
    let header = call.header("webhook-signature").expect("every call is signed");
    header.split(' ').map(|one| one.strip_prefix("v1,").expect("version 1").to_owned()).collect()
}

fn sign(call: &Call, secret: &str) -> String {
    let key = secret.strip_prefix("whsec_").expect("a secret begins with whsec_");
    let key = STANDARD.decode(key).expect("a secret is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length is a key");
    let id = call.header("webhook-id").expect("webhook-id is sent");
    let timestamp = call.header("webhook-timestamp").expect("webhook-timestamp is sent");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&call.raw);
    STANDARD.encode(mac.finalize().into_bytes())
}
