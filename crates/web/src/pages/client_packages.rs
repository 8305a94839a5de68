//! Who has which package, since when, paid until when?
use axum::{Router, extract::Path, response::Response, routing::post};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{
    accounts,
    names::Names,
    thing::{self, Of, Thing},
};
use crate::{
    answer::{Answer, go_to, is_own_path, show_again, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    params::Params,
    parts::{
        form::{Box, Choices, Faults, Group},
        input::{Choice, Input, Kind},
        list::{List, objects},
        table::{Column, Empty},
        words,
    },
    session::Typed,
    visitor::Visitor,
};

/// The packages that clients have.
pub(crate) struct ClientPackages;

const GROUPS: &[Group] = &[
    Group {
        title: "",
        folded: None,
        boxes: &[
            Box::new("clients_id", "Client"),
            Box::new("packages_id", "Package"),
            Box::new("accounts_id", "For"),
            Box::new("quantity", "How many").help("Fees are times it"),
        ],
    },
    Group {
        title: "Times and fees",
        folded: Some("from now on, not closed by time, with the package’s own fees"),
        boxes: &[
            Box::new("start_dt", "From").help("A day such as 2026-12-01, or a time with its offset. Empty: now"),
            Box::new("stop_dt", "Closed at").help("The same. Empty: not by time"),
            Box::new("activation_fee", "Fee at the beginning").help("For one of them. Empty: the package’s"),
            Box::new("period_fee", "Fee for each period").help("For one of them. Empty: the package’s"),
        ],
    },
];

/// A step of its life that somebody may ask for.
struct Step {
    word: &'static str,
    /// The conditions that it can be taken from.
    from: &'static [&'static str],
    method: &'static str,
    button: &'static str,
    /// What is said once it is taken.
    done: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        word: "activate",
        from: &["new", "deactivated"],
        method: "clients.packages.activate",
        button: "Activate",
        done: "was activated",
    },
    Step { word: "renew", from: &["activated"], method: "clients.packages.renew", button: "Renew", done: "was renewed" },
    Step {
        word: "deactivate",
        from: &["activated"],
        method: "clients.packages.deactivate",
        button: "Deactivate",
        done: "was deactivated",
    },
    Step {
        word: "close",
        from: &["new", "activated", "deactivated"],
        method: "clients.packages.close",
        button: "Close for good",
        done: "was closed",
    },
];

pub(crate) fn routes() -> Router<Api> {
    thing::routes::<ClientPackages>().route("/client-packages/{id}/{step}", post(step).get(back))
}

/// The buttons for what it can go through now; afterwards one is led back there.
pub(crate) fn buttons(object: &Object, back: &str) -> Html {
    let condition = object["condition"].as_str().unwrap_or_default();
    let mut buttons = Html::default();
    for step in STEPS.iter().filter(|step| step.from.contains(&condition)) {
        let class = if step.word == "close" { "small danger" } else { "small" };
        buttons.push(&markup!(
            "<form class=\"inline\" method=\"post\" action=\"/client-packages/{}/{}\"><input type=\"hidden\" name=\"back\" value=\"{}\"><button class=\"{}\">{}</button></form> ",
            object["id"].to_string(), step.word, back, class, step.button
        ));
    }
    buttons
}

impl Thing for ClientPackages {
    const OF: Of = Of {
        path: "/client-packages",
        here: "client-packages",
        one: "Client package",
        many: "Client packages",
        get: "clients.packages.get",
        search: "clients.packages.search",
        create: "clients.packages.assign",
        update: "",
        delete: "",
        right: Right::Operate,
        groups: GROUPS,
        order: "-id",
        names: &["clients_id", "packages_id"],
        of_a_client: true,
    };

    fn columns(list: &List) -> Vec<Column> {
        vec![
            Column { title: "Package".to_owned(), ..Column::default() },
            list.sorted("Client", "clients_id", ""),
            list.sorted("Status", "status", ""),
            list.sorted("Condition", "condition", ""),
            list.sorted("Paid until", "period_stop_dt", ""),
            Column { title: "Fee".to_owned(), class: "number", sort: None },
            list.sorted("Since", "start_dt", ""),
        ]
    }

    fn cells(visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        let now = visitor.now();
        vec![
            markup!("{}{}", words::link(&Self::OF.at(&row["id"]), package_name(row)), times(row)),
            names.client(row),
            words::state(row["status"].as_str().unwrap_or_default()),
            words::text(&row["condition"]),
            words::ago(now, &row["period_stop_dt"]),
            words::money(&row["period_fee"]),
            words::ago(now, &row["start_dt"]),
        ]
    }

