//! Where each handler stands: how much it has not heard of, since when, and why. Every number leads to the rows that it counts.
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::json;

use crate::{
    html::Html,
    markup,
    parts::{happened::text, list::objects, table::Table, words},
    visitor::Visitor,
};

/// Handlers that are listed: those that matter come first.
const LISTED_MAX: usize = 20;

/// Which numbers of a handler are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Deliveries,
    Outcomes,
}

impl Of {
    fn number(self, row: &Object, name: &str) -> i64 {
        let number = match self {
            Self::Deliveries => &row[name],
            Self::Outcomes => &row["outcomes"][name],
        };
        number.as_i64().unwrap_or(0)
    }

    fn path(self) -> &'static str {
        match self {
            Self::Deliveries => super::DELIVERIES,
            Self::Outcomes => super::OUTCOMES,
        }
    }
}

/// As markup: a line for each handler for which something waits or is dead.
///
/// # Errors
/// Whatever the door says.
pub(super) async fn standing(visitor: &Visitor, of: Of) -> Result<Html, Refusal> {
    let all = visitor.ask("provisioning.handlers.status", json!({})).await?;
    let mut rows = objects(all["handlers"].clone());
    rows.retain(|row| ["waiting", "retrying", "dead"].into_iter().any(|name| of.number(row, name) > 0));
    if rows.is_empty() {
        let words = match of {
            Of::Deliveries => "Every handler has heard all that it is to hear.",
            Of::Outcomes => "Every handler has heard how the actions ended that it was asked about.",
        };
        return Ok(markup!("<p class=\"quiet\">{}</p>", words));
    }
    rows.sort_by_key(|row| std::cmp::Reverse((of.number(row, "dead"), of.number(row, "retrying"), of.number(row, "waiting"))));
    let titles: &[&str] = match of {
        Of::Deliveries => &["Handler", "Stands", "Waiting", "Retrying", "Dead", "Oldest"],
        Of::Outcomes => &["Handler", "Stands", "Waiting", "Retrying", "Dead"],
    };
    let mut table = Table::new("Where handlers stand", titles).numbers(&["Waiting", "Retrying", "Dead"]);
    for row in rows.iter().take(LISTED_MAX) {
        table.row(row["id"].to_string(), cells(visitor, of, row));
    }
    let mut html = table.html();
    if rows.len() > LISTED_MAX {
        let others = words::counted(i64::try_from(rows.len() - LISTED_MAX).unwrap_or(0), "other handler", "other handlers");
        html.push(&markup!("<p>{} not listed here: {}.</p>", others, words::link("/provisioning/handlers", "all handlers")));
    }
    Ok(html)
}

fn cells(visitor: &Visitor, of: Of, row: &Object) -> Vec<Html> {
    let id = &row["id"];
    let linked = |name: &str| match of.number(row, name) {
        0 => words::nothing(),
        number => words::link(&format!("{}?handlers_id={id}&state={name}", of.path()), words::number(number)),
    };
    let mut cells = vec![
        words::link(&format!("/provisioning/handlers/{id}"), text(row, "name")),
        stands(row),
        linked("waiting"),
        linked("retrying"),
        linked("dead"),
    ];
    if of == Of::Deliveries {
        cells.push(words::ago(visitor.now(), &row["behind_since"]));
    }
    cells
}

fn stands(row: &Object) -> Html {
    let by = row["paused"]["by"].as_str();
    match (by, text(row, "status"), text(row, "state")) {
        (Some("breaker"), _, _) => words::state("paused by breaker"),
        (Some(by), _, _) => markup!("{} <span class=\"quiet\">by {}</span>", words::state("paused"), by),
        (None, status @ ("disabled" | "archived"), _) => words::state(status),
        (None, _, state) => words::state(&state.replace('_', " ")),
    }
}
