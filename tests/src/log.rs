//! The execution log: one row per call, found by everything, with its secrets masked (`provisioning.md`, section 7).
use hookswitch_testkit::{Recorder, Reply, Server, Value, after, assert_has, before, ids, json, with};

const KEYS: [&str; 15] = [
    "id",
    "dt",
    "events_id",
    "event_id",
    "stage",
    "handlers_id",
    "handlers_name",
    "object_id",
    "clients_id",
    "attempt",
    "status",
    "duration_ms",
    "response_status",
    "error",
    "shadow",
];

#[tokio::test]
async fn a_row_has_the_members_of_the_contract_and_get_adds_the_bodies() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::json(&json!({"data": {"credit": 7}}))).await;
    let handler = server.handler(with(before("clients.create", &recorder), json!({"name": "crm"}))).await;
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": 5})).await;
    let row = server.wait_log(json!({}), 1).await.remove(0);
    assert_eq!(row.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), KEYS);
    let call = recorder.wait_exactly(1).await.remove(0);
    let expected = json!({
        "events_id": "clients.create", "event_id": call.event("id"), "stage": "before", "handlers_id": handler,
        "handlers_name": "crm", "object_id": client["id"], "clients_id": client["id"], "attempt": 1, "status": "success",
        "response_status": 200, "error": null,
    });
    assert_has(&row, &expected);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await;
    assert_has(&whole, &row);
    assert!(whole["request"].to_string().contains("Acme") && whole["response"].to_string().contains("credit"), "{whole}");
    let changes = whole["changes"].to_string();
    assert!(changes.contains("credit") && changes.contains('5') && changes.contains('7'), "{changes}");
}

#[tokio::test]
async fn a_reply_with_characters_that_no_text_has_is_in_the_log_all_the_same() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::text(403, "no\u{0}thing")).await;
    server.handler(before("clients.create", &recorder)).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let row = server.wait_log(json!({}), 1).await.remove(0);
    let response = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await["response"].to_string();
    // PostgreSQL's texts have every character but one.
    assert!(["no\\u0000thing", "no\u{fffd}thing"].iter().any(|text| response.contains(text)), "{response}");
}

#[tokio::test]
async fn rows_come_newest_first_and_are_found_by_each_column() {
    let server = Server::start().await;
    let (crm, switch) = (Recorder::start().await, Recorder::answering(|_| Reply::status(500)).await);
    let crm_id = server.handler(with(after(json!(["clients.create", "clients.update"]), &crm), json!({"name": "crm"}))).await;
    let switch_id = server.handler(with(after("clients.create", &switch), json!({"name": "switch", "retries": []}))).await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    server.ok("clients.update", json!({"id": one, "notes": "n"})).await;
    server.wait_log(json!({}), 5).await;
    let rows = server.log(json!({})).await;
    let found: Vec<_> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert!(found.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {found:?}");
    let update = rows.iter().find(|row| row["events_id"] == "clients.update").unwrap().clone();
    for (filter, count) in [
        (json!({"handlers_id": crm_id}), 3),
        (json!({"handlers_id": [crm_id, switch_id]}), 5),
        (json!({"handlers_name": "switch"}), 2),
        (json!({"events_id": "clients.update"}), 1),
        (json!({"event_id": update["event_id"]}), 1),
        (json!({"id": update["id"]}), 1),
        (json!({"stage": "before"}), 0),
        (json!({"object_id": two}), 2),
        (json!({"clients_id": one}), 3),
        (json!({"attempt": 1}), 5),
        (json!({"attempt": 2}), 0),
        (json!({"status": "failed"}), 2),
        (json!({"status": ["success", "forbidden"]}), 3),
        (json!({"response_status": 500}), 2),
        (json!({"dt_from": "2020-01-01T00:00:00Z"}), 5),
        (json!({"dt_to": "2020-01-01T00:00:00Z"}), 0),
        (json!({"handlers_id": crm_id, "clients_id": one, "status": "success"}), 2),
    ] {
        assert_eq!(server.log(filter.clone()).await.len(), count, "{filter}");
    }
    let page = server.ok("provisioning.executions.search", json!({"limit": 2, "offset": 1, "order": ["id"]})).await;
    let mut oldest_first = found.clone();
    oldest_first.reverse();
    assert_eq!(ids(&page), oldest_first[1..3]);
}

#[tokio::test]
async fn text_in_bodies_is_searched_within_a_handler_a_client_or_a_day() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| Reply::text(200, format!("answer to {}", call.seq()))).await;
    let handler = server.handler(after("clients.update", &recorder)).await;
    let (client, other) = (server.client("Acme").await, server.client("Other").await);
    for (client, word) in [(client, "needle"), (other, "straw")] {
        server.ok("clients.update", json!({"id": client, "notes": word})).await;
    }
    server.wait_log(json!({"handlers_id": handler}), 2).await;
    for (filter, count) in [
        (json!({"handlers_id": handler, "q": "*needle*"}), 1),
        (json!({"clients_id": other, "q": "*straw*"}), 1),
        (json!({"clients_id": client, "q": "*straw*"}), 0),
        (json!({"clients_id": client, "q": "*answer to 2*"}), 1),
        (json!({"clients_id": client, "q": "*nowhere*"}), 0),
    ] {
        assert_eq!(server.log(filter.clone()).await.len(), count, "{filter}");
    }
    let refusal = server.refused("provisioning.executions.search", json!({"q": "*needle*"})).await;
    assert_eq!(refusal.code, -32602, "the whole log is not searched for text: {refusal:?}");
    let two_days = json!({"q": "*needle*", "dt_from": "2026-01-01T00:00:00Z", "dt_to": "2026-01-03T00:00:00Z"});
    assert_eq!(server.refused("provisioning.executions.search", two_days).await.code, -32602);
    let one_day = json!({"q": "*needle*", "dt_from": "2026-01-01T00:00:00Z", "dt_to": "2026-01-02T00:00:00Z"});
    server.ok("provisioning.executions.search", one_day).await;
}

