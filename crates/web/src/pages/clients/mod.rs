//! Who pays, what of, and does everybody know?
//!
//! | file | question |
//! |---|---|
//! | here | the list, and the form with the custom fields in it |
//! | [`page`] | what is known of one client: its page |
//! | [`known`] | which handlers know its present state |
//! | [`timeline`] | what happened to it, and what each handler did |
//! | [`story`] | what it is called when something happens |
//! | [`ending`] | stopped, archived, brought back, deleted |
mod ending;
mod known;
mod page;
mod story;
mod timeline;

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{
    custom,
    names::Names,
    pick, resellers,
    thing::{self, ObjectPage, Of, Sheet, Thing},
};
use crate::{
    answer::{Answer, go_to, show, show_again, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    params::Params,
    parts::{
        form::{self, Box, Choices, Faults, Group},
        input::{Choice, Input, Kind},
        list::List,
        table::{Column, Empty},
        words,
    },
    session::Typed,
    visitor::Visitor,
};

/// Clients.
pub(crate) struct Clients;

/// The keys of the first API generation, folded away.
macro_rules! legacy {
    ($($name:literal),* $(,)?) => {
        $crate::parts::form::Group {
            title: "Old keys",
            folded: Some("of the first API generation, kept as they are given"),
            boxes: &[$($crate::parts::form::Box::new($name, $name).help("Any JSON, or a text")),*],
        }
    };
}
pub(crate) use legacy;

const GROUPS: &[Group] = &[
    Group {
        title: "",
        folded: None,
        boxes: &[
            Box::new("name", "Name").help("Unique within the reseller"),
            Box::new("companies_id", "Reseller").help("Given once"),
            Box::new("status", "Status").help("Stopped: kept, and not served for now"),
            Box::new("credit", "Credit").help("How far the balance may fall below zero. Empty: without limit"),
            Box::new("tags", "Tags").help("Free labels, one a line"),
            Box::new("notes", "Notes"),
        ],
    },
    Group {
        title: "Contact",
        folded: Some("company, e-mail, telephone, address"),
        boxes: &[
            Box::new("c_company", "Company"),
            Box::new("c_email", "E-mail"),
            Box::new("c_email_billing", "E-mail for bills"),
            Box::new("c_email_tech", "E-mail for technical matters"),
            Box::new("c_email_rates", "E-mail for rates"),
            Box::new("c_phone", "Telephone"),
            Box::new("c_address", "Street address"),
            Box::new("c_zip_code", "Postal code"),
            Box::new("c_city", "City"),
            Box::new("c_state", "State"),
            Box::new("c_country", "Country"),
        ],
    },
    Group {
        title: "Billing and limits",
        folded: Some("currency, taxes, terms, limits"),
        boxes: &[
            Box::new("currencies_id", "Currency").help("Its id. Empty: the reseller’s"),
            Box::new("tax_id", "Tax number"),
            Box::new("payment_terms_id", "Terms of payment").help("Their id"),
            Box::new("bill_by_time", "How bills are cut by time"),
            Box::new("low_balance_athreshold", "Warn at an available balance of"),
            Box::new("orig_capacity", "Calls at once").help("Empty: without limit"),
            Box::new("orig_rate_tables_ids", "Rate tables").help("Ids, one a line"),
        ],
    },
    legacy!(
        "orig_rate_table",
        "term_rate_table",
        "term_capacity",
        "low_balance_threshold",
        "low_balance_capacity",
        "autoinvoice_enabled",
        "invoice_no_tpl",
        "owner_users_id",
        "manager_id",
        "groups",
        "type",
        "dr_plans_id"
    ),
];

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/clients", get(thing::list::<Clients>))
        .route("/clients/new", get(new).post(create))
        .route("/clients/{id}", get(page::open))
        .route("/clients/{id}/edit", get(edit).post(update))
        .route("/clients/{id}/status", post(ending::status).get(thing::back::<Clients>))
        .route("/clients/{id}/archive", post(ending::archive).get(thing::back::<Clients>))
        .route("/clients/{id}/unarchive", post(ending::unarchive).get(thing::back::<Clients>))
        .route("/clients/{id}/delete", post(ending::delete).get(thing::back::<Clients>))
}

