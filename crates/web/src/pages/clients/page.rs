//! What happened to client 42, and does everybody know?
//!
//! A client that is deleted still has its page: its transactions, its events and what handlers were told of them are kept.
use askama::Template;
use axum::{extract::Path, response::Response};
use hookswitch_core::access::Right;
use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::json;

use super::{
    GROUPS, custom, custom_fields, known,
    story::Called,
    timeline::{Place, Timeline},
};
use crate::{
    answer::{Answer, show, show_again},
    html::Html,
    markup,
    pages::{accounts, client_packages, names::Names, pick, thing, transactions},
    parts::{
        form::{self, Choices, Faults},
        happened::text,
        list::objects,
        picture, words,
    },
    visitor::{Page, Visitor},
};

/// Accounts and packages that are looked at; so many of them are shown.
const OWNED_MAX: usize = 200;
const SHOWN_MAX: usize = 8;
/// Transactions that the picture of the balance is made of; some of them are shown.
const DRAWN_MAX: usize = 200;
const LATEST: usize = 5;
/// Custom fields that are shown.
const CUSTOM_MAX: usize = 40;

#[derive(Template)]
#[template(path = "pages/clients/page.html")]
struct ClientPage {
    page: Page,
    id: i64,
    /// True if the reader may change it.
    may: bool,
    actions: Html,
    faults: Html,
    state: Html,
    known: Html,
    timeline: Html,
    earlier: Option<String>,
    later: Option<String>,
    /// Of one that is not deleted.
    has: Option<Has>,
    transactions: Html,
    /// By which a payment counts once, however often it is sent.
    key: String,
    ending: Html,
}

/// What only a client has that is there.
struct Has {
    accounts: Html,
    packages: Html,
    details: Html,
}

pub(super) async fn open(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    Ok(show(&client_page(&visitor, id, Html::default()).await?))
}

/// The page, with why something was refused.
pub(super) async fn refused(visitor: &Visitor, id: i64, refusal: &Refusal) -> Result<Response, crate::answer::Failure> {
    Ok(show_again(&client_page(visitor, id, Faults::of_refusal(refusal).html()).await?))
}

/// What is known of a client: itself, what it has, what was booked.
struct Known {
    client: Option<Object>,
    accounts: Vec<Object>,
    packages: Vec<Object>,
    /// The newest first.
    booked: Vec<Object>,
}

impl Known {
    async fn ask(visitor: &Visitor, id: i64) -> Result<Self, Refusal> {
        let client = match thing::one(visitor, "clients.get", id).await {
            Ok(client) => Some(client),
            // One that is deleted has events still.
            Err(refusal @ Refusal::NotFound { .. }) => {
                let asked = json!({"clients_id": id, "limit": 1});
                if objects(visitor.ask("provisioning.events.search", asked).await?).is_empty() {
                    return Err(refusal);
                }
                None
            }
            Err(other) => return Err(other),
        };
        let owned = json!({"clients_id": id, "limit": OWNED_MAX + 1, "order": ["-id"]});
        let accounts = objects(visitor.ask("clients.accounts.search", owned.clone()).await?);
        let packages = objects(visitor.ask("clients.packages.search", owned).await?);
        let booked = json!({"clients_id": id, "limit": DRAWN_MAX + 1, "order": ["-id"]});
        let booked = objects(visitor.ask("accounting.transactions.search", booked).await?);
        Ok(Self { client, accounts, packages, booked })
    }
}

