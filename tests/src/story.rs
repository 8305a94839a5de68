//! One story through the API from the first client to the last event, as an integrator would live it.
use hookswitch_testkit::{Recorder, Reply, Server, after, api::id, assert_has, before, json, with};

#[tokio::test]
async fn a_client_is_made_changed_charged_and_deleted_and_everybody_knows() {
    let server = Server::start().await;
    // Fraud check: refuses a bad name, cuts credit. Softswitch: hears of everything.
    let fraud = Recorder::answering(|call| {
        let data = &call.body["data"];
        if data["name"].as_str().is_some_and(|name| name.contains("Fraud")) {
            return Reply::text(403, json!({"message": "known fraudster", "field": "name"}).to_string());
        }
        if data["credit"].as_f64().is_some_and(|credit| credit > 250.0) {
            return Reply::json(&json!({"data": {"credit": 250}, "warnings": ["credit cut to 250"]}));
        }
        Reply::echo(call)
    })
    .await;
    let switch = Recorder::start().await;
    let fraud_id =
        server.handler(with(before(json!(["clients.create", "clients.update"]), &fraud), json!({"name": "Fraud check"}))).await;
    let everything = json!([
        "clients.create",
        "clients.update",
        "clients.archive",
        "clients.delete",
        "clients.accounts.*",
        "clients.balance_zero",
        "clients.balance_notzero",
    ]);
    server.handler(with(after(everything, &switch), json!({"name": "Softswitch"}))).await;

    // 1. A client is created, with less credit than was asked for; another one is forbidden.
    let crm = server.user("crm", "operator", json!(null)).await;
    let answer = crm.whole("clients.create", json!({"name": "Acme Telecom", "credit": 1000})).await;
    assert_eq!(answer["warnings"], json!(["credit cut to 250"]));
    let client = id(&answer["result"]);
    assert_has(&answer["result"], &json!({"credit": 250, "available": 250}));
    let refusal = crm.refused("clients.create", json!({"name": "Fraud Ltd"})).await;
    assert_has(&refusal.data, &json!({"code": "forbidden_by_handler", "message": "known fraudster", "field": "name"}));

    // 2. It gets an account, pays, and talks more than it has.
    let account = crm.account(client, "acme").await;
    crm.pay(client, "5").await;
    crm.pay(client, "-8.2").await;
    assert_has(&crm.ok("clients.get", json!({"id": client})).await, &json!({"balance": -3.2, "available": 246.8}));
    crm.pay(client, "-246.8").await;
    crm.pay(client, "250").await;

    // 3. It is renamed, archived, and deleted with its account.
    crm.ok("clients.update", json!({"id": client, "name": "Acme"})).await;
    crm.ok("clients.archive", json!({"id": client})).await;
    crm.ok("clients.delete", json!({"id": client})).await;

    // 4. The softswitch has heard all of it, once, in order: but for the available basis, which it did not ask for.
    server.wait_all_delivered().await;
    let told: Vec<_> = switch.calls().iter().map(|call| (call.events_id().to_owned(), call.seq())).collect();
    let expected = [
        ("clients.create", 1),
        ("clients.accounts.create", 2),
        ("clients.balance_zero", 3),
        ("clients.balance_notzero", 5),
        ("clients.update", 7),
        ("clients.archive", 8),
        ("clients.accounts.delete", 9),
        ("clients.delete", 10),
    ];
    assert_eq!(told, expected.map(|(name, seq)| (name.to_owned(), seq)));
    let deleted = &switch.calls()[6];
    assert_has(&deleted.body, &json!({"event": {"object_id": account, "clients_id": client}, "object": {"accname": "acme"}}));
    assert_eq!(switch.calls()[0].event("actor")["login"], "crm");

    // 5. The log tells who was asked and what became of it, and the ledger is still there.
    let asked = server.wait_log(json!({"handlers_id": fraud_id}), 3).await;
    let outcomes: Vec<_> = asked.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["success", "forbidden", "success"]);
    let ledger = server.ok("accounting.transactions.search", json!({"clients_id": client, "with_total": true})).await;
    assert_eq!(ledger["total"], json!(4));
}
