//! A repeated create returns the first success: remembered in the change's own transaction, per user and method.
use hookswitch_model::{
    Object,
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Store, Subject, Tx, Vault, tables};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::prepare::Request;
use crate::{Core, access::Caller, registry::Method};

/// How long a success is remembered.
const IDEMPOTENCY_HOURS: i64 = 24;

/// Under what a success is remembered, and for which parameters.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    users_id: i64,
    method: &'static str,
    key: String,
    params_hash: [u8; 32],
}

impl Ticket {
    /// The ticket of a request; the parameters are those of the method alone.
    pub(super) fn new(
        vault: &Vault,
        caller: &Caller,
        method: &Method,
        key: &str,
        params: &Object,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        let good = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if !good {
            errors.add("idempotency_key", "must be 1 to 255 visible ASCII characters");
            return None;
        }
        // Keyed: a password may be among the parameters, and a bare hash of it could be guessed at.
        let mut hasher = Sha256::new_with_prefix(vault.derive("idempotency"));
        feed(&mut hasher, &Value::Object(params.clone()));
        Some(Self { users_id: caller.users_id, method: method.name, key: key.to_owned(), params_hash: hasher.finalize().into() })
    }

    /// What it has in common with a repetition of it, wherever that comes in: of two at once, the second finds the result of
    /// the first. Others that happen to have the same number only wait.
    pub(super) fn subject(&self) -> Subject {
        let mut hasher = Sha256::new_with_prefix(self.users_id.to_be_bytes());
        hasher.update(self.method);
        // Neither holds it.
        hasher.update([0]);
        hasher.update(&self.key);
        let number = hasher.finalize().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Subject::Request(number.cast_signed())
    }

    /// The remembered success, if this very request had one.
    ///
    /// # Errors
    /// `idempotency_key_reused` if the key was used with other parameters.
    pub(super) fn find(&self, tx: &Tx) -> Result<Option<Value>, Refusal> {
        let since = tx.now().plus_millis(-IDEMPOTENCY_HOURS * 3_600_000);
        let Some(known) = tables::idempotency::find(tx, self.users_id, self.method, &self.key, since)? else { return Ok(None) };
        if known.params_hash != self.params_hash {
            let message = "this idempotency key was used with other parameters";
            return Err(Refusal::rule("idempotency_key_reused", message));
        }
        serde_json::from_str(&known.result).map(Some).map_err(Refusal::internal)
    }

    /// Remembers a success, without what a replay must not show.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(super) fn remember(&self, tx: &mut Tx, method: &Method, result: &Value) -> Result<(), Refusal> {
        let mut shown = result.clone();
        if let Value::Object(object) = &mut shown {
            for name in method.hidden_in_replay {
                object.shift_remove(*name);
            }
        }
        tables::idempotency::put(tx, self.users_id, self.method, &self.key, &self.params_hash, &shown.to_string())?;
        Ok(())
    }
}

/// The remembered success of a request, looked up before anybody is asked.
///
/// # Errors
/// `idempotency_key_reused`.
pub(super) async fn find(core: &Core, request: &Request) -> Result<Option<Value>, Refusal> {
    let Some(ticket) = request.idempotency.clone() else { return Ok(None) };
    core.store.read(move |tx| ticket.find(tx)).await
}

/// Rows in one transaction.
const PORTION: i64 = 500;
/// How often expired successes are looked for, by the clock.
const EVERY_MS: i64 = 60_000;

/// Forgets what has expired, for ever.
pub(crate) async fn forget(store: Store) {
    loop {
        let old = store.clock().now().plus_millis(-IDEMPOTENCY_HOURS * 3_600_000);
        match store.write(move |tx| tables::idempotency::cut(tx, old, PORTION)).await {
            Ok(cut) if cut >= PORTION.unsigned_abs() => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "expired idempotency keys could not be forgotten; trying again in a minute"),
        }
        store.clock().sleep(EVERY_MS).await;
    }
}

/// Hashes a value whatever the order of its keys.
fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(object) => {
            let mut names: Vec<&String> = object.keys().collect();
            names.sort_unstable();
            hasher.update(b"{");
            for name in names {
                hasher.update(Value::String(name.clone()).to_string());
                hasher.update(b":");
                feed(hasher, &object[name]);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                feed(hasher, item);
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        other => hasher.update(other.to_string()),
    }
}
