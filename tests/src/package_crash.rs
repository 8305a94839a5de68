//! `kill -9` in the middle of lives: packages whose periods last a second are renewed all the time while the program is killed
//! again and again. Every period is charged once, periods follow without a gap, and the handler hears of every step.
//! `HOOKSWITCH_CRASH_ROUNDS` sets how often it is killed.
use std::collections::HashMap;

use hookswitch_testkit::{Recorder, Server, Value, after, api::id, json, program::run, wait_until};

const CLIENTS: usize = 6;

fn rounds() -> usize {
    std::env::var("HOOKSWITCH_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5)
}

#[tokio::test]
async fn no_period_is_charged_twice_or_left_out_whenever_the_program_is_killed() {
    let mut server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.packages.*", &recorder)).await;
    let package = json!({"name": "Seconds", "period": "PT1S", "period_fee": 0.01, "activation_fee": 1, "advance_renew": "PT0S"});
    let package = id(&server.ok("packages.create", package).await);
    let mut owned = Vec::new();
    for number in 0..CLIENTS {
        let client = server.client(&format!("Client {number}")).await;
        server.pay(client, "100").await;
        for _ in 0..2 {
            let own = server.ok("clients.packages.assign", json!({"clients_id": client, "packages_id": package})).await;
            owned.push((client, id(&own)));
        }
    }
    for _ in 0..rounds() {
        let heard = recorder.calls().len();
        wait_until("steps go on", async || recorder.calls().len() >= heard + owned.len()).await;
        server.kill9().await;
        server.start_again().await;
    }
    for (_, own) in &owned {
        wait_until("it is on", async || server.ok("clients.packages.get", json!({"id": own})).await["condition"] == "activated")
            .await;
        server.ok("clients.packages.close", json!({"id": own})).await;
    }
    server.wait_all_delivered().await;
    for (client, own) in owned {
        assert_sound(&server, &recorder, client, own).await;
    }
    server.terminate().await;
    let checked = run(server.home(), &["check", "--data", "data"], &[]).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// The journal's steps, the ledger's fees and what the handler heard tell one story.
pub(crate) async fn assert_sound(server: &Server, recorder: &Recorder, client: i64, own: i64) {
    let rows = server
        .ok("provisioning.events.search", json!({"object_id": own, "clients_id": client, "order": ["seq"], "limit": 1000}))
        .await;
    let of_packages = |row: &&Value| row["events_id"].as_str().is_some_and(|name| name.starts_with("clients.packages."));
    let rows: Vec<&Value> = rows.as_array().unwrap().iter().filter(of_packages).collect();
    let names: Vec<&str> = rows.iter().map(|row| row["events_id"].as_str().unwrap()).collect();
    let (first, last) = (&names[..2], &names[names.len() - 2..]);
    assert_eq!(
        (first, last),
        (
            &["clients.packages.assign", "clients.packages.activate"][..],
            &["clients.packages.deactivate", "clients.packages.close"][..],
        )
    );
    assert!(names[2..names.len() - 2].iter().all(|name| *name == "clients.packages.renew"), "{names:?}");

    let mut period_end = Value::Null;
    for row in &rows[1..rows.len() - 2] {
        let event = server.ok("provisioning.events.get", json!({"id": row["id"]})).await;
        let data = &event["data"];
        assert!(period_end.is_null() || data["period_start_dt"] == period_end, "a gap, or a period twice, at {data}");
        period_end = data["period_stop_dt"].clone();
    }

    let fees = server.ok("accounting.transactions.search", json!({"clients_packages_id": own, "limit": 1000})).await;
    assert_eq!(fees.as_array().unwrap().len(), names.len() - 3 + 1, "a fee for each period, and one for the activation");

    let mut heard: HashMap<i64, String> = HashMap::new();
    for call in recorder.calls().iter().filter(|call| call.clients_id() == client && *call.event("object_id") == own) {
        heard.insert(call.seq(), call.events_id().to_owned());
    }
    for row in &rows {
        let seq = row["seq"].as_i64().unwrap();
        assert_eq!(heard.remove(&seq).as_deref(), row["events_id"].as_str(), "seq {seq}");
    }
    assert!(heard.is_empty(), "told, but not in the journal: {heard:?}");
}
