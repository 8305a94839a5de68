//! Who are the resellers?
use axum::{Router, extract::Path, routing::get};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::refusal::Refusal;
use serde_json::{Value, json};

use super::plain::{ListPage, SheetPage};
use crate::{
    answer::{Answer, go_to, show, show_again, with_cookie},
    html::Html,
    notice::Notice,
    params::Params,
    parts::{
        form::{self, Box, Choices, Faults, Form, Group},
        input::{Choice, Input, Kind},
        list::{List, objects},
        table::{Column, Empty, Table},
        words,
    },
    session::Typed,
    visitor::Visitor,
};

const PATH: &str = "/resellers";
const GROUPS: &[Group] = &[Group {
    title: "",
    folded: None,
    boxes: &[
        Box::new("name", "Name"),
        Box::new("parent_id", "Below which reseller").help("Whose users see this one's clients too"),
        Box::new("currencies_id", "Currency").help("The id of the currency of its new clients"),
        Box::new("timezone", "Time zone").help("Where its days and months begin, such as Europe/Berlin"),
        Box::new("status", "Status"),
    ],
}];

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route(PATH, get(list))
        .route("/resellers/new", get(new).post(create))
        .route("/resellers/{id}", get(edit).post(update))
}

async fn list(visitor: Visitor) -> Answer {
    let list = List::ask(&visitor, "companies.search", json!({})).await?;
    let mut table = Table {
        columns: vec![
            list.sorted("Id", "id", "number"),
            list.sorted("Name", "name", ""),
            Column { title: "Below".to_owned(), ..Column::default() },
            Column { title: "Time zone".to_owned(), ..Column::default() },
            Column { title: "Status".to_owned(), ..Column::default() },
        ],
        empty: Empty::new("No reseller is like that."),
        ..Table::new("Resellers", &[])
    };
    for row in &list.rows {
        let id = row["id"].to_string();
        let href = format!("{PATH}/{id}");
        let above = &row["parent_id"];
        table.row(
            id.clone(),
            vec![
                words::code(&id),
                words::link(&href, row["name"].as_str().unwrap_or_default()),
                if above.is_null() { words::nothing() } else { words::link(&format!("{PATH}/{above}"), above.to_string()) },
                words::text(&row["timezone"]),
                words::state(row["status"].as_str().unwrap_or_default()),
            ],
        );
    }
    let filters = list.filters(vec![Input::new("q", "Search", Kind::Line)], Vec::new());
    let button = visitor.may(Right::Operate).then(|| (format!("{PATH}/new"), "New reseller".to_owned()));
    let page = visitor.page("Resellers", "resellers");
    Ok(show(&ListPage { page, button, filters, table: table.html(), pager: list.pager() }))
}

/// The resellers that a reader may choose from.
pub(crate) async fn choices(visitor: &Visitor, none: &str) -> Result<Vec<Choice>, Refusal> {
    let rows = objects(visitor.ask("companies.search", json!({"limit": 1000, "order": ["name"]})).await?);
    let named = rows.iter().map(|row| Choice::new(row["id"].to_string(), row["name"].as_str().unwrap_or_default()));
    Ok((!none.is_empty()).then(|| Choice::new("", none)).into_iter().chain(named).collect())
}

async fn sheet(visitor: &Visitor, method: &'static str, filled: &Params, faults: Faults) -> Result<Html, Refusal> {
    let choices = Choices::from([("parent_id", choices(visitor, "None: it stands at the top").await?)]);
    let submit = if method == "companies.create" { "Create" } else { "Save" };
    Ok(Form::new(method, GROUPS, filled, &choices, faults).sent_to(visitor.path.clone(), submit, PATH).html())
}

async fn new(visitor: Visitor) -> Answer {
    let filled = form::fresh(&[("timezone", "UTC"), ("status", "active"), ("currencies_id", "1")]);
    let form = sheet(&visitor, "companies.create", &filled, Faults::none()).await?;
    Ok(show(&SheetPage { page: visitor.page("New reseller", "resellers"), form }))
}

async fn create(visitor: Visitor, Typed(typed): Typed) -> Answer {
    match visitor.act("companies.create", form::typed("companies.create", GROUPS, &typed)).await {
        Ok(answer) => {
            let notice = Notice::new(format!("Reseller {} was created.", answer.result["id"])).warning(&answer.warnings);
            Ok(with_cookie(go_to(PATH), &notice.cookie()))
        }
        Err(refusal) => {
            let form = sheet(&visitor, "companies.create", &typed, Faults::of_refusal(&refusal)).await?;
            Ok(show_again(&SheetPage { page: visitor.page("New reseller", "resellers"), form }))
        }
    }
}

async fn get_one(visitor: &Visitor, id: i64) -> Result<hookswitch_model::Object, Refusal> {
    match visitor.ask("companies.get", json!({"id": id})).await? {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::internal("no object")),
    }
}

async fn edit(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let object = get_one(&visitor, id).await?;
    let form = sheet(&visitor, "companies.update", &form::filled(GROUPS, &object), Faults::none()).await?;
    let page = visitor.page(object["name"].as_str().unwrap_or_default(), "resellers");
    Ok(show(&SheetPage { page, form }))
}

async fn update(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let mut params = form::typed("companies.update", GROUPS, &typed);
    params.insert("id".to_owned(), id.into());
    match visitor.act("companies.update", params).await {
        Ok(answer) => Ok(with_cookie(go_to(PATH), &Notice::new("Saved.").warning(&answer.warnings).cookie())),
        Err(refusal) => {
            let form = sheet(&visitor, "companies.update", &typed, Faults::of_refusal(&refusal)).await?;
            Ok(show_again(&SheetPage { page: visitor.page(format!("Reseller {id}"), "resellers"), form }))
        }
    }
}
