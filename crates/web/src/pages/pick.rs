//! Whose is a new account, package or transaction? Carriers have 100,000 clients: one is looked for, not chosen from a list of all.
use hookswitch_model::refusal::Refusal;
use serde_json::json;

use super::{plain::ListPage, thing};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    parts::{
        input::{Choice, Input, Kind},
        list::List,
        table::{Empty, Table},
        words,
    },
    visitor::Visitor,
};

/// The page that asks for the client; each leads back to the same address with its id.
pub(crate) async fn page(visitor: &Visitor, one: &str, here: &'static str) -> Answer {
    let list = List::ask(visitor, "clients.search", json!({"status": ["active", "stopped"]})).await?;
    let mut table = Table {
        empty: Empty::new("No client is like that. Archived ones are not offered."),
        ..Table::new("Clients", &["Client", "Status", "Live balance", "Available"]).numbers(&["Live balance", "Available"])
    };
    for row in &list.rows {
        let href = visitor.query.with("clients_id", Some(&row["id"].to_string())).with("q", None).href(&visitor.path);
        let name = row["name"].as_str().unwrap_or_default();
        table.row(
            row["id"].to_string(),
            vec![
                markup!("{} <span class=\"quiet\">#{}</span>", words::link(&href, name), row["id"].to_string()),
                words::state(row["status"].as_str().unwrap_or_default()),
                words::money(&row["balance"]),
                available(&row["available"]),
            ],
        );
    }
    let filters = list.filters(vec![Input::new("q", "Client’s name", Kind::Line)], Vec::new());
    let page = visitor.page(format!("New {}: for which client?", one.to_lowercase()), here);
    Ok(show(&ListPage { page, button: None, filters, table: table.html(), pager: list.pager() }))
}

/// What is available; nothing there means that it is without limit.
pub(crate) fn available(value: &serde_json::Value) -> Html {
    if value.is_null() { markup!("<span class=\"quiet\">no limit</span>") } else { words::money(value) }
}

/// A client that was found, as the one to choose: its name is shown.
///
/// # Errors
/// Every refusal, but that it is not there: that is said when the form is sent.
pub(crate) async fn choice(visitor: &Visitor, clients_id: i64) -> Result<Choice, Refusal> {
    let label = match thing::one(visitor, "clients.get", clients_id).await {
        Ok(client) => format!("{} #{clients_id}", client["name"].as_str().unwrap_or_default()),
        Err(Refusal::NotFound { .. }) => format!("#{clients_id}"),
        Err(other) => return Err(other),
    };
    Ok(Choice::new(clients_id.to_string(), label))
}
