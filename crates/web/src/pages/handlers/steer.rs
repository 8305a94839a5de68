//! Deeds on one handler: switched on and off, paused and resumed, deleted; what is dead sent again.
use axum::extract::Path;
use serde_json::{Value, json};

use super::{PATH, list, params, place, text};
use crate::{
    answer::{Answer, go_to, with_cookie},
    notice::Notice,
    params::Params,
    parts::words,
    session::Typed,
    visitor::Visitor,
};

/// Back to where the button stood: the list, or the handler's page.
fn back(form: &Params, id: i64) -> String {
    if form.has("back") { list::back(form) } else { place(id) }
}

fn said(back: &str, notice: &Notice) -> Answer {
    Ok(with_cookie(go_to(back), &notice.cookie()))
}

/// Enabled or disabled.
pub(super) async fn status(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let (wanted, back) = (form.text("status").unwrap_or_default(), back(&form, id));
    let before = super::get_one(&visitor, id).await?;
    let was = text(&before, "status").to_owned();
    let answer = visitor.act("provisioning.handlers.update", params([("id", id.into()), ("status", wanted.into())])).await?;
    let name = answer.result["name"].as_str().unwrap_or_default();
    let meaning = match (wanted, answer.result["type"].as_str()) {
        ("enabled", _) => "It counts from the next event on.",
        ("disabled", Some("before")) => "It is not asked any more.",
        _ => "It gets no new events; what waits for it stands still.",
    };
    let notice = Notice::new(format!("“{name}” is {wanted}. {meaning}")).warning(&answer.warnings);
    let undo = notice.undone_by(&format!("{}/status", place(id)), &[("status", &was), ("back", &back)]);
    said(&back, &undo)
}

/// Nothing is sent until it is resumed.
pub(super) async fn pause(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let mut params = params([("id", id.into())]);
    if let Some(reason) = form.text("reason") {
        params.insert("reason".to_owned(), reason.into());
    }
    let answer = visitor.act("provisioning.handlers.pause", params).await?;
    let name = answer.result["name"].as_str().unwrap_or_default();
    let notice = Notice::new(format!("“{name}” is paused: its events wait, none is lost."));
    said(&back(&form, id), &notice.undone_by(&format!("{}/resume", place(id)), &[]))
}

/// Sent to again.
pub(super) async fn resume(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let answer = visitor.act("provisioning.handlers.resume", params([("id", id.into())])).await?;
    let name = answer.result["name"].as_str().unwrap_or_default();
    said(&back(&form, id), &Notice::new(format!("“{name}” is resumed: what waited is on its way.")))
}

/// Everything dead is sent again.
pub(super) async fn resend(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    // Deliveries, or how actions ended.
    let is_outcomes = form.text("what") == Some("outcomes");
    let method = if is_outcomes { "provisioning.outcomes.resend" } else { "provisioning.deliveries.resend" };
    let done = visitor.ask(method, json!({"handlers_id": id, "state": "dead"})).await?;
    let count = |name: &str| done.get(name).and_then(Value::as_i64).unwrap_or(0);
    let mut said_words = format!("{} sent again.", words::counted(count("resent"), "delivery is", "deliveries are"));
    if count("overtaken") > 0 {
        let left = words::counted(count("overtaken"), "was", "were");
        said_words.push_str(&format!(" {left} left out: a later event of the same object has overtaken it."));
    }
    said(&back(&form, id), &Notice::new(said_words))
}

/// Deleted; `force` where its button said how much that discards.
pub(super) async fn delete(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let before = super::get_one(&visitor, id).await?;
    let force = form.text("force") == Some("true");
    visitor.act("provisioning.handlers.delete", params([("id", id.into()), ("force", force.into())])).await?;
    said(PATH, &Notice::new(format!("“{}” was deleted. Its log stays.", text(&before, "name"))))
}
