//! What holds for a day, a minute or a number of days, and no longer.
use hookswitch_testkit::{
    Clocked, Recorder, Reply, after,
    api::id,
    json,
    signature::{signatures, valid_signatures},
    wait_until,
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_signs_for_24_hours() {
    let server = Clocked::start().await;
    let recorder = Recorder::start().await;
    let handler = server.ok("provisioning.handlers.create", after("clients.create", &recorder)).await;
    let new = server.ok("provisioning.handlers.rotate_secret", json!({"id": handler["id"]})).await;
    server.advance(DAY - 60);
    server.client("One").await;
    assert_eq!(signatures(&recorder.wait_exactly(1).await[0]).len(), 2);
    server.advance(120);
    server.client("Two").await;
    let call = recorder.wait_exactly(2).await.remove(1);
    assert_eq!((signatures(&call).len(), valid_signatures(&call, new["secret"].as_str().unwrap())), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_is_good_for_24_hours() {
    let server = Clocked::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    let client = server.client("Acme").await;
    let call = recorder.wait_exactly(1).await.remove(0);
    let cause = [("hookswitch-cause", call.header("hookswitch-cause").unwrap())];
    for (advance, expected) in [(DAY - 60, call.event("id").clone()), (120, json!(null))] {
        server.advance(advance);
        server.call_with(&cause, "clients.update", json!({"id": client, "notes": format!("{advance}")})).await.unwrap();
        let rows = server.ok("provisioning.events.search", json!({"clients_id": client, "order": ["-seq"]})).await;
        assert_eq!(rows[0]["cause"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_remembered_for_24_hours() {
    let server = Clocked::start().await;
    let client = server.client("Acme").await;
    let payment = json!({"clients_id": client, "type": "payment", "amount": 5, "idempotency_key": "k"});
    let first = server.ok("accounting.transactions.create", payment.clone()).await;
    server.advance(DAY - 60);
    assert_eq!(server.ok("accounting.transactions.create", payment.clone()).await, first);
    server.advance(120);
    assert_ne!(id(&server.ok("accounting.transactions.create", payment).await), id(&first));
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"], json!(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_key_works_for_its_overlap() {
    let server = Clocked::start().await;
    let old = server.user("crm", "readonly", json!(null)).await;
    let users = server.ok("users.search", json!({"login": "crm"})).await;
    server.ok("users.rotate_key", json!({"id": users[0]["id"], "overlap_hours": 2})).await;
    server.advance(2 * HOUR - 60);
    old.ok("clients.search", json!({})).await;
    server.advance(120);
    assert_eq!(old.refused("clients.search", json!({})).await.code, -32001);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotating_again_lengthens_no_old_key() {
    let server = Clocked::start().await;
    let first = server.user("crm", "readonly", json!(null)).await;
    let user = server.ok("users.search", json!({"login": "crm"})).await[0]["id"].clone();
    let rotate = async |overlap_hours: i64| {
        let rotated = server.ok("users.rotate_key", json!({"id": user, "overlap_hours": overlap_hours})).await;
        server.with_key(rotated["key"].as_str().unwrap())
    };
    let second = rotate(1).await;
    let third = rotate(5).await;
    server.advance(HOUR + 60);
    assert_eq!(first.refused("clients.search", json!({})).await.code, -32001, "its hour is over");
    second.ok("clients.search", json!({})).await;
    let fourth = rotate(2).await;
    server.advance(2 * HOUR + 60);
    for ended in [&first, &second, &third] {
        assert_eq!(ended.refused("clients.search", json!({})).await.code, -32001, "a shorter overlap ends them all");
    }
    fourth.ok("clients.search", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_are_counted_by_the_minute() {
    let server = Clocked::start().await;
    let wrong = async |number: i32| {
        server.with_key(&format!("wrong-wrong-wrong-wrong-wrong-wrong-{number}")).refused("clients.search", json!({})).await.code
    };
    for number in 0..5 {
        assert_eq!(wrong(number).await, -32001);
    }
    assert_eq!(wrong(5).await, -32029);
    server.advance(61);
    assert_eq!(wrong(6).await, -32001);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_kept_for_retention_days_but_what_is_not_delivered_is_never_cut() {
    let server = Clocked::start().await;
    let recorder =
        Recorder::answering(|call| if call.body["data"]["name"] == "Stuck" { Reply::status(410) } else { Reply::ok() }).await;
    server.handler(after("clients.create", &recorder)).await;
    server.client("Gone").await;
    server.client("Stuck").await;
    server.wait_log(json!({}), 2).await;
    server.advance(29 * DAY);
    server.client("Fresh").await;
    server.wait_log(json!({}), 3).await;
    server.advance(2 * DAY);
    wait_until("the old row is gone", async || {
        server.advance(60);
        server.log(json!({"object_id": 1})).await.is_empty()
    })
    .await;
    assert_eq!(server.log(json!({"object_id": 3})).await.len(), 1, "younger than 30 days");
    let stuck = server.ok("provisioning.events.search", json!({"object_id": 2})).await;
    let event = server.ok("provisioning.events.get", json!({"id": stuck[0]["id"]})).await;
    assert_eq!(event["data"]["name"], "Stuck");
}
