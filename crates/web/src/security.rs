//! What a browser is told about our pages, and what another site may not send in our reader's name.
//!
//! No page holds a script or a style of its own, so that none that slipped into a text could run. Forms come from our own pages only:
//! the browser says where a request comes from, and a session's cookie does not travel with what other sites send.
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::csrf::CsrfLayer;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts it around all pages.
pub(crate) fn around(pages: Router) -> Router {
    pages.layer(CsrfLayer::new()).layer(middleware::from_fn(headers))
}

async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::FORBIDDEN && !response.headers().contains_key(header::CONTENT_TYPE) {
        // It was not ours: no page of ours is without a type.
        response = (StatusCode::FORBIDDEN, "This was sent by another site.\n").into_response();
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
