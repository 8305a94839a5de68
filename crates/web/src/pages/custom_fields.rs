//! Which keys of its own does a carrier keep for its clients and packages?
use axum::Router;
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::Value;

use super::{
    names::Names,
    resellers,
    thing::{self, Of, Thing},
};
use crate::{
    html::Html,
    params::Params,
    parts::{
        form::{Box, Choices, Group},
        input::{Choice, Input, Kind},
        list::List,
        table::{Column, Empty},
        words,
    },
    visitor::Visitor,
};

/// The definitions of custom fields.
pub(crate) struct CustomFields;

/// What stands in the box for those of all resellers.
const ALL: &str = "all";

const GROUPS: &[Group] = &[Group {
    title: "",
    folded: None,
    boxes: &[
        Box::new("title", "Title"),
        Box::new("key", "Key")
            .help("What programs call it: letters, digits and _, beginning with a letter. Values follow a key that is renamed"),
        Box::new("object_type", "Of").help("What has the field"),
        Box::new("companies_id", "Reseller").help("For whose objects, and those of the resellers below it, it counts"),
        Box::new("order", "Order").help("1 is shown first"),
    ],
}];

pub(crate) fn routes() -> Router<Api> {
    thing::routes::<CustomFields>()
}

impl Thing for CustomFields {
    const OF: Of = Of {
        path: "/custom-fields",
        here: "custom-fields",
        one: "Custom field",
        many: "Custom fields",
        get: "custom_fields.get",
        search: "custom_fields.search",
        create: "custom_fields.create",
        update: "custom_fields.update",
        delete: "custom_fields.delete",
        right: Right::Operate,
        groups: GROUPS,
        order: "order",
        names: &["companies_id"],
        of_a_client: false,
    };

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Title", "title", ""),
            list.sorted("Key", "key", ""),
            list.sorted("Of", "object_type", ""),
            list.sorted("Reseller", "companies_id", ""),
            list.sorted("Order", "order", "number"),
        ]
    }

    fn cells(_visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        vec![
            words::link(&Self::OF.at(&row["id"]), row["title"].as_str().unwrap_or_default()),
            words::code(row["key"].as_str().unwrap_or_default()),
            words::text(&row["object_type"]),
            names.reseller(row, "companies_id", "all"),
            words::text(&row["order"]),
        ]
    }

    fn filters(names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("q", "Search", Kind::Line),
            Input::new("object_type", "Of", Kind::any_of(&["clients", "packages"])),
            Input::new("companies_id", "Reseller", Kind::Choice(names.resellers())),
        ];
        (seen, Vec::new())
    }

    fn empty() -> Empty {
        Empty::new("A custom field is a key of your own that clients or packages have: a contract’s number, a region.")
            .curl("custom_fields.create", r#"{"object_type":"clients","key":"contract","title":"Contract"}"#)
    }

    async fn choices(visitor: &Visitor, _known: &Params) -> Result<Choices, Refusal> {
        let all = visitor.sees_all().then(|| Choice::new(ALL, "All resellers"));
        let resellers = all.into_iter().chain(resellers::choices(visitor, "").await?).collect();
        Ok(Choices::from([("companies_id", resellers)]))
    }

    fn defaults(visitor: &Visitor) -> Vec<(&'static str, String)> {
        let reseller = visitor.caller.companies_id.map_or_else(|| ALL.to_owned(), |id| id.to_string());
        vec![("companies_id", reseller), ("object_type", "clients".to_owned()), ("order", "100".to_owned())]
    }

    fn adjust(params: &mut Object, typed: &Params, object: Option<&Object>) {
        if object.is_none() && typed.text("companies_id") == Some(ALL) {
            params.insert("companies_id".to_owned(), Value::Null);
        }
    }

    fn title(object: &Object) -> String {
        object["title"].as_str().unwrap_or_default().to_owned()
    }

    fn deletion(_object: &Object) -> &'static str {
        "Its values go with it, of all clients or packages that have it. There is no way back."
    }
}