async fn client_page(visitor: &Visitor, id: i64, faults: Html) -> Result<ClientPage, Refusal> {
    let (now, may) = (visitor.now(), visitor.may(Right::Operate));
    let known = Known::ask(visitor, id).await?;
    let status = visitor.ask("provisioning.handlers.status", json!({"clients_id": id})).await?;
    let place = visitor.query.number("before").filter(|before| *before > 0);
    let timeline = Timeline::ask(visitor, id, place, &status).await?;
    let called = Called::new(&known.accounts, &known.packages);
    let page_at = |place: Place| match place {
        Some(before) => format!("/clients/{id}?before={before}"),
        None => format!("/clients/{id}"),
    };
    let has = match &known.client {
        Some(client) => Some(has(visitor, id, client, &known, may).await?),
        None => None,
    };
    let title = known.client.as_ref().map_or_else(|| "Deleted client".to_owned(), |client| text(client, "name").to_owned());
    let live = known.client.as_ref().filter(|_| may);
    Ok(ClientPage {
        page: visitor.page(title, "clients"),
        id,
        may,
        actions: live.map(|client| actions(id, client)).unwrap_or_default(),
        faults,
        state: state(visitor, id, &known).await?,
        known: known::list(now, &status),
        timeline: timeline.html(now, &called),
        earlier: timeline.earlier.map(|before| page_at(Some(before))),
        later: timeline.later.map(page_at),
        has,
        transactions: latest(now, id, &known.booked),
        key: form::fresh(&[]).raw("idempotency_key").unwrap_or_default().to_owned(),
        ending: live.map(|client| ending(id, client, &known)).unwrap_or_default(),
    })
}

fn transactions_of(booked: &[Object]) -> String {
    if booked.len() == 1 { "1 transaction".to_owned() } else { format!("{} transactions", many(booked, DRAWN_MAX)) }
}

/// How many there are, as far as was looked: `3`, `200+`.
fn many(rows: &[Object], most: usize) -> String {
    if rows.len() > most { format!("{most}+") } else { rows.len().to_string() }
}

/// The row of figures: status, balances, how the balance went.
async fn state(visitor: &Visitor, id: i64, known: &Known) -> Result<Html, Refusal> {
    let Some(client) = &known.client else {
        return Ok(markup!(
            "<p class=\"banner\">{} This client was deleted. What is kept of it is below.</p>",
            words::state("deleted")
        ));
    };
    let names = Names::of(visitor, std::slice::from_ref(client), &["companies_id"]).await?;
    let credit = if client["credit"].is_null() {
        Html::text("unlimited credit")
    } else {
        markup!("credit {}", words::money(&client["credit"]))
    };
    let mut cards = markup!(
        "<div class=\"card\"><h3>Status</h3><div class=\"figure\">{}</div><p class=\"quiet\">{}, created {}</p></div>",
        words::state(text(client, "status")),
        names.reseller(client, "companies_id", ""),
        words::ago(visitor.now(), &client["c_dt"])
    );
    cards.push(&markup!(
        "<div class=\"card\"><h3>Live balance</h3><div class=\"figure\">{}</div><p class=\"quiet\">{}</p></div>",
        words::money(&client["balance"]),
        words::link(&format!("/transactions?clients_id={id}"), transactions_of(&known.booked))
    ));
    cards.push(&markup!(
        "<div class=\"card\"><h3>Available</h3><div class=\"figure\">{}</div><p class=\"quiet\">{}</p></div>",
        pick::available(&client["available"]),
        credit
    ));
    cards.push(&markup!("<div class=\"card wide\"><h3>Balance</h3>{}</div>", history(visitor.now(), &known.booked)));
    Ok(markup!("<div class=\"cards standing\">{}</div>", cards))
}

/// How the balance went, by the newest transactions. Digits are for words, the picture may round.
fn history(now: Moment, booked: &[Object]) -> Html {
    let shown = &booked[..booked.len().min(DRAWN_MAX)];
    let (Some(newest), Some(oldest)) = (shown.first(), shown.last()) else {
        return markup!("<p class=\"quiet\">Nothing was booked yet.</p>");
    };
    let mut points: Vec<f64> = shown.iter().rev().filter_map(|row| row["balance_after"].as_f64()).collect();
    if booked.len() <= DRAWN_MAX {
        points.insert(0, 0.0);
    }
    let words = |row: &Object| words::amount(&row["balance_after"].to_string());
    let title = format!("The balance over the last {} transactions: from {} to {}", shown.len(), words(oldest), words(newest));
    markup!(
        "{}<p class=\"quiet\">{}, the first {}</p>",
        picture::line(&points, 280, 48, &title),
        words::counted(i64::try_from(shown.len()).unwrap_or(i64::MAX), "transaction", "transactions"),
        words::ago(now, &oldest["c_dt"])
    )
}