#[tokio::test]
async fn every_secret_value_is_masked_wherever_it_occurs() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| {
        let everything = format!("{:?} {}", call.headers, String::from_utf8_lossy(&call.raw));
        Reply::text(403, everything)
    })
    .await;
    let handler = with(before("clients.accounts.create", &recorder), json!({"headers": {"X-Token": "t0ken-of-the-crm"}}));
    let secret = server.ok("provisioning.handlers.create", handler).await["secret"].as_str().unwrap().to_owned();
    let client = server.client("Acme").await;
    let account =
        json!({"clients_id": client, "name": "s3cret \"pw\"", "auth_type": "name", "accname": "a", "password": "s3cret \"pw\""});
    let refusal = server.refused("clients.accounts.create", account).await;
    let row = server.wait_log(json!({"stage": "before"}), 1).await.remove(0);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await.to_string();
    for hidden in ["s3cret", "t0ken-of-the-crm", secret.as_str()] {
        assert!(!whole.contains(hidden), "{hidden} in {whole}");
    }
    assert!(whole.contains("********"));
    assert!(!server.stderr().contains("s3cret") && !server.stderr().contains("t0ken-of-the-crm"));
    assert_eq!(refusal.word(), "forbidden_by_handler");
}

#[tokio::test]
async fn the_output_of_scripts_is_masked_too() {
    let server = Server::start().await;
    server.scripts().shell("leak.sh", "cat >&2; exit 1");
    let handler = json!({"name": "leak", "event": "clients.accounts.create", "type": "before", "task": "script://leak.sh"});
    server.handler(handler).await;
    let client = server.client("Acme").await;
    let account = json!({"clients_id": client, "name": "a", "auth_type": "name", "accname": "a", "password": "s3cret-s3cret"});
    server.refused("clients.accounts.create", account).await;
    let row = server.wait_log(json!({"status": "failed"}), 1).await.remove(0);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await.to_string();
    assert!(!whole.contains("s3cret"), "{whole}");
}

#[tokio::test]
async fn bodies_are_kept_up_to_64_kib() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|_| Reply::text(200, "y".repeat(200_000))).await;
    server.handler(after("clients.create", &recorder)).await;
    server.ok("clients.create", json!({"name": "Acme", "notes": "x".repeat(60_000)})).await;
    let row = server.wait_log(json!({}), 1).await.remove(0);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await;
    let kept = whole["response"].to_string().matches('y').count();
    assert!((60_000..=65_536).contains(&kept), "{kept}");
    let kept = whole["request"].to_string().matches('x').count();
    assert!((50_000..=65_536).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_forbidden_action_leaves_its_whole_chain_in_the_log() {
    let server = Server::start().await;
    let (yes, no) = (Recorder::start().await, Recorder::answering(|_| Reply::status(403)).await);
    server.handler(with(before("clients.create", &yes), json!({"order": 1, "name": "yes"}))).await;
    server.handler(with(before("clients.create", &no), json!({"order": 2, "name": "no"}))).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let rows = server.wait_log(json!({"events_id": "clients.create"}), 2).await;
    let seen: Vec<_> = rows.iter().map(|row| (row["handlers_name"].as_str().unwrap(), row["status"].as_str().unwrap())).collect();
    assert_eq!(seen, [("yes", "success"), ("no", "forbidden")]);
    assert_eq!(rows[0]["event_id"], rows[1]["event_id"]);
    let object = rows[0]["object_id"].clone();
    assert!(object.as_i64().is_some_and(|id| id > 0), "the id is known before the handlers are asked: {object}");
}

#[tokio::test]
async fn the_journal_keeps_no_password_once_the_last_delivery_is_done() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.accounts.create", &recorder)).await;
    let client = server.client("Acme").await;
    server.account(client, "a").await;
    recorder.wait_exactly(1).await;
    server.wait_all_delivered().await;
    let event = server.ok("provisioning.events.search", json!({"events_id": "clients.accounts.create"})).await;
    hookswitch_testkit::wait_until("the password has left the journal", || async {
        let whole: Value = server.ok("provisioning.events.get", json!({"id": event[0]["id"]})).await;
        !whole.to_string().contains("s3cret")
    })
    .await;
}
