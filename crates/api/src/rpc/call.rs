//! One call: whose it is, which method is meant, and through the door.
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use hookswitch_core::{
    Answer, Call,
    access::Caller,
    registry::{METHODS, Method},
};
use hookswitch_model::{Object, field, refusal::Refusal};
use serde_json::Value;

use super::{
    Envelope,
    fault::Fault,
    message::{Message, NoCall},
};
use crate::{aliases, describe, keys};

/// What became of a call.
pub(super) struct Outcome {
    /// What it is answered under; none for a notification.
    pub(super) id: Option<Value>,
    pub(super) result: Result<Answer, Fault>,
}

impl From<Box<NoCall>> for Outcome {
    fn from(no_call: Box<NoCall>) -> Self {
        Self { id: no_call.id, result: Err(no_call.fault) }
    }
}

/// Runs one call. `shared` is the caller of a whole batch; a call's own key goes before it.
pub(super) async fn run(envelope: &Envelope, call: Value, shared: Option<&Arc<Caller>>) -> Outcome {
    let Message { id, method, params, auth } = match Message::read(call) {
        Ok(message) => message,
        Err(no_call) => return no_call.into(),
    };
    if method == describe::DISCOVER {
        let result = discover(envelope, &params, auth.as_ref(), shared).await;
        return Outcome { id, result };
    }
    let caller = match (&auth, shared) {
        (None, Some(shared)) => Ok(Arc::clone(shared)),
        // What is no text is a wrong key like any other that nobody has.
        (Some(own), _) => envelope.api.caller(Some(own.as_str().unwrap_or("?")), envelope.at.from).await,
        (None, None) => envelope.api.caller(keys::in_headers(&envelope.headers), envelope.at.from).await,
    };
    let result = match caller {
        Ok(caller) => perform(envelope, &method, params, caller).await,
        Err(rejected) => Err(rejected.into()),
    };
    Outcome { id, result }
}

/// The one method that needs no key; a wrong one is refused all the same.
async fn discover(
    envelope: &Envelope,
    params: &Object,
    auth: Option<&Value>,
    shared: Option<&Arc<Caller>>,
) -> Result<Answer, Fault> {
    let own = auth.map(|own| own.as_str().unwrap_or("?"));
    if shared.is_none() || own.is_some() {
        envelope.api.accepts(own.or_else(|| keys::in_headers(&envelope.headers)), &envelope.at).await?;
    }
    field::check_create(&[], params).map_err(Refusal::from)?;
    Ok(Answer { result: describe::openrpc().clone(), warnings: Vec::new() })
}

async fn perform(envelope: &Envelope, name: &str, mut params: Object, caller: Arc<Caller>) -> Result<Answer, Fault> {
    let method = match find(name) {
        Some(method) => method,
        None => {
            let method = aliases::find(name).ok_or_else(|| Fault::no_method(name))?;
            aliases::read_numbers(method, &mut params);
            method
        }
    };
    Ok(envelope.api.perform(&envelope.at.span, &envelope.headers, Call::new(method, params, caller)).await?)
}

fn find(name: &str) -> Option<&'static Method> {
    static BY_NAME: LazyLock<HashMap<&'static str, &'static Method>> =
        LazyLock::new(|| METHODS.iter().flat_map(|object| object.iter()).map(|method| (method.name, method)).collect());
    BY_NAME.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_its_own_name_and_no_other() {
        for method in METHODS.iter().flat_map(|object| object.iter()) {
            assert!(std::ptr::eq(find(method.name).unwrap(), method), "{} is there twice", method.name);
        }
        for name in ["", "clients", "clients.create ", "Clients.create"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
