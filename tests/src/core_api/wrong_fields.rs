//! Every field that is wrong is named in one answer, and nothing is stored.
use hookswitch_testkit::{Server, Value, api::id, json};

#[tokio::test]
async fn all_wrong_fields_of_a_client_are_named_at_once_unknown_ones_too() {
    let server = Server::start().await;
    let wrong = json!({
        "name": "", "credit": -1, "companies_id": 99, "currencies_id": "one", "c_email": 5, "tags": "not a list",
        "orig_capacity": 1.5, "notes": ["x"], "low_balance_athreshold": "5", "nonsense": 1, "balance": 5, "status": "gone",
    });
    let mut names: Vec<_> = wrong.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(server.refused("clients.create", wrong).await.fields(), names);
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_missing_name_is_named() {
    let server = Server::start().await;
    assert_eq!(server.refused("clients.create", json!({})).await.fields(), ["name"]);
    assert_eq!(server.refused("clients.update", json!({"name": "x"})).await.fields(), ["id"]);
}

#[tokio::test]
async fn lengths_are_counted_in_characters_and_both_ends_are_allowed() {
    let server = Server::start().await;
    let cases: &[(&str, usize)] = &[("name", 255), ("c_email", 255), ("tax_id", 255), ("bill_by_time", 255)];
    for (field, most) in cases {
        let mut client = json!({"name": format!("client of {field}")});
        client[*field] = json!("ż".repeat(*most));
        server.ok("clients.create", client.clone()).await;
        client["name"] = json!(format!("second of {field}"));
        client[*field] = json!("ż".repeat(most + 1));
        assert_eq!(server.refused("clients.create", client).await.fields(), [*field]);
    }
    server.ok("clients.create", json!({"name": "n", "notes": "x".repeat(65_536)})).await;
    assert_eq!(server.refused("clients.create", json!({"name": "m", "notes": "x".repeat(65_537)})).await.fields(), ["notes"]);
}

#[tokio::test]
async fn money_is_exact_within_its_range_and_refused_outside() {
    let server = Server::start().await;
    let taken: &[(&str, &str)] = &[
        ("999999999.999999", "999999999.999999"),
        ("0.000001", "0.000001"),
        ("1e3", "1000"),
        ("1.5E-1", "0.15"),
        ("0.10", "0.1"),
        ("12345678.123456", "12345678.123456"),
        ("0", "0"),
        ("1.000000000", "1"),
    ];
    for (index, (given, shown)) in taken.iter().enumerate() {
        let given: Value = given.parse().unwrap();
        let client = server.ok("clients.create", json!({"name": format!("c{index}"), "credit": given})).await;
        assert_eq!(client["credit"].to_string(), *shown);
        assert_eq!(client["available"].to_string(), *shown);
    }
    for wrong in
        ["1000000000", "0.0000001", "1e-7", "-0.000001", "\"100\"", "1e400", "true", "[1]", "99999999999999999999999999999"]
    {
        let wrong: Value = wrong.parse().unwrap();
        assert_eq!(server.refused("clients.create", json!({"name": "x", "credit": wrong})).await.fields(), ["credit"]);
    }
}

#[tokio::test]
async fn a_bad_foreign_key_is_a_field_error_and_not_a_404() {
    let server = Server::start().await;
    let client = server.refused("clients.create", json!({"name": "x", "companies_id": 4711})).await;
    assert_eq!(client.fields(), ["companies_id"]);
    let account = json!({"clients_id": 4711, "name": "a", "auth_type": "name", "accname": "a"});
    assert_eq!(server.refused("clients.accounts.create", account).await.fields(), ["clients_id"]);
    let payment = json!({"clients_id": 4711, "type": "payment", "amount": 1});
    assert_eq!(server.refused("accounting.transactions.create", payment).await.fields(), ["clients_id"]);
}

#[tokio::test]
async fn an_id_must_be_a_positive_integer_that_exists() {
    let server = Server::start().await;
    server.client("Acme").await;
    for wrong in [json!("1"), json!(1.5), json!(null), json!([1]), json!(true), json!({"id": 1})] {
        assert_eq!(server.refused("clients.get", json!({"id": wrong})).await.fields(), ["id"]);
    }
    for absent in [json!(-1), json!(0), json!(999_999), "99999999999999999999".parse().unwrap()] {
        let refusal = server.refused("clients.get", json!({"id": absent})).await;
        assert!([-32602, -32004].contains(&refusal.code), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_wrong_update_changes_nothing_at_all() {
    let server = Server::start().await;
    let client = server.ok("clients.create", json!({"name": "Acme", "notes": "kept"})).await;
    let refusal = server.refused("clients.update", json!({"id": id(&client), "notes": "lost", "credit": "1", "zzz": 0})).await;
    assert_eq!(refusal.fields(), ["credit", "zzz"]);
    assert_eq!(server.ok("clients.get", json!({"id": id(&client)})).await, client);
    assert_eq!(server.journal(id(&client)).await.len(), 1);
}

#[tokio::test]
async fn methods_that_take_only_an_id_refuse_anything_else() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    for method in ["clients.get", "clients.archive", "clients.delete", "provisioning.handlers.get", "users.get"] {
        assert_eq!(server.refused(method, json!({"id": client, "what": 1})).await.fields(), ["what"], "{method}");
    }
}
