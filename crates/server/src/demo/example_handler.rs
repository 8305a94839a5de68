//! The handler of the demo: what an integrator would write in his own language, in a process of its own. Before a
//! client is created it gives him a tag and a credit, or forbids him by his name; after everything else it prints
//! what it was told, one line each, for the demo to show.
use std::{io::Write as _, net::SocketAddr};

use axum::{Router, http::StatusCode, routing::post};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bench::process::{announce, until_input_ends};

/// A client of this name is not wanted.
pub(super) const UNWANTED: &str = "Unpaid Bills Ltd";
/// What everybody else is given.
pub(super) const CREDIT: i64 = 50;

/// Serves until standard input ends.
///
/// # Errors
/// When no port is free.
pub(crate) async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    announce(listener.local_addr()?)?;
    let app = Router::new().route("/before", post(before)).route("/after", post(after));
    tokio::select! {
        served = async { axum::serve(listener, app).await } => Ok(served?),
        () = until_input_ends() => Ok(()),
    }
}

/// Asked: may change the data, or say no.
async fn before(body: Bytes) -> (StatusCode, String) {
    let payload = payload(&body);
    if payload["data"]["name"] == UNWANTED {
        let reason = json!({"message": "they never paid their last invoice", "code": "bad_payer", "field": "name"});
        return (StatusCode::FORBIDDEN, reason.to_string());
    }
    (StatusCode::OK, json!({"data": {"credit": CREDIT, "tags": ["checked"]}}).to_string())
}

/// Told: the answer says no more than that it was heard.
async fn after(body: Bytes) -> StatusCode {
    let payload = payload(&body);
    let (event, data) = (&payload["event"], &payload["data"]);
    let (seq, events_id) = (&event["seq"], event["events_id"].as_str().unwrap_or_default());
    let detail = match events_id {
        "clients.balance_zero" | "clients.balance_notzero" => {
            format!("balance {} -> {}", data["previous_balance"], data["balance"])
        }
        _ => format!("{}, credit {}, tags {}", data["name"], data["credit"], data["tags"]),
    };
    let told = writeln!(std::io::stdout().lock(), "{events_id} (seq {seq} of client {}): {detail}", event["clients_id"]);
    if told.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::INTERNAL_SERVER_ERROR }
}

/// What is no JSON has none of the keys that are looked for.
fn payload(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
