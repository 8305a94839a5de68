//! Signing in and out, and who reads a page.
//!
//! A form that comes after its session has ended is not lost: it is kept in the page that asks for the password, and can be sent on
//! once its sender is known again.
use std::sync::{Arc, OnceLock};

use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    http::{Extensions, HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hookswitch_api::{Api, Circumstances, pages::Kept};
use hookswitch_core::access::sessions::AGE_MAX;
use hookswitch_model::refusal::Refusal;

use crate::{
    answer::{self, Failure},
    notice::{self, Notice},
    pages::{login, refused},
    params::Params,
    visitor::{Theme, Visitor},
};

/// What `app.js` says where it asks for a page by itself.
const LIVE: &str = "x-live";
/// A form that comes too late is kept in a page of everybody's, if it is at most so long.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// The cookie that holds a session's token.
const COOKIE: &str = "hookswitch_session";
/// The cookie that holds the chosen colours.
pub(crate) const THEME: &str = "hookswitch_theme";

/// Lets only those through who are signed in; makes pages of refusals.
pub(crate) async fn require(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = match visitor(&api, &parts).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return ask_to_sign_in(&api, parts, body).await,
        Err(refusal) => return nobody_is_known(&refusal),
    };
    let had_notice = visitor.notice.is_some();
    let token = cookie(&parts.headers, COOKIE).unwrap_or_default().to_owned();
    let room = Room::default();
    parts.extensions.insert(visitor.clone());
    parts.extensions.insert(room.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let kind = |response: &Response, kind: &[u8]| {
        response.headers().get(header::CONTENT_TYPE).is_some_and(|known| known.as_bytes().starts_with(kind))
    };
    if let Some(Failure(refusal)) = response.extensions_mut().remove::<Failure>() {
        response = refused::page(&visitor, &refusal);
    } else if response.status() == StatusCode::BAD_REQUEST && kind(&response, b"text/plain") {
        // What stands where an id should was none.
        response = refused::page(&visitor, &Refusal::not_found("page", visitor.path.clone()));
    }
    let is_a_page = kind(&response, b"text/html");
    notice::seal(&mut response, &token);
    // What the form took of the memory is given back once it is answered.
    drop(room);
    if had_notice && is_a_page { answer::with_cookie(response, &Notice::shown()) } else { response }
}

/// The share of the memory that a form's body has, kept until it is answered.
#[derive(Debug, Clone, Default)]
struct Room(Arc<OnceLock<Kept>>);

/// The database can't say who reads: there is no frame to put this into.
fn nobody_is_known(refusal: &Refusal) -> Response {
    tracing::error!(%refusal, detail = ?refusal, "who reads a page could not be found out");
    let words =
        "The pages can't be shown now: the database does not answer. The server's log says more; try again in a moment.\n";
    (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
}

async fn visitor(api: &Api, request: &Parts) -> Result<Option<Visitor>, Refusal> {
    let headers = &request.headers;
    let Some(token) = cookie(headers, COOKIE) else { return Ok(None) };
    // What a page asks by itself while nobody touches it is no use of a session.
    let is_use = !headers.contains_key(LIVE);
    let Some(caller) = api.core().signed_in(token, from(&request.extensions)?, is_use).await? else { return Ok(None) };
    Ok(Some(Visitor {
        api: api.clone(),
        caller,
        path: request.uri.path().to_owned(),
        query: Params::read(request.uri.query().unwrap_or_default().as_bytes()),
        notice: cookie(headers, notice::COOKIE).and_then(|sealed| notice::unseal(sealed, token)),
        theme: theme(headers),
        span: request.extensions.get::<Circumstances>().map(|at| at.span.of_several()).unwrap_or_default(),
    }))
}

/// The address that a request came from.
pub(crate) fn from(request: &Extensions) -> Result<std::net::IpAddr, Refusal> {
    let at = request.get::<Circumstances>();
    Ok(at.ok_or_else(|| Refusal::internal("a request without its circumstances"))?.from)
}

/// The colours that were chosen.
pub(crate) fn theme(headers: &HeaderMap) -> Theme {
    cookie(headers, THEME).map_or(Theme::System, Theme::of)
}

async fn ask_to_sign_in(api: &Api, request: Parts, body: Body) -> Response {
    let place = request.uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
    let theme = theme(&request.headers);
    if request.method != Method::POST {
        let was_in = cookie(&request.headers, COOKIE).is_some();
        let words = if was_in { "Your session has ended. Sign in to go on." } else { "" };
        return login::page(StatusCode::UNAUTHORIZED, theme, &login::Then { place, form: None }, words);
    }
    match api.body(&request.headers, body).await {
        Ok(sent) if sent.bytes.len() > KEPT_BYTES_MAX => {
            let words = "Your session has ended, and what you sent is too long to be kept. Sign in, go back, and send it again.";
            login::page(StatusCode::UNAUTHORIZED, theme, &login::Then { place, form: None }, words)
        }
        Ok(sent) => {
            let form = Some(String::from_utf8_lossy(&sent.bytes).into_owned());
            let words = "Your session has ended. What you typed is kept: sign in to go on.";
            login::page(StatusCode::UNAUTHORIZED, theme, &login::Then { place, form }, words)
        }
        Err(refusal) => Failure(refusal).into_response(),
    }
}

/// The cookie that signs in, or takes that away.
pub(crate) fn session_cookie(token: &str, is_secure: bool) -> String {
    let (seconds, secure) = (if token.is_empty() { 0 } else { AGE_MAX.as_secs() }, if is_secure { "; Secure" } else { "" });
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// The token that a request shows.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('='));
    values.find(|(known, _)| *known == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// What a form sent.
pub(crate) struct Typed(pub(crate) Params);

impl FromRequest<Api> for Typed {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let sent = api.body(&parts.headers, body).await?;
        let params = Params::read(&sent.bytes);
        if let Some(room) = parts.extensions.get::<Room>() {
            // A request has one body.
            let _first = room.0.set(sent.room);
        }
        Ok(Self(params))
    }
}
