//! Signing in and out, and the colours.
use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hookswitch_api::Api;
use hookswitch_core::access::sessions::Kind;

use crate::{
    answer::{self, Failure, go_to, is_own_path},
    assets,
    params::Params,
    session::{self, Typed},
    visitor::Theme,
};

/// Nobody has a longer one.
const LOGIN_BYTES_MAX: usize = 512;

/// Where to go on once somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Then {
    /// The page that was asked for.
    pub(crate) place: String,
    /// What a form would have sent there.
    pub(crate) form: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/login.html")]
struct Page<'a> {
    theme: Theme,
    style: &'a str,
    icon: &'a str,
    words: &'a str,
    place: &'a str,
    form: Option<&'a str>,
    login: &'a str,
}

/// The page that asks for login and password.
pub(crate) fn page(status: StatusCode, theme: Theme, then: &Then, words: &str) -> Response {
    let Then { place, form } = then;
    let page = Page { theme, style: assets::style(), icon: assets::icon(), words, place, form: form.as_deref(), login: "" };
    answer::show_as(status, &page)
}

/// Asked for by its own address.
pub(crate) async fn ask(headers: HeaderMap) -> Response {
    page(StatusCode::OK, session::theme(&headers), &Then { place: "/".to_owned(), form: None }, "")
}

#[derive(Template)]
#[template(path = "pages/kept.html")]
struct Kept<'a> {
    theme: Theme,
    style: &'a str,
    icon: &'a str,
    place: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

/// Signs in.
pub(crate) async fn sign_in(State(api): State<Api>, request: Request) -> Result<Response, Failure> {
    let (from, headers) = (session::from(request.extensions())?, request.headers().clone());
    let (parts, body) = request.into_parts();
    let sent = api.body(&parts.headers, body).await?;
    let typed = Params::read(&sent.bytes);
    let place = typed.text("place").filter(|place| is_own_path(place)).unwrap_or("/").to_owned();
    let then = Then { place, form: typed.raw("form").map(str::to_owned) };
    let (login, password) = (
        typed.text("login").filter(|login| login.len() <= LOGIN_BYTES_MAX).unwrap_or_default(),
        typed.raw("password").unwrap_or_default(),
    );
    match api.sign_in(login, password, from, Kind::Web).await {
        Ok(session) => {
            let cookie = session::session_cookie(&session.token, is_secure(&headers));
            Ok(answer::with_cookie(go_on(&headers, &then), &cookie))
        }
        Err((refusal, retry_after)) => {
            let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::UNAUTHORIZED);
            let theme = session::theme(&headers);
            let words = refusal.to_string();
            let words = words.split_once(": ").map_or(words.as_str(), |(_, words)| words);
            let (style, icon, form) = (assets::style(), assets::icon(), then.form.as_deref());
            let mut response = answer::show_as(status, &Page { theme, style, icon, words, place: &then.place, form, login });
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            Ok(response)
        }
    }
}

/// To the page that was asked for; what was typed there is shown, to be sent by its sender.
fn go_on(headers: &HeaderMap, then: &Then) -> Response {
    let Some(form) = &then.form else { return go_to(&then.place) };
    let fields = Params::read(form.as_bytes());
    let fields = fields.iter().collect();
    let theme = session::theme(headers);
    answer::show(&Kept { theme, style: assets::style(), icon: assets::icon(), place: &then.place, fields })
}

/// A cookie of a page that came encrypted does not travel otherwise.
fn is_secure(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// Signs out.
pub(crate) async fn sign_out(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Some(token) = session::token(&headers) {
        api.core().sign_out(token).await?;
    }
    Ok(answer::with_cookie(go_to("/login"), &session::session_cookie("", false)))
}

/// Chooses the colours, and shows the same page in them.
pub(crate) async fn theme(Typed(typed): Typed) -> Response {
    let theme = Theme::of(typed.text("theme").unwrap_or_default());
    let place = typed.text("place").filter(|place| is_own_path(place)).unwrap_or("/");
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000", session::THEME, theme.word());
    answer::with_cookie(go_to(place), &cookie).into_response()
}
