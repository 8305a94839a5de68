//! The ledger: what was paid, charged and corrected? Never changed, never deleted; a correction is another transaction.
use axum::Router;
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::Value;

use super::{
    names::Names,
    thing::{self, Of, Thing},
};
use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{
        form::{Box, Choices, Faults, Group},
        input::{Input, Kind},
        json::cut,
        list::List,
        table::{Column, Empty},
        words,
    },
    visitor::Visitor,
};

/// Transactions.
pub(crate) struct Transactions;

const GROUPS: &[Group] = &[Group {
    title: "",
    folded: None,
    boxes: &[
        Box::new("clients_id", "Client"),
        Box::new("type", "Type"),
        Box::new("amount", "Amount").help("Payments and refunds are above 0, charges below 0, corrections any but 0"),
        Box::new("notes", "Notes"),
        Box::new("external_id", "Your own id").help("Unique for each client, so that nothing is booked twice"),
    ],
}];

pub(crate) fn routes() -> Router<Api> {
    thing::routes::<Transactions>()
}

/// What it is for, in words.
pub(crate) fn kind(row: &Object) -> String {
    row["type"].as_str().unwrap_or_default().replace('_', " ")
}

/// Its notes in a line.
pub(crate) fn notes(row: &Object) -> Html {
    row["notes"].as_str().map_or_else(words::nothing, |text| Html::text(cut(text, 160)))
}

impl Thing for Transactions {
    const OF: Of = Of {
        path: "/transactions",
        here: "transactions",
        one: "Transaction",
        many: "Transactions",
        get: "accounting.transactions.get",
        search: "accounting.transactions.search",
        create: "accounting.transactions.create",
        update: "",
        delete: "",
        right: Right::Operate,
        groups: GROUPS,
        order: "-id",
        names: &["clients_id"],
        of_a_client: true,
    };

    fn columns(list: &List) -> Vec<Column> {
        vec![
            list.sorted("Transaction", "id", ""),
            list.sorted("When", "c_dt", ""),
            Column { title: "Client".to_owned(), ..Column::default() },
            list.sorted("Type", "type", ""),
            list.sorted("Amount", "amount", "number"),
            Column { title: "Balance after".to_owned(), class: "number", sort: None },
            Column { title: "Notes".to_owned(), ..Column::default() },
        ]
    }

    fn cells(visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html> {
        vec![
            words::link(&Self::OF.at(&row["id"]), row["id"].to_string()),
            words::ago(visitor.now(), &row["c_dt"]),
            names.client(row),
            Html::text(&kind(row)),
            words::money(&row["amount"]),
            words::money(&row["balance_after"]),
            notes(row),
        ]
    }

    fn filters(_names: &Names) -> (Vec<Input>, Vec<Input>) {
        let seen = vec![
            Input::new("clients_id", "Client’s id", Kind::Line),
            Input::new("type", "Type", Kind::any_of(&["payment", "refund", "charge", "correction", "package_fee"])),
            Input::new("c_dt_from", "From", Kind::Day),
            Input::new("c_dt_to", "To before", Kind::Day),
        ];
        let more = vec![
            Input::new("q", "Notes and own ids", Kind::Line),
            Input::new("external_id", "Your own id", Kind::Line),
            Input::new("amount", "Amount", Kind::Line),
            Input::new("clients_packages_id", "Client package’s id", Kind::Line),
        ];
        (seen, more)
    }

    fn empty() -> Empty {
        Empty::new("Here is every payment, charge and fee. A balance is nothing but their sum.")
            .curl("accounting.transactions.create", r#"{"clients_id":1,"type":"payment","amount":50}"#)
    }

    fn defaults(_visitor: &Visitor) -> Vec<(&'static str, String)> {
        vec![("type", "payment".to_owned())]
    }

    async fn extra(
        _visitor: &Visitor,
        object: Option<&Object>,
        filled: &mut Params,
        _faults: &Faults,
    ) -> Result<Vec<Input>, Refusal> {
        let covered = Input::new("covered", "Only if balance and credit cover it", Kind::Tick)
            .help("Else it is refused, and nothing is charged")
            .filled(filled.text("covered").unwrap_or_default());
        Ok(if object.is_none() { vec![covered] } else { Vec::new() })
    }

    fn creation(typed: &Params) -> &'static str {
        if typed.text("covered") == Some("true") { "accounting.transactions.create_no_negative" } else { Self::OF.create }
    }

    fn title(object: &Object) -> String {
        format!("Transaction {}", object["id"])
    }

    fn known(visitor: &Visitor, object: &Object, _choices: &Choices) -> Html {
        let client = words::link(&format!("/clients/{}", object["clients_id"]), format!("#{}", object["clients_id"]));
        let package = object["clients_packages_id"].as_i64().map(|id| {
            let link = words::link(&format!("/client-packages/{id}"), format!("#{id}"));
            markup!("<dt>Client package</dt><dd>{}</dd>", link)
        });
        markup!(
            "<dl class=\"facts\"><dt>When</dt><dd>{}</dd><dt>Client</dt><dd>{}</dd><dt>What for</dt><dd>{}</dd>{}<dt>Amount</dt><dd>{}</dd><dt>Balance after</dt><dd>{}</dd><dt>Notes</dt><dd>{}</dd><dt>Your own id</dt><dd>{}</dd></dl>",
            words::ago(visitor.now(), &object["c_dt"]),
            client,
            kind(object),
            package.unwrap_or_default(),
            words::money(&object["amount"]),
            words::money(&object["balance_after"]),
            words::text(&object["notes"]),
            words::text(&object["external_id"]),
        )
    }

    fn actions(object: &Object) -> Html {
        let amount = object["amount"].to_string();
        let back = amount.strip_prefix('-').map_or_else(|| format!("-{amount}"), str::to_owned);
        let asked: Params = [
            ("clients_id", object["clients_id"].to_string()),
            ("type", "correction".to_owned()),
            ("amount", back),
            ("notes", format!("Corrects transaction {}", object["id"])),
        ]
        .into_iter()
        .collect();
        markup!("<a class=\"button\" href=\"{}\">Correct it</a>", asked.href("/transactions/new"))
    }

    fn after(object: &Object) -> String {
        format!("/clients/{}", object.get("clients_id").unwrap_or(&Value::Null))
    }
}
