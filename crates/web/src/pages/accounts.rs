//! What does a softswitch know a client's calls by?
use axum::{Router, extract::Path, routing::post};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{
    names::Names,
    thing::{self, Of, Thing},
};
use crate::{
    answer::{Answer, go_to, show_again, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    params::Params,
    parts::{
        form::{self, Box, Faults, Group},
        input::{Input, Kind},
        list::List,
        table::{Column, Empty},
        words,
    },
    visitor::Visitor,
};

/// The accounts of clients.
pub(crate) struct Accounts;

const GROUPS: &[Group] = &[
    Group {
        title: "",
        folded: None,
        boxes: &[
            Box::new("clients_id", "Client").help("Whose calls these are"),
            Box::new("name", "Name").help("For people"),
            Box::new("auth_type", "Recognised by")
                .help("The account name and password, the calling number (ani), or addresses (ip)"),
            Box::new("accname", "Account name").help("Needed for name; unique over the whole system"),
            Box::new("password", "Password").help("Empty: it stays as it is"),
            Box::new("ani", "Calling number").help("Needed for ani; unique over the whole system, with the prefix"),
            Box::new("ips", "Addresses").help("Needed for ip: IPv4 or IPv6 addresses or subnets, one a line"),
            Box::new("tech_prefix", "Prefix").help("What its calls begin with, if it shares a number or an address"),
        ],
    },
    Group {
        title: "Calls",
        folded: Some("what it may do, limits, rate tables, protocol"),
        boxes: &[
            Box::new("orig_enabled", "May originate calls"),
            Box::new("orig_capacity", "Calls at once from it").help("Empty: without limit"),
            Box::new("orig_rate_tables_ids", "Rate tables for calls from it").help("Ids, one a line"),
            Box::new("orig_tags", "Labels for calls from it").help("One a line"),
            Box::new("term_enabled", "May terminate calls"),
            Box::new("term_capacity", "Calls at once to it").help("Empty: without limit"),
            Box::new("term_rate_tables_ids", "Rate tables for calls to it").help("Ids, one a line"),
            Box::new("term_tags", "Labels for calls to it").help("One a line"),
            Box::new("routing_plans_id", "Routing plan").help("Its id"),
            Box::new("protocol", "Protocol").help("Such as sip"),
            Box::new("port", "Port"),
        ],
    },
    Group { title: "Notes", folded: Some("free text"), boxes: &[Box::new("notes", "Notes")] },
    super::clients::legacy!(
        "orig_rate_table",
        "term_rate_table",
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
    thing::routes::<Accounts>().route("/accounts/{id}/password", post(no_password).get(thing::back::<Accounts>))
}

/// What an account is recognised by, in a line.
pub(crate) fn known_by(account: &Object) -> Html {
    let text = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
    let by = match account["auth_type"].as_str() {
        Some("ani") => text("ani"),
        Some("ip") => {
            let all: Vec<&str> = account["ips"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let rest = all.len().saturating_sub(3);
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            format!("{}{more}", all.get(..3.min(all.len())).unwrap_or_default().join(", "))
        }
        _ => text("accname"),
    };
    let prefix = account["tech_prefix"].as_str().map(|prefix| markup!(" <span class=\"quiet\">prefix {}</span>", prefix));
    markup!("{}{}", words::code(&by), prefix.unwrap_or_default())
}

/// What people call it: its name, or its id.
pub(crate) fn name(account: &Object) -> String {
    account["name"].as_str().map_or_else(|| format!("#{}", account["id"]), str::to_owned)
}

impl Thing for Accounts {
    const OF: Of = Of {
        path: "/accounts",
        here: "accounts",
        one: "Account",
        many: "Accounts",
        get: "clients.accounts.get",
        search: "clients.accounts.search",
        create: "clients.accounts.create",
        update: "clients.accounts.update",
        delete: "clients.accounts.delete",
        right: Right::Operate,
        groups: GROUPS,
        order: "",
        names: &[],
        of_a_client: true,
    };

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Account", "name", ""),
            list.sorted("Client", "clients_name", ""),
            list.sorted("Recognised by", "auth_type", ""),
            Column { title: "As".to_owned(), ..Column::default() },
            Column { title: "Calls".to_owned(), ..Column::default() },
        ]
    }

    fn cells(_visitor: &Visitor, _names: &Names, row: &Object) -> Vec<Html> {
        let way = |name: &str, word: &str| if row[name] == true { word.to_owned() } else { format!("no {word}") };
        vec![
            markup!(
                "{} <span class=\"quiet\">#{}</span>",
                words::link(&Self::OF.at(&row["id"]), name(row)),
                row["id"].to_string()
            ),
            words::link(&format!("/clients/{}", row["clients_id"]), row["clients_name"].as_str().unwrap_or_default()),
            words::text(&row["auth_type"]),
            known_by(row),
            Html::text(&format!("{}, {}", way("orig_enabled", "originating"), way("term_enabled", "terminating"))),
        ]
    }

    fn filters(_names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("q", "Search", Kind::Line),
            Input::new("auth_type", "Recognised by", Kind::any_of(&["name", "ip", "ani"])),
        ];
        let more =
            [("clients_id", "Client’s id"), ("accname", "Account name"), ("ani", "Calling number"), ("tech_prefix", "Prefix")];
        (seen, more.map(|(name, label)| Input::new(name, label, Kind::Line)).into())
    }

    fn empty() -> Empty {
        Empty::new("Here are the names, numbers and addresses by which a softswitch knows whose call it is.")
            .curl("clients.accounts.create", r#"{"clients_id":1,"auth_type":"ip","ips":["192.0.2.7"]}"#)
    }

    fn defaults(_visitor: &Visitor) -> Vec<(&'static str, String)> {
        [("auth_type", "name"), ("orig_enabled", "true"), ("term_enabled", "true")]
            .map(|(name, text)| (name, text.to_owned()))
            .into()
    }

    /// The password that is there is in no box: it is shown to who asks for it, and a box left empty keeps it.
    async fn extra(
        _visitor: &Visitor,
        object: Option<&Object>,
        filled: &mut Params,
        _faults: &Faults,
    ) -> Result<Vec<Input>, Refusal> {
        if object.is_some() && filled.text("was.password").is_some() {
            *filled = filled.with("password", Some("")).with("was.password", Some(""));
        }
        Ok(Vec::new())
    }

    fn title(object: &Object) -> String {
        format!("Account {}", name(object))
    }

    fn above(visitor: &Visitor, object: &Object) -> Html {
        let client =
            words::link(&format!("/clients/{}", object["clients_id"]), object["clients_name"].as_str().unwrap_or_default());
        let mut above = markup!("<p>Of client {}</p>", client);
        if let Some(password) = object["password"].as_str().filter(|_| visitor.caller.sees_passwords()) {
            let action = format!("{}/password", Self::OF.at(&object["id"]));
            let away =
                markup!("<form method=\"post\" action=\"{}\"><button class=\"small\">Take it away</button></form>", action);
            let away = if visitor.may(Self::OF.right) { away } else { Html::default() };
            if visitor.query.text("password") == Some("shown") {
                above.push(&markup!("<p>Its password: <code>{}</code></p>{}", password, away));
            } else {
                let shown = format!("{}?password=shown", Self::OF.at(&object["id"]));
                above.push(&markup!("<p>{}</p>", words::link(&shown, "Show the password")));
            }
        }
        above
    }

    fn deletion(_object: &Object) -> &'static str {
        "Packages that are for this account alone are closed with it. There is no way back."
    }

    fn after(object: &Object) -> String {
        format!("/clients/{}", object["clients_id"])
    }
}

async fn no_password(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    match visitor.ask("clients.accounts.update", json!({"id": id, "password": null})).await {
        Ok(_) => Ok(with_cookie(go_to(&Accounts::OF.at(id)), &Notice::new("The account has no password now.").cookie())),
        Err(refusal) => {
            let object = thing::one(&visitor, Accounts::OF.get, id).await?;
            let filled = form::filled(GROUPS, &object);
            let page = thing::object_page::<Accounts>(&visitor, &object, filled, Faults::of_refusal(&refusal)).await?;
            Ok(show_again(&page))
        }
    }
}
