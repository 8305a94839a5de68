//! `accounting.transactions.*`: the only way to change a balance, and never changed itself.
use hookswitch_testkit::{Server, Value, api::id, assert_has, check::column, json};

#[tokio::test]
async fn a_transaction_is_returned_whole_and_moves_the_balance() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let fields = json!({"clients_id": client, "type": "payment", "amount": 12.5, "notes": "bank", "external_id": "b-1"});
    let payment = server.ok("accounting.transactions.create", fields.clone()).await;
    assert_has(&payment, &fields);
    assert_has(&payment, &json!({"balance_after": 12.5, "clients_packages_id": null}));
    assert!(payment["c_dt"].is_string());
    assert_eq!(server.ok("accounting.transactions.get", json!({"id": id(&payment)})).await, payment);
    assert_eq!(server.pay(client, "-20").await["balance_after"], json!(-7.5));
    assert_has(
        &server.ok("clients.get", json!({"id": client})).await,
        &json!({"balance": -7.5, "available": -7.5, "balance_accountant": -7.5}),
    );
}

#[tokio::test]
async fn each_type_has_its_sign() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let transaction = |kind: &str, amount: Value| json!({"clients_id": client, "type": kind, "amount": amount});
    for (kind, amount) in [("payment", 1), ("refund", 1), ("charge", -1), ("correction", 1), ("correction", -1)] {
        server.ok("accounting.transactions.create", transaction(kind, json!(amount))).await;
    }
    for (kind, amount) in
        [("payment", 0), ("payment", -1), ("refund", 0), ("refund", -1), ("charge", 0), ("charge", 1), ("correction", 0)]
    {
        let refusal = server.refused("accounting.transactions.create", transaction(kind, json!(amount))).await;
        assert_eq!(refusal.fields(), ["amount"], "{kind} {amount}");
    }
    assert_eq!(server.refused("accounting.transactions.create", transaction("package_fee", json!(-1))).await.fields(), ["type"]);
    assert_eq!(server.refused("accounting.transactions.create", transaction("gift", json!(1))).await.fields(), ["type"]);
    assert_eq!(server.refused("accounting.transactions.create", json!({})).await.fields(), ["amount", "clients_id", "type"]);
    assert_eq!(server.refused("accounting.transactions.create", transaction("payment", json!("1"))).await.fields(), ["amount"]);
    assert_eq!(
        server.refused("accounting.transactions.create", transaction("payment", json!(0.000_000_1))).await.fields(),
        ["amount"]
    );
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"], json!(1));
}

#[tokio::test]
async fn an_external_id_is_unique_per_client_and_names_the_one_that_has_it() {
    let server = Server::start().await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    let payment = |client: i64| json!({"clients_id": client, "type": "payment", "amount": 1, "external_id": "x-1"});
    let first = server.ok("accounting.transactions.create", payment(one)).await;
    let refusal = server.refused("accounting.transactions.create", payment(one)).await;
    assert_eq!(refusal.code, -32009);
    assert_has(&refusal.data, &json!({"code": "conflict", "transactions_id": id(&first)}));
    server.ok("accounting.transactions.create", payment(two)).await;
    assert_eq!(server.ok("clients.get", json!({"id": one})).await["balance"], json!(1));
}

#[tokio::test]
async fn create_no_negative_stops_at_the_end_of_the_credit() {
    let server = Server::start().await;
    let client = id(&server.ok("clients.create", json!({"name": "Acme", "credit": 5})).await);
    server.pay(client, "10").await;
    let charge = |amount: Value| json!({"clients_id": client, "type": "charge", "amount": amount});
    let refusal = server.refused("accounting.transactions.create_no_negative", charge(json!(-15.000_001))).await;
    assert_eq!((refusal.code, refusal.word()), (-32022, "low_balance"));
    assert!(refusal.message.starts_with("low_balance: "), "{refusal:?}");
    let taken = server.ok("accounting.transactions.create_no_negative", charge(json!(-15))).await;
    assert_eq!(taken["balance_after"], json!(-5));
    assert_eq!(
        server.refused("accounting.transactions.create_no_negative", charge(json!(-0.000_001))).await.word(),
        "low_balance"
    );
    server.ok("clients.update", json!({"id": client, "credit": null})).await;
    server.ok("accounting.transactions.create_no_negative", charge(json!(-1000))).await;
}

#[tokio::test]
async fn a_balance_never_leaves_its_range() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    server.pay(client, "999999999.999999").await;
    let refusal = server
        .refused("accounting.transactions.create", json!({"clients_id": client, "type": "payment", "amount": 0.000_001}))
        .await;
    assert_eq!((refusal.code, refusal.word()), (-32022, "amount_out_of_range"));
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"].to_string(), "999999999.999999");
}

#[tokio::test]
async fn transactions_are_neither_changed_nor_deleted() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let payment = server.pay(client, "1").await;
    for method in ["accounting.transactions.update", "accounting.transactions.delete"] {
        assert_eq!(server.refused(method, json!({"id": id(&payment)})).await.code, -32601);
    }
}

#[tokio::test]
async fn ten_times_a_tenth_is_one() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    for _ in 0..10 {
        server.pay(client, "0.1").await;
    }
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"], json!(1));
    let rows = server.ok("accounting.transactions.search", json!({"clients_id": client, "order": ["id"]})).await;
    let after: Vec<_> = column(&rows, "balance_after").iter().map(ToString::to_string).collect();
    assert_eq!(after, ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]);
}

#[tokio::test]
async fn a_transaction_asks_nobody_and_raises_only_edges() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    server.pay(client, "5").await;
    assert_eq!(server.journal(client).await.len(), 1);
}
