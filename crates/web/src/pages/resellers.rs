//! Who are the resellers?
use axum::Router;
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::json;

use super::{
    names::{CHOSEN_FROM_MAX, Names, word_of_none},
    thing::{self, Of, Thing},
};
use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{
        form::{Box, Choices, Group},
        input::{Choice, Input, Kind},
        list::{List, objects},
        table::{Column, Empty},
        words,
    },
    visitor::Visitor,
};

/// Resellers.
pub(crate) struct Resellers;

const GROUPS: &[Group] = &[Group {
    title: "",
    folded: None,
    boxes: &[
        Box::new("name", "Name"),
        Box::new("parent_id", "Below which reseller").help("Whose users see this one’s clients too"),
        Box::new("currencies_id", "Currency").help("The id of the currency of its new clients"),
        Box::new("timezone", "Time zone").help("Where its days and months begin, such as Europe/Berlin"),
        Box::new("status", "Status").help("Disabled: its users, and those of the resellers below it, are refused"),
    ],
}];

pub(crate) fn routes() -> Router<Api> {
    thing::routes::<Resellers>()
}

/// The resellers that a reader may choose from.
pub(crate) async fn choices(visitor: &Visitor, none: &str) -> Result<Vec<Choice>, Refusal> {
    let asked = json!({"limit": CHOSEN_FROM_MAX, "order": ["name"]});
    let rows = objects(visitor.ask("companies.search", asked).await?);
    let none = match none {
        "" if rows.len() >= CHOSEN_FROM_MAX => word_of_none("Choose", rows.len()),
        "" => String::new(),
        none => word_of_none(none, rows.len()),
    };
    let named = rows.iter().map(|row| Choice::new(row["id"].to_string(), row["name"].as_str().unwrap_or_default()));
    Ok((!none.is_empty()).then(|| Choice::new("", none)).into_iter().chain(named).collect())
}

impl Thing for Resellers {
    const OF: Of = Of {
        path: "/resellers",
        here: "resellers",
        one: "Reseller",
        many: "Resellers",
        get: "companies.get",
        search: "companies.search",
        create: "companies.create",
        update: "companies.update",
        delete: "",
        right: Right::Operate,
        groups: GROUPS,
        order: "",
        names: &["companies_id"],
        of_a_client: false,
    };

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Id", "id", "number"),
            list.sorted("Name", "name", ""),
            Column { title: "Below".to_owned(), ..Column::default() },
            Column { title: "Time zone".to_owned(), ..Column::default() },
            list.sorted("Status", "status", ""),
            Column { title: "Clients".to_owned(), ..Column::default() },
        ]
    }

    fn cells(_visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        let id = row["id"].to_string();
        vec![
            words::code(&id),
            words::link(&Self::OF.at(&id), row["name"].as_str().unwrap_or_default()),
            names.reseller(row, "parent_id", "–"),
            words::text(&row["timezone"]),
            words::state(row["status"].as_str().unwrap_or_default()),
            words::link(&format!("/clients?companies_id={id}"), "show"),
        ]
    }

    fn filters(_names: &Names) -> (Vec<Input>, Vec<Input>) {
        (
            vec![Input::new("q", "Search", Kind::Line), Input::new("status", "Status", Kind::any_of(&["active", "disabled"]))],
            Vec::new(),
        )
    }

    fn empty() -> Empty {
        Empty::new("Resellers have clients of their own, and users who see nothing else.")
            .curl("companies.create", r#"{"name":"North","timezone":"Europe/Berlin"}"#)
    }

    async fn choices(visitor: &Visitor, _known: &Params) -> Result<Choices, Refusal> {
        let none = if visitor.sees_all() { "None: it stands at the top" } else { "" };
        Ok(Choices::from([("parent_id", choices(visitor, none).await?)]))
    }

    fn defaults(visitor: &Visitor) -> Vec<(&'static str, String)> {
        let plain = [("timezone", "UTC"), ("status", "active"), ("currencies_id", "1")];
        let above = visitor.caller.companies_id.map(|id| ("parent_id", id.to_string()));
        plain.iter().map(|(name, text)| (*name, (*text).to_owned())).chain(above).collect()
    }

    async fn below(_visitor: &Visitor, object: &Object) -> Result<Html, Refusal> {
        let id = object["id"].to_string();
        Ok(markup!(
            "<p>{} · {}</p>",
            words::link(&format!("/clients?companies_id={id}"), "Its clients"),
            words::link(&format!("/packages?companies_id={id}"), "Its packages")
        ))
    }

    fn title(object: &Object) -> String {
        object["name"].as_str().unwrap_or_default().to_owned()
    }
}
