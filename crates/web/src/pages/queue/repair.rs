//! Sending again, and discarding: some that were ticked, or all that the filters choose. First it is said how many they are, on a
//! page of its own, because a discard can't be undone; then it is done.
use askama::Template;
use hookswitch_core::{Call, access::Right, registry};
use hookswitch_model::{
    Object,
    refusal::{FieldErrors, Refusal},
};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{OF_DELIVERIES, OF_OUTCOMES, Queue, beside};
use crate::{
    answer::{Answer, go_to, show, show_again, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    params::Params,
    parts::{
        form::Faults,
        happened,
        list::{self, List},
        words,
    },
    session::Typed,
    visitor::{Page, Visitor},
};

/// Up to here they are counted while a page waits.
const COUNTED_BELOW: i64 = 10_000;

/// What is done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Resend,
    Discard,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Many {
    Exactly(i64),
    /// So many at least.
    Over(i64),
    /// So many at most.
    UpTo(i64),
}

impl Many {
    fn words(self, queue: Queue) -> String {
        match self {
            Self::Exactly(number) => queue.counted(number),
            Self::Over(number) => format!("over {}", queue.counted(number)),
            Self::UpTo(number) => format!("up to {}", queue.counted(number)),
        }
    }

    fn is_none(self) -> bool {
        self == Self::Exactly(0)
    }
}

/// The box that chooses a row for [`buttons`].
pub(super) fn tick(row: &Object, word: &str) -> Html {
    let id = row["id"].to_string();
    markup!("<input type=\"checkbox\" name=\"id\" value=\"{}\" form=\"chosen\" aria-label=\"{} {}\">", id, word, id)
}

/// What can be done with the rows of a list: with those that are ticked, and with all that the filters choose.
///
/// # Errors
/// Whatever counting them is refused with.
pub(super) async fn buttons(visitor: &Visitor, queue: Queue, list: &List) -> Result<Html, Refusal> {
    if list.rows.is_empty() || !visitor.may(Right::Operate) {
        return Ok(Html::default());
    }
    let filters = visitor.query.with("order", None).with("offset", None);
    let many = count(visitor, queue, list::asked(queue.search, &filters)).await?;
    let all = match many {
        Many::Exactly(1) => many.words(queue),
        Many::Over(number) => format!("all {} (over {})", queue.names.1, words::number(number)),
        _ => format!("all {}", many.words(queue)),
    };
    let path = queue.path;
    // Without filters they are chosen by what they all are: something must be said.
    let query = if filters.query().is_empty() { "state=waiting&state=retrying&state=dead".to_owned() } else { filters.query() };
    Ok(markup!(
        "<form id=\"chosen\" method=\"get\" class=\"repair\"><button formaction=\"{}/resend\">Send the ticked ones again</button> \
         <button class=\"danger\" formaction=\"{}/discard\">Discard the ticked ones</button>\
         <span class=\"repair-all\"><a href=\"{}/resend?{}\">Send {} again</a> <a href=\"{}/discard?{}\">Discard {}</a></span></form>",
        path,
        path,
        path,
        query,
        all,
        path,
        query,
        all
    ))
}

/// How many the filters of a list choose.
async fn count(visitor: &Visitor, queue: Queue, mut filters: Object) -> Result<Many, Refusal> {
    filters.insert("limit".to_owned(), 1.into());
    let method = registry::find(queue.search).ok_or_else(|| Refusal::internal("no such list"))?;
    let call = Call { total_below: Some(COUNTED_BELOW), ..Call::new(method, filters, Arc::clone(&visitor.caller)) };
    let found = visitor.api.call(&visitor.span, call).await?.result;
    Ok(found["total"].as_i64().map_or(Many::Over(COUNTED_BELOW), Many::Exactly))
}

/// The same, however many they are: that may take its time.
async fn total(visitor: &Visitor, queue: Queue, mut filters: Object) -> Result<i64, Refusal> {
    filters.extend([("limit".to_owned(), 1.into()), ("with_total".to_owned(), true.into())]);
    let found = visitor.act(queue.search, filters).await?.result;
    found["total"].as_i64().ok_or_else(|| Refusal::internal("a list without its total"))
}

/// What an address or a form says besides what it chooses.
const BESIDES: &[&str] = &["reason", "force", SAID, "order", "offset"];
/// How many were said to be chosen when it was asked.
const SAID: &str = "said";

/// What an address or a form chooses. A name that is no filter is refused here: left out, it would choose more than was meant.
fn chosen(queue: Queue, params: &Params) -> Result<Object, Refusal> {
    let mut filters = list::asked(queue.search, params);
    let mut unknown = FieldErrors::new();
    for (name, text) in params.iter() {
        if !text.trim().is_empty() && !BESIDES.contains(&name) && !filters.contains_key(name) {
            unknown.add(name, format!("is nothing by which {} are chosen", queue.names.1));
        }
    }
    filters.shift_remove("order");
    if unknown.is_empty() { Ok(filters) } else { Err(Refusal::Invalid(unknown)) }
}

#[derive(Template)]
#[template(path = "pages/queue/repair.html")]
struct RepairPage {
    page: Page,
    tabs: Html,
    faults: Faults,
    action: String,
    /// What was chosen, as the form sends it.
    hidden: Vec<(String, String)>,
    /// What will be done, in words.
    words: Vec<String>,
    overtaken: Overtaken,
    is_forced: bool,
    is_discard: bool,
    reason: String,
    reason_fault: Option<String>,
    /// The word on the button; `None` = there is nothing to be done.
    submit: Option<String>,
    cancel: String,
}

/// Which of them later events have overtaken.
enum Overtaken {
    None,
    /// So many of them: they go along if that is ticked.
    Some(String),
    All,
}

/// Asks whether it shall be done, with how many.
async fn ask(visitor: &Visitor, queue: Queue, deed: Deed, params: &Params, faults: Faults) -> Result<RepairPage, Refusal> {
    let filters = chosen(queue, params)?;
    let mut filtered: Vec<(String, String)> = params
        .iter()
        .filter(|(name, text)| !text.is_empty() && filters.contains_key(*name))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let is_forced = params.text("force") == Some("true");
    let (mut words, mut overtaken, mut submit) = (Vec::new(), Overtaken::None, None);
    match rehearsed(visitor, queue, deed, &filters).await {
        Ok(rehearsed) => {
            let Rehearsed { many, left_out } = rehearsed;
            filtered.push((SAID.to_owned(), rehearsed.all().to_string()));
            words = said(queue, deed, many, left_out, &filters);
            overtaken = match (many.is_none(), left_out) {
                (_, 0) => Overtaken::None,
                (true, _) => Overtaken::All,
                (false, left_out) => Overtaken::Some(queue.counted(left_out)),
            };
            submit = label(queue, deed, many, left_out);
        }
        Err(Refusal::Invalid(errors)) if filters.is_empty() || errors.names("id") => {
            words.push(format!("Nothing is chosen. Tick some {} first.", queue.names.1));
        }
        Err(other) => return Err(other),
    }
    let verb = if deed == Deed::Resend { "Send again" } else { "Discard" };
    Ok(RepairPage {
        page: visitor.page(format!("{verb}: {}", queue.names.1), "deliveries"),
        tabs: beside(queue.path),
        reason_fault: faults.of("reason"),
        faults,
        action: format!("{}/{}", queue.path, if deed == Deed::Resend { "resend" } else { "discard" }),
        hidden: filtered,
        words,
        overtaken,
        is_forced,
        is_discard: deed == Deed::Discard,
        reason: params.text("reason").unwrap_or_default().to_owned(),
        submit,
        cancel: params.with("reason", None).with("force", None).with(SAID, None).with("id", None).href(queue.path),
    })
}

/// What would be done.
struct Rehearsed {
    many: Many,
    /// Overtaken: left out unless that is forced.
    left_out: i64,
}

impl Rehearsed {
    /// All that are chosen.
    fn all(&self) -> i64 {
        let (Many::Exactly(many) | Many::Over(many) | Many::UpTo(many)) = self.many;
        many + self.left_out
    }
}

/// Rehearses it where they are few; many are counted only.
async fn rehearsed(visitor: &Visitor, queue: Queue, deed: Deed, filters: &Object) -> Result<Rehearsed, Refusal> {
    let is_many = matches!(count(visitor, queue, filters.clone()).await?, Many::Over(_));
    // A reseller reaches fewer than it sees.
    if is_many && (deed == Deed::Resend || visitor.sees_all()) {
        let total = total(visitor, queue, filters.clone()).await?;
        let many = if deed == Deed::Resend { Many::UpTo(total) } else { Many::Exactly(total) };
        return Ok(Rehearsed { many, left_out: 0 });
    }
    let mut params = filters.clone();
    // One alone that was overtaken is refused; in a list it is counted.
    if let Some(id) = params.get("id").filter(|id| id.is_number()).cloned() {
        params.insert("id".to_owned(), json!([id]));
    }
    params.insert("dry_run".to_owned(), true.into());
    let method = if deed == Deed::Resend { queue.resend } else { queue.discard };
    let would = visitor.act(method, params).await?.result;
    let many = would["resent"].as_i64().or_else(|| would["discarded"].as_i64()).unwrap_or(0);
    Ok(Rehearsed { many: Many::Exactly(many), left_out: would["overtaken"].as_i64().unwrap_or(0) })
}

fn said(queue: Queue, deed: Deed, many: Many, left_out: i64, filters: &Object) -> Vec<String> {
    let which = which(filters);
    if many.is_none() && left_out == 0 {
        return vec![match deed {
            Deed::Resend => format!(
                "There is nothing to send again among those chosen ({which}): what waits for its first try comes in its turn."
            ),
            Deed::Discard => format!("There is nothing to discard among those chosen ({which}), or its handler is not yours."),
        }];
    }
    let all = if let Many::Exactly(many) = many { Many::Exactly(many + left_out) } else { many };
    let chosen = format!("Chosen: {}, {which}.", all.words(queue));
    let meaning = match (deed, queue == OF_DELIVERIES) {
        (Deed::Resend, true) => {
            "Dead ones begin anew with their old number, retrying ones are tried now. What waits for its first try comes in its turn anyway."
        }
        (Deed::Resend, false) => "Dead ones are told again, retrying ones now.",
        (Deed::Discard, true) => {
            "Their handlers will not hear of these events. This can't be undone; a resync tells a handler how everything stands."
        }
        (Deed::Discard, false) => "Their handlers will not hear how these actions ended. This can't be undone.",
    };
    vec![chosen, meaning.to_owned()]
}

/// By what they were chosen, in words.
fn which(filters: &Object) -> String {
    let one = |(name, value): (&String, &Value)| {
        let shown = match value {
            Value::String(text) if name == "events_id" => happened::title(text).to_owned(),
            Value::Array(values) if name == "id" => return format!("{} ticked", values.len()),
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let label = match name.as_str() {
            "handlers_id" => "handler",
            "clients_id" => "client",
            "events_id" => "event",
            "event_id" => "event's id",
            "id" => "number",
            other => other,
        };
        format!("{label} {shown}")
    };
    filters.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn label(queue: Queue, deed: Deed, many: Many, left_out: i64) -> Option<String> {
    match deed {
        Deed::Discard => (!many.is_none()).then(|| format!("Discard {}", many.words(queue))),
        Deed::Resend if left_out > 0 && many.is_none() => Some(format!("Send {} all the same", queue.counted(left_out))),
        // Those that were overtaken go too if their box is ticked.
        Deed::Resend if left_out > 0 => Some("Send again".to_owned()),
        Deed::Resend => (!many.is_none()).then(|| format!("Send {} again", many.words(queue))),
    }
}

/// Does it, and says how many it was.
async fn act(visitor: &Visitor, queue: Queue, deed: Deed, typed: &Params) -> Answer {
    let mut params = chosen(queue, typed)?;
    let filters = params.clone();
    if let Some(id) = params.get("id").filter(|id| id.is_number()).cloned() {
        params.insert("id".to_owned(), json!([id]));
    }
    if deed == Deed::Discard {
        let Some(reason) = typed.text("reason") else {
            let faults = Faults::none().at("reason", "is required: the log says why they were discarded");
            return Ok(show_again(&ask(visitor, queue, deed, typed, faults).await?));
        };
        params.insert("reason".to_owned(), reason.into());
    }
    if deed == Deed::Resend && typed.text("force") == Some("true") {
        params.insert("force".to_owned(), true.into());
    }
    // The filters choose anew now: more than were said to be chosen are asked about again.
    let is_more = match rehearsed(visitor, queue, deed, &filters).await {
        Ok(now) => typed.number(SAID).is_none_or(|said| now.all() > said),
        // What is wrong is said at the deed itself.
        Err(_) => false,
    };
    if is_more {
        let words = "Nothing was done yet: these are more than were asked about. Look how many they are now, and say so again.";
        return Ok(show_again(&ask(visitor, queue, deed, typed, Faults::saying(words)).await?));
    }
    let method = if deed == Deed::Resend { queue.resend } else { queue.discard };
    match visitor.act(method, params).await {
        Ok(answer) => Ok(with_cookie(go_to(queue.path), &Notice::new(done(queue, &answer.result)).cookie())),
        Err(refusal) => Ok(show_again(&ask(visitor, queue, deed, typed, Faults::of_refusal(&refusal)).await?)),
    }
}

fn done(queue: Queue, result: &Value) -> String {
    let number = |name: &str| result[name].as_i64();
    match (number("discarded"), number("resent"), number("overtaken").unwrap_or(0)) {
        (Some(discarded), _, _) => format!("{} discarded. The log says by whom and why.", queue.counted(discarded)),
        (None, resent, 0) => format!("{} sent again.", queue.counted(resent.unwrap_or(0))),
        (None, resent, overtaken) => format!(
            "{} sent again; {} left out, because a later event of the same object has overtaken them.",
            queue.counted(resent.unwrap_or(0)),
            words::number(overtaken)
        ),
    }
}

/// A delivery that a later event has overtaken: whether it shall be sent all the same.
///
/// # Errors
/// Whatever counting is refused with.
pub(super) async fn ask_about_overtaken(visitor: &Visitor, id: i64) -> Answer {
    let params: Params = [("id", id.to_string())].into_iter().collect();
    Ok(show_again(&ask(visitor, OF_DELIVERIES, Deed::Resend, &params, Faults::none()).await?))
}

pub(super) async fn ask_to_resend_deliveries(visitor: Visitor) -> Answer {
    Ok(show(&ask(&visitor, OF_DELIVERIES, Deed::Resend, &visitor.query, Faults::none()).await?))
}

pub(super) async fn ask_to_discard_deliveries(visitor: Visitor) -> Answer {
    Ok(show(&ask(&visitor, OF_DELIVERIES, Deed::Discard, &visitor.query, Faults::none()).await?))
}

pub(super) async fn ask_to_resend_outcomes(visitor: Visitor) -> Answer {
    Ok(show(&ask(&visitor, OF_OUTCOMES, Deed::Resend, &visitor.query, Faults::none()).await?))
}

pub(super) async fn ask_to_discard_outcomes(visitor: Visitor) -> Answer {
    Ok(show(&ask(&visitor, OF_OUTCOMES, Deed::Discard, &visitor.query, Faults::none()).await?))
}

pub(super) async fn resend_deliveries(visitor: Visitor, Typed(typed): Typed) -> Answer {
    act(&visitor, OF_DELIVERIES, Deed::Resend, &typed).await
}

pub(super) async fn discard_deliveries(visitor: Visitor, Typed(typed): Typed) -> Answer {
    act(&visitor, OF_DELIVERIES, Deed::Discard, &typed).await
}

pub(super) async fn resend_outcomes(visitor: Visitor, Typed(typed): Typed) -> Answer {
    act(&visitor, OF_OUTCOMES, Deed::Resend, &typed).await
}

pub(super) async fn discard_outcomes(visitor: Visitor, Typed(typed): Typed) -> Answer {
    act(&visitor, OF_OUTCOMES, Deed::Discard, &typed).await
}