    fn filters(names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("q", "Package’s name", Kind::Line),
            Input::new("packages_id", "Package", Kind::Choice(names.packages())),
            Input::new("status", "Status", Kind::any_of(&["active", "pending", "archive"])),
        ];
        let more = vec![
            Input::new("condition", "Condition", Kind::any_of(&["new", "activated", "deactivated", "closed"])),
            Input::new("clients_id", "Client’s id", Kind::Line),
            Input::new("accounts_id", "Account’s id", Kind::Line),
            Input::new("period_stop_dt_from", "Paid until, from", Kind::Day),
            Input::new("period_stop_dt_to", "to before", Kind::Day),
        ];
        (seen, more)
    }

    fn empty() -> Empty {
        Empty::new("Here is who has which package. The clock activates, renews and closes them.")
            .curl("clients.packages.assign", r#"{"clients_id":1,"packages_id":1}"#)
    }

    async fn choices(visitor: &Visitor, known: &Params) -> Result<Choices, Refusal> {
        let active = json!({"status": "active", "limit": 1_000, "order": ["name"]});
        let packages = objects(visitor.ask("packages.search", active).await?);
        let packages = packages.iter().map(|row| {
            let fee = words::amount(&row["period_fee"].to_string());
            let label = format!("{}: {fee} for {}", text(&row["name"]), text(&row["period"]));
            Choice::new(row["id"].to_string(), label)
        });
        let packages: Vec<Choice> = packages.collect();
        let none = packages.is_empty().then(|| Choice::new("", "There is no active package"));
        let packages = packages.into_iter().chain(none).collect();
        let mut whom = vec![Choice::new("", "The client as a whole")];
        if let Some(clients_id) = known.number("clients_id") {
            let asked = json!({"clients_id": clients_id, "limit": 1_000});
            let owned = objects(visitor.ask("clients.accounts.search", asked).await?);
            whom.extend(owned.iter().map(|row| Choice::new(row["id"].to_string(), format!("Account {}", accounts::name(row)))));
        }
        Ok(Choices::from([("packages_id", packages), ("accounts_id", whom)]))
    }

    fn defaults(_visitor: &Visitor) -> Vec<(&'static str, String)> {
        vec![("quantity", "1".to_owned())]
    }

    fn title(object: &Object) -> String {
        format!("{} of client {}", package_name(object), object["clients_id"])
    }

    fn known(visitor: &Visitor, object: &Object, _choices: &Choices) -> Html {
        let now = visitor.now();
        let client = words::link(&format!("/clients/{}", object["clients_id"]), format!("#{}", object["clients_id"]));
        let package = words::link(&format!("/packages/{}", object["packages_id"]), package_name(object));
        let whom = object["accounts_id"].as_i64().map_or_else(
            || Html::text("the client as a whole"),
            |id| words::link(&format!("/accounts/{id}"), format!("account #{id}")),
        );
        let reason = object["reason"].as_str().map(|reason| markup!(" <span class=\"quiet\">({})</span>", reason));
        markup!(
            "<dl class=\"facts\"><dt>Status</dt><dd>{} {}{}</dd><dt>Client</dt><dd>{}</dd><dt>Package</dt><dd>{}</dd><dt>How many</dt><dd>{}</dd><dt>For</dt><dd>{}</dd><dt>Since</dt><dd>{}</dd><dt>Closed at</dt><dd>{}</dd><dt>Paid period</dt><dd>began {}, ends {}</dd><dt>Fee for each period</dt><dd>{}</dd><dt>Fee at the beginning</dt><dd>{}</dd></dl>",
            words::state(object["status"].as_str().unwrap_or_default()),
            words::text(&object["condition"]),
            reason.unwrap_or_default(),
            client,
            package,
            object["quantity"].to_string(),
            whom,
            words::ago(now, &object["start_dt"]),
            words::ago(now, &object["stop_dt"]),
            words::ago(now, &object["period_start_dt"]),
            words::ago(now, &object["period_stop_dt"]),
            words::money(&object["period_fee"]),
            words::money(&object["activation_fee"]),
        )
    }

    fn actions(object: &Object) -> Html {
        buttons(object, &Self::OF.at(&object["id"]))
    }

    async fn below(_visitor: &Visitor, object: &Object) -> Result<Html, Refusal> {
        let id = object["id"].to_string();
        Ok(markup!(
            "<p>{} · {}</p>",
            words::link(&format!("/transactions?clients_packages_id={id}"), "Its fees"),
            words::link(&format!("/provisioning/events?object_id={id}&clients_id={}", object["clients_id"]), "Its events")
        ))
    }

    fn after(object: &Object) -> String {
        format!("/clients/{}", object["clients_id"])
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a client package is called: as its package.
pub(crate) fn package_name(row: &Object) -> String {
    row["packages_name"].as_str().map_or_else(|| format!("Package {}", row["packages_id"]), str::to_owned)
}

/// How many of it, if there are several.
pub(crate) fn times(row: &Object) -> Html {
    match row["quantity"].as_i64() {
        Some(many) if many > 1 => markup!(" <span class=\"quiet\">× {}</span>", many),
        _ => Html::default(),
    }
}

async fn back(Path((id, _)): Path<(i64, String)>) -> Response {
    go_to(&ClientPackages::OF.at(id))
}

async fn step(visitor: Visitor, Path((id, step)): Path<(i64, String)>, Typed(typed): Typed) -> Answer {
    let Some(step) = STEPS.iter().find(|known| known.word == step) else {
        return Err(Refusal::not_found("steps", step).into());
    };
    let object = thing::one(&visitor, ClientPackages::OF.get, id).await?;
    match visitor.act(step.method, Object::from_iter([("id".to_owned(), id.into())])).await {
        Ok(answer) => {
            let back = typed.text("back").filter(|back| is_own_path(back)).unwrap_or(ClientPackages::OF.path);
            let notice = Notice::new(format!("{} {}.", package_name(&object), step.done)).warning(&answer.warnings);
            // What was activated can be deactivated again, but not what was paid be taken back: so there is no undo.
            Ok(with_cookie(go_to(back), &notice.cookie()))
        }
        Err(refusal) => {
            let faults = Faults::of_refusal(&refusal);
            Ok(show_again(&thing::object_page::<ClientPackages>(&visitor, &object, Params::default(), faults).await?))
        }
    }
}
