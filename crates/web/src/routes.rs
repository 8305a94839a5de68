//! Which address is which page: each page names its own.
use axum::{
    Router, middleware,
    routing::{get, post},
};
use hookswitch_api::Api;

use crate::{assets, pages, security, session};

/// All of them.
pub(crate) fn routes(api: Api) -> Router {
    let inside = Router::new()
        .merge(pages::overview::routes())
        .merge(pages::handlers::routes())
        .merge(pages::log::routes())
        .merge(pages::queue::routes())
        .merge(pages::events::routes())
        .merge(pages::resyncs::routes())
        .merge(pages::loops::routes())
        .merge(pages::clients::routes())
        .merge(pages::accounts::routes())
        .merge(pages::packages::routes())
        .merge(pages::client_packages::routes())
        .merge(pages::transactions::routes())
        .merge(pages::custom_fields::routes())
        .merge(pages::resellers::routes())
        .merge(pages::users::routes())
        .merge(pages::status::routes())
        .route_layer(middleware::from_fn_with_state(api.clone(), session::require));
    let outside = Router::new()
        .route("/login", get(pages::login::ask).post(pages::login::sign_in))
        .route("/logout", post(pages::login::sign_out))
        .route("/theme", post(pages::login::theme))
        .route("/assets/{path}", get(assets::serve));
    security::around(inside.merge(outside).with_state(api))
}
