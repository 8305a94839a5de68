//! Lists as files: `POST /admin/<module>/<action>`, form-encoded, gives CSV. A list of any length goes out page after page as its
//! reader takes it, so that no file is ever held whole.
use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use hookswitch_core::{Call, access::Caller, registry};
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{
    NotLetIn,
    actions::{self, Action, Does},
    let_in_once, names, words,
};
use crate::{Api, RequestSpan, connections::Circumstances, rest::query};

/// Marks a failure: there is no file, and the body says why.
const STATUS: HeaderName = HeaderName::from_static("x-vcs-status");
/// What pages a list.
const PAGING: [&str; 5] = ["limit", "offset", "after_id", "order", "with_total"];
/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// Answers with a file.
pub(super) async fn answer(
    State(api): State<Api>,
    Extension(at): Extension<Circumstances>,
    Path((module, action)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let held = match api.parts.bodies.read(&head.headers, body).await {
        Ok(held) => held,
        Err(unread) => return refuse(&[unread.words()]),
    };
    let mut params = match read(&held.bytes) {
        Ok(params) => params,
        Err(refusal) => return refuse(&words(&refusal, &at)),
    };
    params.shift_remove("__api");
    let Some((action, method)) = actions::find(&format!("{module}.{action}")).and_then(listing) else {
        return refuse(&["there is no such file: clients/list and transactions/list are some".to_owned()]);
    };
    let caller = match let_in_once(&api, &at, &mut params).await {
        Ok(caller) => caller,
        Err(NotLetIn { refusal, retry_after }) => {
            let mut response = refuse(&words(&refusal, &at));
            if let Some(seconds) = retry_after {
                *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            return response;
        }
    };
    if let Some(name) = PAGING.iter().find(|name| params.contains_key(**name)) {
        return refuse(&[format!("{name} has no place here: a file holds the whole list")]);
    }
    let pages = Pages {
        api,
        span: at.span.of_several(),
        headers: head.headers,
        caller,
        action,
        method,
        params,
        after: Some(0),
        columns: Vec::new(),
    };
    match pages.first().await {
        Ok(body) => {
            let name = format!("attachment; filename=\"{module}.csv\"");
            let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
            (
                [
                    (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
                    (header::CONTENT_DISPOSITION, name),
                ],
                body,
            )
                .into_response()
        }
        Err(refusal) => refuse(&words(&refusal, &at)),
    }
}

/// A form: `auth[login]` is a member of `auth`, what is empty is left out.
fn read(form: &[u8]) -> Result<Object, Refusal> {
    let form = str::from_utf8(form).map_err(|_| Refusal::field("body", "is not UTF-8"))?;
    let (mut params, mut auth) = (Object::new(), Object::new());
    for (name, text) in query::pairs(form)?.into_iter().filter(|(_, text)| !text.is_empty()) {
        match name.strip_prefix("auth[").and_then(|rest| rest.strip_suffix(']')) {
            Some(member) => drop(auth.insert(member.to_owned(), text.into())),
            None => query::add(&mut params, name, text.into()),
        }
    }
    if !auth.is_empty() {
        params.insert("auth".to_owned(), auth.into());
    }
    Ok(params)
}

fn listing(action: &'static Action) -> Option<(&'static Action, &'static str)> {
    if let Does::List(method) = action.does { Some((action, method)) } else { None }
}

fn refuse(messages: &[String]) -> Response {
    let headers = [
        (STATUS, HeaderValue::from_static("error")),
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
    ];
    (headers, format!("{}\n", messages.join("\n"))).into_response()
}

/// A list, page after page.
struct Pages {
    api: Api,
    span: RequestSpan,
    headers: HeaderMap,
    caller: Arc<Caller>,
    action: &'static Action,
    method: &'static str,
    params: Object,
    /// The id after which the next page begins; `None` = it was the last.
    after: Option<i64>,
    /// Of the first row.
    columns: Vec<String>,
}

impl Pages {
    /// The first page is read before anything is answered: a filter that is wrong is a refusal, not a file that breaks off.
    async fn first(mut self) -> Result<Body, Refusal> {
        let first = self.next().await?;
        let rest = stream::unfold(self, |mut pages| async move {
            pages.after?;
            // A page that can't be read any more breaks the file off, and its reader sees that.
            Some((pages.next().await.map_err(|refusal| std::io::Error::other(refusal.to_string())), pages))
        });
        let whole = stream::once(async { Ok(first) });
        Ok(Body::from_stream(futures_util::StreamExt::chain(whole, rest)))
    }

    async fn next(&mut self) -> Result<Bytes, Refusal> {
        let method = registry::find(self.method).ok_or_else(|| Refusal::internal(format!("no method {}", self.method)))?;
        let mut params = names::inward(method, self.action.object, self.params.clone());
        params.insert("limit".to_owned(), PAGE.into());
        params.insert("after_id".to_owned(), json!(self.after.unwrap_or(0)));
        let result =
            self.api.perform(&self.span, &self.headers, Call::new(method, params, Arc::clone(&self.caller))).await?.result;
        let Value::Array(rows) = result else { return Err(Refusal::internal("no rows")) };
        self.after = rows.last().filter(|_| i64::try_from(rows.len()) == Ok(PAGE)).and_then(|row| row["id"].as_i64());
        let rows: Vec<Object> = rows.into_iter().filter_map(|row| row.as_object().cloned()).collect();
        self.write(rows).map_err(Refusal::internal)
    }

    fn write(&mut self, rows: Vec<Object>) -> Result<Bytes, csv::Error> {
        let mut file = csv::Writer::from_writer(Vec::new());
        for row in rows {
            let row = names::outward(self.action.object, row);
            if self.columns.is_empty() {
                self.columns = row.keys().filter(|name| *name != "password").cloned().collect();
                file.write_record(&self.columns)?;
            }
            file.write_record(self.columns.iter().map(|name| cell(row.get(name))))?;
        }
        file.into_inner().map(Bytes::from).map_err(|error| error.into_error().into())
    }
}

/// A value as a cell. A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_an_amount_stays_one() {
        assert_eq!(cell(Some(&json!("=1+1"))), "'=1+1");
        assert_eq!(cell(Some(&json!(-5))), "-5");
        assert_eq!(cell(Some(&json!("Acme"))), "Acme");
        assert_eq!(cell(None), "");
    }
}