async fn has(visitor: &Visitor, id: i64, client: &Object, known: &Known, may: bool) -> Result<Has, Refusal> {
    let values = custom_fields(visitor, &id.into()).await?;
    let titled = custom::of(visitor, "clients", client["companies_id"].as_i64()).await?;
    let mut details = Html::default();
    let set: Vec<_> = values.iter().filter(|(_, value)| !value.is_null()).collect();
    for (key, value) in set.iter().take(CUSTOM_MAX) {
        let title = titled.iter().find(|known| known.key == **key).map_or(key.as_str(), |known| known.title.as_str());
        details.push(&markup!("<dt>{}</dt><dd>{}</dd>", title, words::said(&form::shown_text(value))));
    }
    if set.len() > CUSTOM_MAX {
        let rest = words::number(i64::try_from(set.len() - CUSTOM_MAX).unwrap_or(0));
        details.push(&markup!("<dt>And {} more</dt><dd>in the form that changes them</dd>", rest));
    }
    let mut all = thing::facts(&GROUPS[..1], &without_what_is_above(client), &Choices::new());
    if !details.is_empty() {
        all.push(&markup!("<h3>Custom fields</h3><dl class=\"facts\">{}</dl>", details));
    }
    for group in &GROUPS[1..] {
        let shown = thing::facts(std::slice::from_ref(group), client, &Choices::new());
        if shown.to_string().contains("<dt>") {
            all.push(&markup!("<h3>{}</h3>{}", group.title, shown));
        }
    }
    Ok(Has {
        accounts: owned_accounts(id, &known.accounts),
        packages: owned_packages(visitor.now(), id, &known.packages, may),
        details: all,
    })
}

