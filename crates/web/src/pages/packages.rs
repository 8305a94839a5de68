//! What can a client be given for a fee?
use axum::Router;
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::Value;

use super::{
    custom,
    names::Names,
    resellers,
    thing::{self, Of, Thing},
};
use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{
        form::{Box, Choices, Faults, Group},
        input::{Input, Kind},
        list::List,
        table::{Column, Empty},
        words,
    },
    visitor::Visitor,
};

/// Packages.
pub(crate) struct Packages;

const GROUPS: &[Group] = &[
    Group {
        title: "",
        folded: None,
        boxes: &[
            Box::new("name", "Name"),
            Box::new("companies_id", "Reseller")
                .help("Given once. Its clients, and those of the resellers below it, can have it"),
            Box::new("status", "Status").help(
                "Disabled: nobody gets it any more, who has it keeps it. Archive: it is closed for all who have it, for good",
            ),
            Box::new("period", "Period").help("How long a paid period is: P1M is a month, P1D a day, PT1H an hour"),
            Box::new("period_fee", "Fee for each period"),
            Box::new("activation_fee", "Fee at the beginning").help("Charged once, with the first period"),
        ],
    },
    Group {
        title: "When it is renewed and had",
        folded: Some("when a period is renewed, when it can be had, its currency"),
        boxes: &[
            Box::new("advance_renew", "Renewed before the end by")
                .help("Such as PT1H; at the period’s beginning at the earliest"),
            Box::new("renew_due", "Renewed after the end for").help("Such as P7D; then it is closed. Empty: without end"),
            Box::new("effective_from", "Can be had from")
                .help("A day such as 2026-12-01, or a time with its offset. Empty: always"),
            Box::new("effective_till", "Can be had till").help("The same. Empty: without end"),
            Box::new("currencies_id", "Currency").help("The id of the currency of its fees. Empty: the reseller’s"),
        ],
    },
    Group { title: "Notes", folded: Some("free text"), boxes: &[Box::new("notes", "Notes")] },
];

pub(crate) fn routes() -> Router<Api> {
    thing::routes::<Packages>()
}

impl Thing for Packages {
    const OF: Of = Of {
        path: "/packages",
        here: "packages",
        one: "Package",
        many: "Packages",
        get: "packages.get",
        search: "packages.search",
        create: "packages.create",
        update: "packages.update",
        delete: "packages.delete",
        right: Right::Operate,
        groups: GROUPS,
        order: "",
        names: &["companies_id"],
        of_a_client: false,
    };
    const EXTRA: &'static str = "Custom fields";

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Package", "name", ""),
            list.sorted("Period", "period", ""),
            list.sorted("Fee", "period_fee", "number"),
            list.sorted("At the beginning", "activation_fee", "number"),
            list.sorted("Reseller", "companies_id", ""),
            list.sorted("Status", "status", ""),
            Column { title: "Clients that have it".to_owned(), ..Column::default() },
        ]
    }

    fn cells(_visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        vec![
            words::link(&Self::OF.at(&row["id"]), row["name"].as_str().unwrap_or_default()),
            words::code(row["period"].as_str().unwrap_or_default()),
            words::money(&row["period_fee"]),
            words::money(&row["activation_fee"]),
            names.reseller(row, "companies_id", ""),
            words::state(row["status"].as_str().unwrap_or_default()),
            words::link(&format!("/client-packages?packages_id={}&status=active", row["id"]), "show"),
        ]
    }

    fn filters(names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("q", "Search", Kind::Line),
            Input::new("status", "Status", Kind::any_of(&["active", "disabled", "archive"])),
        ];
        (seen, vec![Input::new("companies_id", "Reseller", Kind::Choice(names.resellers()))])
    }

    fn empty() -> Empty {
        Empty::new("A package is something that clients have for a fee, period after period: the clock charges and renews it.")
            .curl("packages.create", r#"{"name":"Basic","period":"P1M","period_fee":10}"#)
    }

    async fn choices(visitor: &Visitor, _known: &Params) -> Result<Choices, Refusal> {
        Ok(Choices::from([("companies_id", resellers::choices(visitor, "").await?)]))
    }

    fn defaults(visitor: &Visitor) -> Vec<(&'static str, String)> {
        let reseller = visitor.caller.companies_id.unwrap_or(1).to_string();
        let plain =
            [("status", "active"), ("period", "P1M"), ("period_fee", "0"), ("activation_fee", "0"), ("advance_renew", "PT1H")];
        plain.iter().map(|(name, text)| (*name, (*text).to_owned())).chain([("companies_id", reseller)]).collect()
    }

    async fn extra(
        visitor: &Visitor,
        object: Option<&Object>,
        filled: &mut Params,
        faults: &Faults,
    ) -> Result<Vec<Input>, Refusal> {
        let reseller = object.map_or_else(|| filled.number("companies_id"), |object| object["companies_id"].as_i64());
        let definitions = custom::of(visitor, "packages", reseller).await?;
        Ok(custom::inputs(&definitions, &set(object), filled, faults))
    }

    fn adjust(params: &mut Object, typed: &Params, object: Option<&Object>) {
        let changes = custom::changes(typed, &set(object));
        if !changes.is_empty() {
            params.insert("custom_fields".to_owned(), changes.into());
        }
    }

    fn title(object: &Object) -> String {
        format!("Package {}", object["name"].as_str().unwrap_or_default())
    }

    async fn below(_visitor: &Visitor, object: &Object) -> Result<Html, Refusal> {
        let href = format!("/client-packages?packages_id={}", object["id"]);
        Ok(markup!("<p>{}</p>", words::link(&href, "Who has it")))
    }

    fn deletion(_object: &Object) -> &'static str {
        "Only one that nobody has can be deleted; archive it to close it for all who have it. There is no way back."
    }
}

fn set(object: Option<&Object>) -> Object {
    match object.and_then(|object| object.get("custom_fields")) {
        Some(Value::Object(values)) => values.clone(),
        _ => Object::new(),
    }
}
