//! From a page to an answer; and what a person is told where there is no page to show.
use askama::Template;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hookswitch_model::refusal::Refusal;

use crate::pages::refused;

/// An answer, or why there is no page: [`crate::session`] makes a page of that, in the reader's own frame.
pub(crate) type Answer = Result<Response, Failure>;

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) Refusal);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Failure {
    /// In plain words, where no frame can be put around it.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Refusal::Internal(detail) = &self.0 {
            tracing::error!(detail, "a page could not be shown");
        }
        let words = format!("{}\n", refused::sentence(&refused::plain(&self.0)));
        let mut response = (status, words).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A page.
pub(crate) fn show(page: &impl Template) -> Response {
    show_as(StatusCode::OK, page)
}

/// A page whose form was refused: shown again, with what was typed.
pub(crate) fn show_again(page: &impl Template) -> Response {
    show_as(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// A page with a status of its own.
pub(crate) fn show_as(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => Failure(Refusal::internal(error)).into_response(),
    }
}

/// To another page, to be read anew: also after a form was sent.
pub(crate) fn go_to(path: &str) -> Response {
    // A path of ours, or one that was checked to be: what can't be a header leads to the first page.
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// An answer that sets a cookie, besides those that it sets already.
pub(crate) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(HeaderName::from_static("set-cookie"), value);
    }
    response
}

/// True if it is a path on this very server.
pub(crate) fn is_own_path(path: &str) -> bool {
    // A browser takes tabs and line ends out of an address.
    let is_plain = |character: char| !character.is_control() && character != '\\';
    path.starts_with('/') && !path.starts_with("//") && path.chars().all(is_plain)
}