fn without_what_is_above(client: &Object) -> Object {
    let above = ["name", "companies_id", "status", "credit"];
    client.iter().filter(|(name, _)| !above.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A list of what it has, and a link to all where that is not all.
fn owned(lines: Vec<Html>, all: &str, rows: &[Object], nothing: &str) -> Html {
    if rows.is_empty() {
        return markup!("<p class=\"quiet\">{}</p>", nothing);
    }
    let more = (rows.len() > SHOWN_MAX).then(|| markup!("<p>{}</p>", words::link(all, format!("All {}", many(rows, OWNED_MAX)))));
    markup!("<ul class=\"owned\">{}</ul>{}", Html::joined(lines, ""), more.unwrap_or_default())
}

fn owned_accounts(id: i64, rows: &[Object]) -> Html {
    let line = |row: &Object| {
        let link = words::link(&format!("/accounts/{}", row["id"]), accounts::name(row));
        markup!("<li>{} <span class=\"quiet\">{}</span> {}</li>", link, text(row, "auth_type"), accounts::known_by(row))
    };
    let lines = rows.iter().take(SHOWN_MAX).map(line).collect();
    owned(lines, &format!("/accounts?clients_id={id}"), rows, "None: no call is known to be its.")
}

fn owned_packages(now: Moment, id: i64, rows: &[Object], may: bool) -> Html {
    let line = |row: &Object| {
        let link = words::link(&format!("/client-packages/{}", row["id"]), client_packages::package_name(row));
        let until = if row["period_stop_dt"].is_null() {
            Html::default()
        } else {
            markup!(", paid until {}", words::ago(now, &row["period_stop_dt"]))
        };
        let reason = row["reason"].as_str().map(|reason| markup!(" ({})", reason)).unwrap_or_default();
        let buttons = if may { client_packages::buttons(row, &format!("/clients/{id}")) } else { Html::default() };
        markup!(
            "<li>{}{} {} <span class=\"quiet\">{}{}, fee {}{}</span><div>{}</div></li>",
            link,
            client_packages::times(row),
            words::state(text(row, "status")),
            text(row, "condition"),
            reason,
            words::money(&row["period_fee"]),
            until,
            buttons
        )
    };
    let lines = rows.iter().take(SHOWN_MAX).map(line).collect();
    owned(lines, &format!("/client-packages?clients_id={id}"), rows, "None.")
}

fn latest(now: Moment, id: i64, booked: &[Object]) -> Html {
    let line = |row: &Object| {
        let link = words::link(&format!("/transactions/{}", row["id"]), transactions::kind(row));
        markup!(
            "<li>{} {} <span class=\"quiet\">balance {}, {}</span></li>",
            link,
            words::money(&row["amount"]),
            words::money(&row["balance_after"]),
            words::ago(now, &row["c_dt"])
        )
    };
    if booked.is_empty() {
        return markup!("<p class=\"quiet\">None.</p>");
    }
    let all = words::link(&format!("/transactions?clients_id={id}"), format!("All {}", many(booked, DRAWN_MAX)));
    let all = if booked.len() > LATEST { markup!("<p>{}</p>", all) } else { Html::default() };
    markup!("<ul class=\"owned\">{}</ul>{}", Html::joined(booked.iter().take(LATEST).map(line), ""), all)
}

fn button(id: i64, action: &str, status: &str, words: &str) -> Html {
    markup!(
        "<form class=\"inline\" method=\"post\" action=\"/clients/{}/{}\"><input type=\"hidden\" name=\"status\" value=\"{}\"><button>{}</button></form>",
        id,
        action,
        status,
        words
    )
}

fn actions(id: i64, client: &Object) -> Html {
    let edit = markup!("<a class=\"button primary\" href=\"/clients/{}/edit\">Edit</a>", id);
    let other = match text(client, "status") {
        "active" => button(id, "status", "stopped", "Stop"),
        "stopped" => button(id, "status", "active", "Let it go on"),
        _ => button(id, "unarchive", "active", "Bring back"),
    };
    Html::joined([other, edit], " ")
}

/// What does not come back, folded away: the buttons say what goes with it.
fn ending(id: i64, client: &Object, known: &Known) -> Html {
    let open: Vec<Object> = known.packages.iter().filter(|row| text(row, "condition") != "closed").cloned().collect();
    let packages = match open.len() {
        0 => String::new(),
        1 => "1 package".to_owned(),
        _ => format!("{} packages", many(&open, OWNED_MAX)),
    };
    let closed = if packages.is_empty() { String::new() } else { format!(" and close {packages} for good") };
    let archive = markup!(
        "<p>An archived client is kept and no longer served. It can be brought back; its packages are closed for good.</p><form method=\"post\" action=\"/clients/{}/archive\"><button class=\"danger\">Archive{}</button></form>",
        id,
        closed
    );
    let archive = if text(client, "status") == "archived" { Html::default() } else { archive };
    let accounts = match known.accounts.len() {
        1 => "its account".to_owned(),
        _ => format!("its {} accounts", many(&known.accounts, OWNED_MAX)),
    };
    let with = [accounts, packages].into_iter().filter(|words| !words.is_empty() && words != "its 0 accounts");
    let with: Vec<String> = with.collect();
    let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" and ")) };
    let is_settled = client["balance"] == 0;
    let balance =
        if is_settled { Html::default() } else { markup!(" Its balance of {} is given up.", words::money(&client["balance"])) };
    let force = if is_settled { "" } else { "<input type=\"hidden\" name=\"force\" value=\"true\">" };
    markup!(
        "<details class=\"ending\"><summary>Archive or delete</summary>{}<p>Deleting has no way back; transactions, events and the log are kept.{}</p><form method=\"post\" action=\"/clients/{}/delete\">{}<button class=\"danger\">Delete this client{}</button></form></details>",
        archive,
        balance,
        id,
        Html::of(force.to_owned()),
        with
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_counted_is_said() {
        assert_eq!(many(&vec![Object::new(); 3], 200), "3");
        assert_eq!(many(&vec![Object::new(); 201], 200), "200+");
    }
}
