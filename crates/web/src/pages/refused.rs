//! What is shown where there is no page: it isn't there, it is not the reader's business, something went wrong.
use askama::Template;
use axum::{http::StatusCode, response::Response};
use hookswitch_model::refusal::Refusal;

use crate::{
    answer,
    visitor::{Page, Visitor},
};

#[derive(Template)]
#[template(path = "pages/refused.html")]
struct Refused {
    page: Page,
    words: String,
    details: Vec<(String, String)>,
}

/// The page that says so.
pub(crate) fn page(visitor: &Visitor, refusal: &Refusal) -> Response {
    let (title, words) = match refusal {
        Refusal::NotFound { object_name, object_id } => {
            let id = object_id.as_str().map_or_else(|| object_id.to_string(), str::to_owned);
            ("Not found", format!("There is no {} {id}, or it is not yours to see.", called(object_name)))
        }
        Refusal::AccessDenied(words) => ("Not allowed", sentence(words)),
        Refusal::Internal(_) => ("Something went wrong", "An unexpected error occurred. The server's log says more.".to_owned()),
        Refusal::Invalid(_) => ("This can't be shown", "The address holds something that can't be read:".to_owned()),
        other => ("This was refused", sentence(&plain(other))),
    };
    let details = match refusal {
        Refusal::Invalid(errors) => errors.iter().map(|(field, words)| (field.to_owned(), words.to_owned())).collect(),
        _ => Vec::new(),
    };
    let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer::show_as(status, &Refused { page: visitor.page(title, ""), words, details })
}

/// A collection's object as people call it.
fn called(collection: &str) -> &str {
    match collection {
        "clients" => "client",
        "clients.accounts" => "account",
        "clients.packages" => "client package",
        "packages" => "package",
        "accounting.transactions" => "transaction",
        "companies" => "reseller",
        "users" => "user",
        "custom_fields" => "custom field",
        "provisioning.handlers" => "handler",
        "provisioning.executions" => "call",
        "provisioning.deliveries" => "delivery",
        "provisioning.outcomes" => "outcome",
        "provisioning.events" => "event",
        "provisioning.resyncs" => "resync",
        "provisioning.loops" => "loop",
        other => other,
    }
}

/// What a refusal says, without its code.
pub(crate) fn plain(refusal: &Refusal) -> String {
    let words = refusal.to_string();
    words.split_once(": ").map_or(words.clone(), |(_, words)| words.to_owned())
}

/// Words as a sentence.
pub(crate) fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let begun: String = characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect();
    if begun.ends_with(['.', '!', '?', ':']) { begun } else { format!("{begun}.") }
}
