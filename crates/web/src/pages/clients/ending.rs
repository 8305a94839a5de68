//! Stopped, archived, brought back, deleted. What can be taken back can be at once, by *Undo*; what can't says what goes with it.
use axum::extract::Path;
use hookswitch_model::refusal::Refusal;
use serde_json::{Value, json};

use super::page;
use crate::{
    answer::{Answer, go_to, with_cookie},
    notice::Notice,
    pages::thing,
    session::Typed,
    visitor::Visitor,
};

async fn name(visitor: &Visitor, id: i64) -> Result<(String, String), Refusal> {
    let client = thing::one(visitor, "clients.get", id).await?;
    let text = |name: &str| client[name].as_str().unwrap_or_default().to_owned();
    Ok((text("name"), text("status")))
}

/// Does it, or shows the client's page with why not.
async fn done(visitor: Visitor, id: i64, method: &'static str, params: Value, notice: Notice, to: &str) -> Answer {
    let Value::Object(params) = params else { return Err(Refusal::internal("parameters are an object").into()) };
    match visitor.act(method, params).await {
        Ok(answer) => Ok(with_cookie(go_to(to), &notice.warning(&answer.warnings).cookie())),
        Err(refusal) => page::refused(&visitor, id, &refusal).await,
    }
}

/// Stops it, or lets it go on.
pub(super) async fn status(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let (name, before) = name(&visitor, id).await?;
    let status = typed.text("status").unwrap_or_default().to_owned();
    let words = if status == "stopped" { "is stopped" } else { "is active again" };
    let path = format!("/clients/{id}");
    let notice = Notice::new(format!("“{name}” {words}.")).undone_by(&format!("{path}/status"), &[("status", &before)]);
    done(visitor, id, "clients.update", json!({"id": id, "status": status}), notice, &path).await
}

pub(super) async fn archive(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let (name, before) = name(&visitor, id).await?;
    let path = format!("/clients/{id}");
    let notice = Notice::new(format!("“{name}” was archived.")).undone_by(&format!("{path}/unarchive"), &[("status", &before)]);
    done(visitor, id, "clients.archive", json!({"id": id}), notice, &path).await
}

/// Brings it back, active; stopped if that is what it was.
pub(super) async fn unarchive(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let (name, _) = name(&visitor, id).await?;
    let path = format!("/clients/{id}");
    let back = match visitor.ask("clients.unarchive", json!({"id": id})).await {
        Ok(_) => Notice::new(format!("“{name}” is back. Packages that were closed with it stay closed.")),
        Err(refusal) => return page::refused(&visitor, id, &refusal).await,
    };
    if typed.text("status") == Some("stopped") {
        return done(visitor, id, "clients.update", json!({"id": id, "status": "stopped"}), back, &path).await;
    }
    Ok(with_cookie(go_to(&path), &back.cookie()))
}

pub(super) async fn delete(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let (name, _) = name(&visitor, id).await?;
    let force = typed.text("force") == Some("true");
    let notice = Notice::new(format!("Client {id} “{name}” was deleted. Its transactions, events and log are kept."));
    done(visitor, id, "clients.delete", json!({"id": id, "force": force}), notice, "/clients").await
}
