//! The list of either queue: what a person sees of it, with ticks for the repair. What its columns and filters are, each queue says itself.
use hookswitch_core::access::Right;
use hookswitch_model::Object;
use serde_json::json;

use super::{Queue, beside, repair, standing};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    pages::live::LivePage,
    parts::{
        happened::{self, Names},
        input::{Choice, Input, Kind},
        list::List,
        table::{Empty, Table},
    },
    visitor::Visitor,
};

/// How a queue looks.
pub(super) struct Look {
    pub(super) queue: Queue,
    pub(super) standing: standing::Of,
    /// Of the page and of its table.
    pub(super) title: &'static str,
    /// One of them, to whoever can't see the ticks.
    pub(super) one: &'static str,
    pub(super) columns: &'static [&'static str],
    /// Columns that are cut where there is little room.
    pub(super) tight: &'static [&'static str],
    pub(super) cells: fn(&Object, &Names, &Visitor) -> Vec<Html>,
    pub(super) states: &'static [&'static str],
    /// Filters of its own, shown behind that by state.
    pub(super) filters: fn() -> Vec<Input>,
    /// What its event's id is called.
    pub(super) id_label: &'static str,
    pub(super) empty: fn(is_filtered: bool) -> Empty,
}

/// Asks for its rows, and shows them.
pub(super) async fn list(visitor: Visitor, look: Look) -> Answer {
    let list = List::ask(&visitor, look.queue.search, json!({})).await?;
    let names = Names::of(&visitor, &list.rows).await?;
    let table = table(&look, &list, &names, &visitor);
    let standing = standing::standing(&visitor, look.standing).await?;
    Ok(show(&LivePage {
        page: visitor.page(look.title, "deliveries"),
        tabs: beside(look.queue.path),
        above: markup!("<div id=\"standing\" data-live=\"part\">{}</div>", standing),
        filters: filters(&look, &list, &names, &visitor),
        note: repair::buttons(&visitor, look.queue, &list).await?,
        table: table.html(),
        pager: list.pager(),
        is_live: false,
    }))
}

fn table(look: &Look, list: &List, names: &Names, visitor: &Visitor) -> Table {
    let may = visitor.may(Right::Operate);
    let ticks = may.then_some("");
    let titles: Vec<&str> = ticks.into_iter().chain(look.columns.iter().copied()).collect();
    let mut table = Table { empty: (look.empty)(list.is_filtered()), ..Table::new(look.title, &titles) }
        .numbers(&["Tries"])
        .cut("tight", look.tight);
    for row in &list.rows {
        let ticks = may.then(|| repair::tick(row, look.one));
        table.row(row["id"].to_string(), ticks.into_iter().chain((look.cells)(row, names, visitor)).collect());
    }
    table
}

fn filters(look: &Look, list: &List, names: &Names, visitor: &Visitor) -> Html {
    let handlers = names.choices(visitor.query.text("handlers_id")).map_or(Kind::Number, Kind::Choice);
    let state = Input::new("state", "State", any_of(look.states));
    let usual = [
        Input::new("handlers_id", "Handler", handlers),
        Input::new("clients_id", "Client's id", Kind::Number),
        Input::new("events_id", "Event", Kind::Choice(happened::choices())),
    ];
    let seen = std::iter::once(state).chain((look.filters)()).chain(usual).collect();
    list.filters(seen, vec![Input::new("event_id", look.id_label, Kind::Line)])
}

/// One of these words, or all.
pub(super) fn any_of(words: &[&str]) -> Kind {
    Kind::Choice(std::iter::once(Choice::new("", "All")).chain(Choice::words(words)).collect())
}