impl Thing for Clients {
    const OF: Of = Of {
        path: "/clients",
        here: "clients",
        one: "Client",
        many: "Clients",
        get: "clients.get",
        search: "clients.search",
        create: "clients.create",
        update: "clients.update",
        delete: "clients.delete",
        right: Right::Operate,
        groups: GROUPS,
        order: "",
        names: &["companies_id"],
        of_a_client: false,
    };
    const EXTRA: &'static str = "Custom fields";

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Client", "name", ""),
            list.sorted("Status", "status", ""),
            list.sorted("Live balance", "balance", "number"),
            list.sorted("Available", "available", "number"),
            list.sorted("Reseller", "companies_id", ""),
            list.sorted("Created", "c_dt", ""),
        ]
    }

    fn cells(visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        let name = words::link(&Self::OF.at(&row["id"]), row["name"].as_str().unwrap_or_default());
        vec![
            markup!("{} <span class=\"quiet\">#{}</span>", name, row["id"].to_string()),
            words::state(row["status"].as_str().unwrap_or_default()),
            words::money(&row["balance"]),
            pick::available(&row["available"]),
            names.reseller(row, "companies_id", ""),
            words::ago(visitor.now(), &row["c_dt"]),
        ]
    }

    fn filters(names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("q", "Name", Kind::Line),
            Input::new("status", "Status", Kind::any_of(&["active", "stopped", "archived"])),
            Input::new("companies_id", "Reseller", Kind::Choice(names.resellers())),
        ];
        let more = vec![
            Input::new("id", "Id", Kind::Line),
            Input::new("c_dt_from", "Created from", Kind::Day),
            Input::new("c_dt_to", "Created before", Kind::Day),
        ];
        (seen, more)
    }

    /// A number may be a client's id.
    async fn hint(visitor: &Visitor) -> Result<Html, Refusal> {
        let Some(id) = visitor.query.number("q").filter(|id| *id > 0) else { return Ok(Html::default()) };
        match thing::one(visitor, "clients.get", id).await {
            Ok(client) => {
                let link = words::link(&Self::OF.at(id), client["name"].as_str().unwrap_or_default());
                Ok(markup!("<p class=\"banner\">Client #{} is {}</p>", id, link))
            }
            Err(Refusal::NotFound { .. }) => Ok(Html::default()),
            Err(other) => Err(other),
        }
    }

    fn empty() -> Empty {
        Empty::new("A client is who pays: it has a balance, accounts that calls are known by, and packages.")
            .curl("clients.create", r#"{"name":"Acme Telecom","credit":100}"#)
    }

    async fn choices(visitor: &Visitor, known: &Params) -> Result<Choices, Refusal> {
        let mut choices = Choices::from([("companies_id", resellers::choices(visitor, "").await?)]);
        if known.text("was.status") == Some("archived") {
            // It is brought back by its own button.
            choices.insert("status", vec![Choice::new("archived", "archived")]);
        }
        Ok(choices)
    }

    fn defaults(visitor: &Visitor) -> Vec<(&'static str, String)> {
        let reseller = visitor.caller.companies_id.unwrap_or(1).to_string();
        vec![("companies_id", reseller), ("status", "active".to_owned()), ("credit", "0".to_owned())]
    }

    /// The custom fields, which have methods of their own. Of a client that is there, every key that counts for it is known.
    async fn extra(
        visitor: &Visitor,
        object: Option<&Object>,
        filled: &mut Params,
        faults: &Faults,
    ) -> Result<Vec<Input>, Refusal> {
        let Some(object) = object else {
            let definitions = custom::of(visitor, "clients", filled.number("companies_id")).await?;
            return Ok(custom::inputs(&definitions, &Object::new(), filled, faults));
        };
        let values = custom_fields(visitor, &object["id"]).await?;
        let titled = custom::of(visitor, "clients", object["companies_id"].as_i64()).await?;
        let title =
            |key: &str| titled.iter().find(|known| known.key == key).map_or_else(|| key.to_owned(), |known| known.title.clone());
        let definitions: Vec<custom::Definition> =
            values.keys().map(|key| custom::Definition { key: key.clone(), title: title(key) }).collect();
        Ok(custom::inputs(&definitions, &values, filled, faults))
    }

    fn adjust(params: &mut Object, typed: &Params, object: Option<&Object>) {
        if object.is_none() && typed.has("credit") && typed.text("credit").is_none() {
            params.insert("credit".to_owned(), Value::Null);
        }
    }

    fn title(object: &Object) -> String {
        object["name"].as_str().unwrap_or_default().to_owned()
    }

    fn after(object: &Object) -> String {
        Self::OF.at(&object["id"])
    }
}

/// The custom fields of a client: every key that counts for it, in their order.
pub(crate) async fn custom_fields(visitor: &Visitor, id: &Value) -> Result<Object, Refusal> {
    thing::object_of(visitor.ask("clients.custom_fields.get", json!({"id": id})).await?)
}

async fn new(visitor: Visitor) -> Answer {
    let defaults = Clients::defaults(&visitor);
    let filled = defaults.iter().fold(form::fresh(&[]), |filled, (name, text)| filled.with(name, Some(text)));
    Ok(show(&new_page(&visitor, filled, Faults::none()).await?))
}

async fn new_page(visitor: &Visitor, filled: Params, faults: Faults) -> Result<ObjectPage, Refusal> {
    visitor.caller.demand(Right::Operate)?;
    let (action, cancel) = ("/clients/new".to_owned(), "/clients".to_owned());
    let sheet = Sheet { method: "clients.create", object: None, filled, faults, action, cancel };
    let body = sheet.form::<Clients>(visitor).await?;
    Ok(plain_page(visitor, "New client".to_owned(), body))
}

fn plain_page(visitor: &Visitor, title: String, body: Html) -> ObjectPage {
    let (actions, above, below) = Default::default();
    ObjectPage { page: visitor.page(title, "clients"), actions, above, body, below }
}

