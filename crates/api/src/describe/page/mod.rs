//! A page to read the API and try it: Swagger UI over `/api/openapi.json`, out of the program itself.
//!
//! The page may load nothing and talk to nobody but the server that it came from; its policy says so to the browser, so
//! that even a fault in it could not carry a key away. Its program is sent as gzip, as it lies in the binary: every browser
//! takes that.
use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
    routing::get,
};

use crate::{Api, connections::Circumstances, keys, problem};

/// Only what comes from here. Swagger UI brings its pictures within its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// One file of the page.
#[derive(Clone, Copy)]
struct File {
    path: &'static str,
    media_type: &'static str,
    is_gzip: bool,
    bytes: &'static [u8],
}

const HTML: File =
    File { path: "/api/docs", media_type: "text/html; charset=utf-8", is_gzip: false, bytes: include_bytes!("index.html") };

static FILES: [File; 5] = [
    HTML,
    File { path: "/api/docs/", ..HTML },
    File {
        path: "/api/docs/start.js",
        media_type: "text/javascript; charset=utf-8",
        is_gzip: false,
        bytes: include_bytes!("start.js"),
    },
    File {
        path: "/api/docs/swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        is_gzip: true,
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz")),
    },
    File {
        path: "/api/docs/swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        is_gzip: true,
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz")),
    },
];

/// The page's addresses.
pub(crate) fn routes() -> Router<Api> {
    FILES.iter().fold(Router::new(), |router, file| {
        let show = move |State(api): State<Api>, Extension(at): Extension<Circumstances>, headers: HeaderMap| async move {
            show(&api, &at, &headers, file).await
        };
        router.route(file.path, get(show))
    })
}

async fn show(api: &Api, at: &Circumstances, headers: &HeaderMap, file: &'static File) -> Response {
    if let Err(rejected) = api.accepts(keys::in_headers(headers), at).await {
        return problem::rejected(&rejected, at.request_id.text());
    }
    let mut response = Response::new(Body::from(file.bytes));
    let mut say = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    say(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    say(header::CONTENT_SECURITY_POLICY, POLICY);
    say(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    say(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Another version of the program may have another page.
    say(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if file.is_gzip {
        say(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
