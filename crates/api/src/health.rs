//! Is it alive, can it serve: for supervisors and load balancers, without a key.
use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hookswitch_store::{Error, tables::versions};

use crate::Api;

/// A database that takes longer for one small read can't serve.
const READ_MAX: Duration = Duration::from_secs(2);

/// 200 while the process lives.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when it can serve: the database answers.
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    let read = api.parts.core.store().read(|tx| versions::read(tx, versions::ACCESS));
    match tokio::time::timeout(READ_MAX, read).await {
        Ok(Ok(_)) => "ok\n".into_response(),
        Ok(Err(error)) => unready(&error),
        Err(_) => unready(&Error::Engine(format!("no answer within {READ_MAX:?}"))),
    }
}

fn unready(error: &Error) -> Response {
    tracing::warn!(%error, "not ready");
    (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
}
