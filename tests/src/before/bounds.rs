//! What a slow handler may cost at most: places, and actions of one client.
use hookswitch_testkit::{Api, Gate, Recorder, Reply, Server, assert_has, before, json, wait_until, with};

#[tokio::test]
async fn without_a_free_place_in_time_a_handler_is_busy() {
    let server = Server::start().await;
    let gate = Gate::shut();
    let recorder = Recorder::answering({
        let gate = gate.clone();
        move |_| Reply::ok().behind(&gate)
    })
    .await;
    let handler = server.handler(with(before("clients.create", &recorder), json!({"concurrency": 1, "timeout_ms": 9_000}))).await;
    let first = tokio::spawn(client(&server, "First"));
    recorder.wait(1).await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "timeout_ms": 200})).await;
    let refusal = server.refused("clients.create", json!({"name": "Second"})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "busy"}));
    gate.open();
    first.await.unwrap();
    assert_eq!(recorder.calls().len(), 1);
    let row = server.wait_log(json!({"status": "skipped"}), 1).await.remove(0);
    assert!(row["error"].as_str().unwrap().contains("busy"), "{row}");
}

/// Creates a client in a task of its own.
fn client(api: &Api, name: &str) -> impl Future<Output = i64> + use<> {
    let (api, name) = (api.clone(), name.to_owned());
    async move { api.client(&name).await }
}

#[tokio::test]
async fn sixteen_actions_of_one_client_may_wait_for_handlers_and_the_next_gets_429() {
    const FIELDS: [&str; 17] = [
        "c_company",
        "c_email",
        "c_email_billing",
        "c_email_tech",
        "c_email_rates",
        "c_phone",
        "c_address",
        "c_city",
        "c_state",
        "c_country",
        "c_zip_code",
        "tax_id",
        "bill_by_time",
        "notes",
        "name",
        "invoice_no_tpl",
        "orig_rate_table",
    ];
    let server = Server::start().await;
    let (full, other) = (server.client("Full").await, server.client("Other").await);
    let gate = Gate::shut();
    let recorder = Recorder::answering({
        let gate = gate.clone();
        move |call| if call.clients_id() == full { Reply::ok().behind(&gate) } else { Reply::ok() }
    })
    .await;
    server.handler(with(before("clients.update", &recorder), json!({"timeout_ms": 9_000}))).await;
    let update = |field: &str| {
        let (api, params) = ((*server).clone(), json!({"id": full, field: "changed"}));
        async move { api.call("clients.update", params).await }
    };
    let waiting: Vec<_> = FIELDS[..16].iter().map(|field| tokio::spawn(update(field))).collect();
    recorder.wait_exactly(16).await;
    let refusal = update(FIELDS[16]).await.unwrap_err();
    assert_eq!(refusal.code, -32029, "{refusal:?}");
    server.ok("clients.update", json!({"id": other, "notes": "not held up"})).await;
    server.pay(full, "5").await;
    gate.open();
    for update in waiting {
        update.await.unwrap().unwrap();
    }
    let client = server.ok("clients.get", json!({"id": full})).await;
    assert!(FIELDS[..16].iter().all(|field| client[*field] == "changed"), "{client}");
    update(FIELDS[16]).await.unwrap();
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_cancel_the_action() {
    let server = Server::start().await;
    let gate = Gate::shut();
    let recorder = Recorder::answering({
        let gate = gate.clone();
        move |_| Reply::ok().behind(&gate)
    })
    .await;
    server.handler(with(before("clients.create", &recorder), json!({"timeout_ms": 9_000}))).await;
    let caller = tokio::spawn(client(&server, "Acme"));
    recorder.wait(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.open();
    wait_until("the client is there", || async { server.ok("clients.search", json!({"name": "Acme"})).await != json!([]) }).await;
    recorder.wait_exactly(1).await;
}
