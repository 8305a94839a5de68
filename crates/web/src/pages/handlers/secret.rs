//! A signing secret: shown on the page that answers to its making, and never again. It is in no address and in no cookie.
use askama::Template;
use axum::extract::Path;
use hookswitch_core::Answer as Said;

use super::{params, place};
use crate::{
    answer::{Answer, show},
    notice::Notice,
    session::Typed,
    visitor::{Page, Visitor},
};

/// Why there is a secret to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    New,
    Rotated,
}

#[derive(Template)]
#[template(path = "pages/handlers/secret.html")]
struct Shown {
    page: Page,
    made: Made,
    /// Empty: the answer was given before.
    secret: String,
    href: String,
}

/// The page that shows it.
pub(super) fn shown_once(visitor: &Visitor, said: Said, made: Made) -> Answer {
    let text = |name: &str| said.result[name].as_str().unwrap_or_default().to_owned();
    let mut page = visitor.page(text("name"), "handlers");
    let words = match made {
        Made::New => format!("“{}” is saved, and counts from the next event on.", text("name")),
        Made::Rotated => format!("“{}” has a new secret. The old one signs beside it for 24 hours.", text("name")),
    };
    page.notice = Some(Notice::new(words).warning(&said.warnings));
    Ok(show(&Shown { page, made, secret: text("secret"), href: place(said.result["id"].as_i64().unwrap_or(0)) }))
}

/// Gives a handler a new one.
pub(super) async fn rotate(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let mut params = params([("id", id.into())]);
    // A page that is loaded again must not make another, and end the one that has just been shown.
    if let Some(key) = typed.text("idempotency_key") {
        params.insert("idempotency_key".to_owned(), key.into());
    }
    let said = visitor.act("provisioning.handlers.rotate_secret", params).await?;
    shown_once(&visitor, said, Made::Rotated)
}
