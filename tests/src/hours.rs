//! What pictures of the last day are drawn from: calls and events, hour by hour.
use hookswitch_testkit::{Clocked, Recorder, Reply, Value, after, before, json, wait_until, with};

const HOUR: i64 = 3_600;

async fn hours(server: &Clocked, handler: i64) -> Vec<Value> {
    let figures = server.ok("provisioning.handlers.figures", json!({"id": handler})).await;
    figures[0]["hours"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_how_they_ended_in_their_hour() {
    let server = Clocked::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    let asks = server.handler(before("clients.create", &asked)).await;
    let tells = server.handler(with(after("clients.create", &told), json!({"retries": []}))).await;
    assert_eq!(
        server.ok("provisioning.handlers.figures", json!({})).await,
        json!([{"id": asks, "median_ms": null, "hours": []}, {"id": tells, "median_ms": null, "hours": []}]),
    );
    server.client("Acme").await;
    asked.answer(|_| Reply::status(403));
    server.refused("clients.create", json!({"name": "Beta"})).await;
    asked.answer(|_| Reply::ok());
    server.advance(HOUR);
    told.answer(|_| Reply::status(500));
    server.client("Gamma").await;
    wait_until("both hours are there", async || hours(&server, tells).await.len() == 2).await;
    let count = |hour: &Value, status: &str| hour[status].as_i64().unwrap();
    let (before, after) = (hours(&server, asks).await, hours(&server, tells).await);
    let ended = |hour: &Value| ["success", "forbidden", "failed", "skipped"].map(|status| count(hour, status));
    assert_eq!(before.iter().map(ended).collect::<Vec<_>>(), [[1, 1, 0, 0], [1, 0, 0, 0]]);
    assert_eq!(after.iter().map(ended).collect::<Vec<_>>(), [[1, 0, 0, 0], [0, 0, 1, 0]]);
    assert!(before[0]["hour"].as_str().unwrap().ends_with(":00:00+00:00"), "{}", before[0]);
    let figures = server.ok("provisioning.handlers.figures", json!({})).await;
    assert!(figures.as_array().unwrap().iter().all(|one| one["median_ms"].as_f64() > Some(0.0)), "{figures}");
    server.advance(24 * HOUR);
    assert_eq!(hours(&server, asks).await.len(), 1, "the last 24 only");
    assert_eq!(server.refused("provisioning.handlers.figures", json!({"id": 999})).await.code, -32004);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_counted_for_who_sees_them() {
    let mut server = Clocked::start().await;
    let other = server.ok("companies.create", json!({"name": "Other"})).await["id"].clone();
    let user = json!({"login": "other", "role": "readonly", "companies_id": other});
    let key = server.ok("users.create", user).await["key"].as_str().unwrap().to_owned();
    for (name, companies_id) in [("a", json!(1)), ("b", other.clone()), ("c", other)] {
        server.ok("clients.create", json!({"name": name, "companies_id": companies_id})).await;
    }
    // Written down now and then, and when it stops.
    server.restart_after(1).await;
    let events = |hours: Value| hours.as_array().unwrap().iter().map(|hour| hour["events"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(events(server.ok("provisioning.events.hours", json!({})).await), [3]);
    assert_eq!(events(server.with_key(&key).ok("provisioning.events.hours", json!({})).await), [2]);
    server.advance(2 * HOUR);
    server.client("d").await;
    wait_until("it is written down", async || {
        server.advance(5);
        events(server.ok("provisioning.events.hours", json!({})).await) == [3, 1]
    })
    .await;
}