/// The client first, then its custom fields. If these are refused, it is there, and its own form goes on.
async fn create(visitor: Visitor, Typed(typed): Typed) -> Answer {
    let mut params = form::typed("clients.create", GROUPS, &typed);
    Clients::adjust(&mut params, &typed, None);
    let made = match visitor.act("clients.create", params).await {
        Ok(made) => made,
        Err(refusal) => {
            let (typed, faults) = thing::again(typed, &refusal);
            return Ok(show_again(&new_page(&visitor, typed, faults).await?));
        }
    };
    let client = thing::object_of(made.result)?;
    let changes = custom::changes(&typed, &Object::new());
    match set_custom(&visitor, &client["id"], changes).await {
        Ok(more) => {
            let warnings = [made.warnings, more].concat();
            let words = format!("Client {} “{}” was created.", client["id"], client["name"].as_str().unwrap_or_default());
            Ok(with_cookie(go_to(&Clients::after(&client)), &Notice::new(words).warning(&warnings).cookie()))
        }
        Err(refusal) => {
            let saved = Faults::saying("The client was created, but its custom fields were not saved.");
            let filled = typed_over(form::filled(GROUPS, &client), &typed);
            Ok(show_again(&edit_page(&visitor, &client, filled, saved.and(custom_faults(&refusal))).await?))
        }
    }
}

/// What is saved, with the custom fields as they were typed.
fn typed_over(mut filled: Params, typed: &Params) -> Params {
    for (name, text) in typed.iter().filter(|(name, _)| name.starts_with(custom::PREFIX)) {
        filled.set(name, text);
    }
    filled
}

async fn set_custom(visitor: &Visitor, id: &Value, mut changes: Object) -> Result<Vec<String>, Refusal> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    changes.insert("id".to_owned(), id.clone());
    Ok(visitor.act("clients.custom_fields.update", changes).await?.warnings)
}

fn custom_faults(refusal: &Refusal) -> Faults {
    Faults::of_refusal(refusal).within(custom::PREFIX)
}

async fn edit(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let client = thing::one(&visitor, "clients.get", id).await?;
    let filled = form::filled(GROUPS, &client);
    Ok(show(&edit_page(&visitor, &client, filled, Faults::none()).await?))
}

async fn edit_page(visitor: &Visitor, client: &Object, filled: Params, faults: Faults) -> Result<ObjectPage, Refusal> {
    visitor.caller.demand(Right::Operate)?;
    let cancel = Clients::after(client);
    let action = format!("{cancel}/edit");
    let sheet = Sheet { method: "clients.update", object: Some(client), filled, faults, action, cancel };
    let body = sheet.form::<Clients>(visitor).await?;
    Ok(plain_page(visitor, format!("Edit {}", Clients::title(client)), body))
}

/// A client's own fields and its custom ones are two actions, each with its own chain of handlers. Both are rehearsed before one is
/// done, so that what is wrong with either is said at once.
async fn update(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let client = thing::one(&visitor, "clients.get", id).await?;
    let values = custom_fields(&visitor, &id.into()).await?;
    let (params, changes) = (form::typed("clients.update", GROUPS, &typed), custom::changes(&typed, &values));
    match save(&visitor, id, params, changes).await {
        Ok(warnings) => {
            let notice = Notice::new(format!("Client “{}” was saved.", client["name"].as_str().unwrap_or_default()));
            Ok(with_cookie(go_to(&Clients::after(&client)), &notice.warning(&warnings).cookie()))
        }
        Err(faults) => Ok(show_again(&edit_page(&visitor, &client, typed, faults).await?)),
    }
}

async fn save(visitor: &Visitor, id: i64, params: Object, changes: Object) -> Result<Vec<String>, Faults> {
    let both = !params.is_empty() && !changes.is_empty();
    if both {
        let own = rehearsed(visitor, "clients.update", id, &params).await;
        let custom =
            rehearsed(visitor, "clients.custom_fields.update", id, &changes).await.map(|refusal| custom_faults(&refusal));
        let faults = own.map(|refusal| Faults::of_refusal(&refusal)).into_iter().chain(custom).reduce(Faults::and);
        if let Some(faults) = faults {
            return Err(faults);
        }
    }
    let mut warnings = Vec::new();
    if !params.is_empty() {
        let own = with_id(id, params);
        warnings = visitor.act("clients.update", own).await.map_err(|refusal| Faults::of_refusal(&refusal))?.warnings;
    }
    match set_custom(visitor, &id.into(), changes).await {
        Ok(more) => Ok([warnings, more].concat()),
        Err(refusal) if both => Err(Faults::saying("Only the custom fields were not saved.").and(custom_faults(&refusal))),
        Err(refusal) => Err(custom_faults(&refusal)),
    }
}

fn with_id(id: i64, mut params: Object) -> Object {
    params.insert("id".to_owned(), id.into());
    params
}

/// Why a change would be refused, without making it.
async fn rehearsed(visitor: &Visitor, method: &'static str, id: i64, params: &Object) -> Option<Refusal> {
    let mut rehearsal = with_id(id, params.clone());
    rehearsal.insert("dry_run".to_owned(), true.into());
    visitor.act(method, rehearsal).await.err()
}
