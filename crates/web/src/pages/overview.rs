//! Is anything wrong?
use askama::Template;
use axum::{Router, routing::get};
use hookswitch_api::Api;

use crate::{
    answer::{Answer, show},
    visitor::{Page, Visitor},
};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/", get(overview))
}

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct Overview {
    page: Page,
}

async fn overview(visitor: Visitor) -> Answer {
    Ok(show(&Overview { page: visitor.page("Overview", "overview") }))
}
