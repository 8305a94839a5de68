//! Ready-made handlers that speak to other programs than databases: what they send, what they make of the answers, and what they never tell.
//!
//! | file | what |
//! |---|---|
//! | `mail` | a mail server of its own for each test |
//! | `documented` | what the docs show |
//! | `chat` | a webhook as Slack has them |
//! | `rest` | requests with mapped fields, as CRMs want them |
//! | `kamailio` | JSON-RPC, answered as Kamailio answers; the real one is asked in `softswitch` |
mod chat;
mod documented;
mod kamailio;
mod mail;
mod rest;

use hookswitch_testkit::{Server, Value, json};

/// What the log says of the last call of a handler, once there are so many.
async fn last_call(server: &Server, handlers_id: i64, count: usize) -> Value {
    let rows = server.wait_log(json!({"handlers_id": handlers_id}), count).await;
    let newest = rows.iter().max_by_key(|row| row["id"].as_i64()).unwrap();
    server.ok("provisioning.executions.get", json!({"id": newest["id"]})).await
}

/// What it says came back, as JSON.
fn response(row: &Value) -> Value {
    row["response"].as_str().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{row}"))
}
