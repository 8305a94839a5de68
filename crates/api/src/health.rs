//! Is it alive, can it serve: for supervisors and load balancers, without a key.
use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hookswitch_store::{Error, Store, tables::versions};

use crate::Api;

/// A database that takes longer for one small thing can't serve.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// 200 while the process lives.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when it can serve: the database answers, takes what is written, and is where the next start will look for it.
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    match tokio::time::timeout(ANSWER_MAX, look(api.parts.core.store())).await {
        Ok(Ok(())) => "ok\n".into_response(),
        Ok(Err(error)) => unready(&error),
        Err(_) => unready(&Error::Engine(format!("no answer within {ANSWER_MAX:?}"))),
    }
}

/// A write that came to nothing is tried again with a small one; otherwise a read is enough, so that asking often is cheap.
async fn look(store: &Store) -> Result<(), Error> {
    if !store.is_in_place() {
        return Err(Error::Engine("the database file was moved away or replaced".to_owned()));
    }
    if store.fails_to_write() {
        return store.write(versions::try_to_write).await;
    }
    store.read(|tx| versions::read(tx, versions::ACCESS).map(drop)).await
}

fn unready(error: &Error) -> Response {
    tracing::warn!(%error, "not ready");
    (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer, or nothing can be written\n").into_response()
}
