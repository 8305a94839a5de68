//! Words that both descriptions share.
use hookswitch_core::{access::Right, registry::Method};
use serde_json::{Value, json};

/// What `rpc.discover` does.
pub(super) const DISCOVER: &str = "Gives this API's description as OpenRPC";

/// The member `info`.
pub(super) fn info(protocol: &str) -> Value {
    let conventions = "Times are ISO 8601 with an offset. Amounts are numbers with at most 6 decimals. `update` takes only what \
        changes. Every wrong field is named in one answer.";
    json!({
        "title": "Hookswitch Core API",
        "version": env!("CARGO_PKG_VERSION"),
        "description": format!("{protocol}\n\n{conventions}"),
        "license": {"name": env!("CARGO_PKG_LICENSE")},
    })
}

/// Who may call a method, and what happens around it.
pub(super) fn rights(method: &Method) -> String {
    let who = match method.right {
        Right::Read => "Every role may call it.",
        Right::Operate => "Needs the role operator or admin.",
        Right::Administer => "Needs the role admin.",
    };
    let events: Vec<&str> = match &method.run {
        hookswitch_core::registry::Run::Act(act) => act.events.iter().map(|kind| kind.events_id).collect(),
        _ => Vec::new(),
    };
    if events.is_empty() { who.to_owned() } else { format!("{who} Before handlers may be asked about {}.", events.join(", ")) }
}
