//! Who may call and sign in, and what may he do?
//!
//! A key is shown in the answer to the form that made it, and nowhere else: no address, no cookie and no later page has it.
use askama::Template;
use axum::{Router, extract::Path, routing::post};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};

use super::{
    names::Names,
    resellers,
    thing::{self, ObjectPage, Of, Thing},
};
use crate::{
    answer::{Answer, show, show_again},
    html::Html,
    markup,
    params::Params,
    parts::{
        form::{self, Box, Choices, Faults, Group},
        input::{Input, Kind},
        list::List,
        table::{Column, Empty},
        words,
    },
    session::Typed,
    visitor::{Page, Visitor},
};

/// Users.
pub(crate) struct Users;

const GROUPS: &[Group] = &[Group {
    title: "",
    folded: None,
    boxes: &[
        Box::new("login", "Login"),
        Box::new("role", "Role").help(
            "Admin: everything. Operator: everything but users and the making and changing of handlers. Readonly: reads, and never sees a password",
        ),
        Box::new("companies_id", "Reseller").help("Whose objects, and those of the resellers below it, it sees"),
        Box::new("password", "Password").help("For the web section, 12 characters at least. Empty: it stays as it is; without one there are only keys"),
        Box::new("allowed_ips", "May call from").help("Addresses or subnets, one a line. Empty: from anywhere"),
        Box::new("status", "Status").help("Disabled: its keys and its password are refused"),
    ],
}];

/// What a new key's form holds.
const ROTATION: &[Group] = &[Group {
    title: "",
    folded: None,
    boxes: &[Box::new("overlap_hours", "Hours that the old key works on").help("0: it ends at once")],
}];

pub(crate) fn routes() -> Router<Api> {
    thing::routes::<Users>().route("/users/{id}/rotate_key", post(rotate).get(thing::back::<Users>))
}

#[derive(Template)]
#[template(path = "pages/key.html")]
struct KeyPage {
    page: Page,
    words: String,
    warnings: Vec<String>,
    key: String,
    back: String,
}

fn key_page(visitor: &Visitor, answer: &hookswitch_core::Answer, done: &str) -> Answer {
    let user = thing::object_of(answer.result.clone())?;
    let login = user["login"].as_str().unwrap_or_default();
    let key = user.get("key").and_then(|key| key.as_str()).unwrap_or_default().to_owned();
    let page = visitor.page(format!("The key of {login}"), Users::OF.here);
    let words = format!("User “{login}” {done}.");
    Ok(show(&KeyPage { page, words, warnings: answer.warnings.clone(), key, back: Users::OF.at(&user["id"]) }))
}

impl Thing for Users {
    const OF: Of = Of {
        path: "/users",
        here: "users",
        one: "User",
        many: "Users",
        get: "users.get",
        search: "users.search",
        create: "users.create",
        update: "users.update",
        delete: "users.delete",
        right: Right::Administer,
        groups: GROUPS,
        order: "login",
        names: &["companies_id"],
        of_a_client: false,
    };

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Login", "login", ""),
            list.sorted("Role", "role", ""),
            list.sorted("Reseller", "companies_id", ""),
            Column { title: "From".to_owned(), ..Column::default() },
            list.sorted("Status", "status", ""),
        ]
    }

    fn cells(_visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        let from = form::shown_text(&row["allowed_ips"]).replace('\n', ", ");
        vec![
            words::link(&Self::OF.at(&row["id"]), row["login"].as_str().unwrap_or_default()),
            words::text(&row["role"]),
            names.reseller(row, "companies_id", "the whole system"),
            if from.is_empty() { markup!("<span class=\"quiet\">anywhere</span>") } else { words::code(&from) },
            words::state(row["status"].as_str().unwrap_or_default()),
        ]
    }

    fn filters(names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("q", "Search", Kind::Line),
            Input::new("role", "Role", Kind::any_of(&["admin", "operator", "readonly"])),
            Input::new("status", "Status", Kind::any_of(&["active", "disabled"])),
            Input::new("companies_id", "Reseller", Kind::Choice(names.resellers())),
        ];
        (seen, Vec::new())
    }

    fn empty() -> Empty {
        Empty::new("Here is who may call and sign in.").curl("users.create", r#"{"login":"crm","role":"operator"}"#)
    }

    async fn choices(visitor: &Visitor, _known: &Params) -> Result<Choices, Refusal> {
        let none = if visitor.sees_all() { "None: the whole system" } else { "" };
        let mut resellers = resellers::choices(visitor, none).await?;
        // A reseller's admin makes users of its own reseller only.
        if let Some(own) = visitor.caller.companies_id {
            resellers.retain(|choice| choice.value == own.to_string());
        }
        Ok(Choices::from([("companies_id", resellers)]))
    }

    fn defaults(_visitor: &Visitor) -> Vec<(&'static str, String)> {
        vec![("role", "operator".to_owned()), ("status", "active".to_owned())]
    }

    fn title(object: &Object) -> String {
        format!("User {}", object["login"].as_str().unwrap_or_default())
    }

    async fn below(_visitor: &Visitor, object: &Object) -> Result<Html, Refusal> {
        Ok(rotation(object, &Params::from_iter([("overlap_hours", "0".to_owned())]), &Faults::none()))
    }

    fn deletion(_object: &Object) -> &'static str {
        "Its keys end at once, and it is signed out. There is no way back."
    }

    fn made(visitor: &Visitor, made: &hookswitch_core::Answer) -> Answer {
        key_page(visitor, made, "was created")
    }
}

fn rotation(object: &Object, typed: &Params, faults: &Faults) -> Html {
    let hours = Input::new("overlap_hours", ROTATION[0].boxes[0].label, Kind::Number)
        .help(ROTATION[0].boxes[0].help)
        .filled(typed.raw("overlap_hours").unwrap_or_default())
        .wrong(faults.of("overlap_hours"));
    markup!(
        "<h2>A new key</h2><p>It is shown once. Programs that use the old one go on until that ends.</p><form method=\"post\" action=\"{}/rotate_key\" class=\"sheet\"><input type=\"hidden\" name=\"idempotency_key\" value=\"{}\">{}<button>Make a new key</button></form>",
        Users::OF.at(&object["id"]),
        typed.text("idempotency_key").map_or_else(crate::visitor::once, str::to_owned),
        hours.html()
    )
}

async fn rotate(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let mut params = form::typed("users.rotate_key", ROTATION, &typed);
    params.insert("id".to_owned(), id.into());
    match visitor.act("users.rotate_key", params).await {
        Ok(answer) => key_page(&visitor, &answer, "has a new key"),
        Err(refusal) => {
            let object = thing::one(&visitor, Users::OF.get, id).await?;
            let faults = Faults::of_refusal(&refusal);
            let mut body = faults.html();
            body.push(&rotation(&object, &typed, &faults));
            let (actions, above, below) = Default::default();
            let page = visitor.page(Users::title(&object), Users::OF.here);
            Ok(show_again(&ObjectPage { page, actions, above, body, below }))
        }
    }
}
