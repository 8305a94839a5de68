//! `clients.*`: the whole object, and its life from create to delete.
use hookswitch_testkit::{Server, api::id, assert_has, json};

/// Every key of the contract's client, the legacy ones included.
const KEYS: &[&str] = &[
    "id",
    "name",
    "companies_id",
    "currencies_id",
    "status",
    "credit",
    "balance",
    "available",
    "balance_accountant",
    "tags",
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
    "payment_terms_id",
    "orig_rate_tables_ids",
    "low_balance_athreshold",
    "bill_by_time",
    "orig_capacity",
    "notes",
    "c_dt",
    "custom_fields",
    "orig_rate_table",
    "term_rate_table",
    "term_capacity",
    "low_balance_threshold",
    "low_balance_capacity",
    "autoinvoice_enabled",
    "invoice_no_tpl",
    "owner_users_id",
    "manager_id",
    "groups",
    "type",
    "dr_plans_id",
];

#[tokio::test]
async fn create_returns_the_whole_client_and_get_returns_the_same() {
    let server = Server::start().await;
    let created =
        server.ok("clients.create", json!({"name": "Acme Telecom", "credit": 100, "c_city": "Kraków", "tags": ["a"]})).await;
    let expected = json!({
        "name": "Acme Telecom", "companies_id": 1, "currencies_id": 1, "status": "active", "credit": 100, "balance": 0,
        "available": 100, "balance_accountant": 0, "c_city": "Kraków", "tags": ["a"], "c_email": null, "groups": null,
    });
    assert_has(&created, &expected);
    let mut found: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    let mut keys = KEYS.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys);
    let born = created["c_dt"].as_str().unwrap();
    assert!(born.len() == 25 && born.ends_with("+00:00"), "ISO 8601 with an offset: {born}");
    assert_eq!(server.ok("clients.get", json!({"id": id(&created)})).await, created);
}

#[tokio::test]
async fn update_takes_only_what_changes_and_returns_the_whole_client() {
    let server = Server::start().await;
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": 5, "notes": "old"})).await;
    let changed = server.ok("clients.update", json!({"id": id(&client), "name": "Acme Telecom"})).await;
    let mut expected = client.clone();
    expected["name"] = json!("Acme Telecom");
    assert_eq!(changed, expected);
    let changed = server.ok("clients.update", json!({"id": id(&client), "status": "stopped", "notes": null})).await;
    assert_has(&changed, &json!({"status": "stopped", "notes": null, "credit": 5}));
}

#[tokio::test]
async fn an_update_that_changes_nothing_raises_nothing_and_returns_the_object() {
    let server = Server::start().await;
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": 5})).await;
    let same = server.ok("clients.update", json!({"id": id(&client), "name": "Acme", "credit": 5.0})).await;
    assert_eq!(same, client);
    assert_eq!(server.journal(id(&client)).await, [("clients.create".to_owned(), 1)]);
}

#[tokio::test]
async fn archive_returns_one_and_unarchive_raises_an_update_of_the_status() {
    let server = Server::start().await;
    let id = server.client("Acme").await;
    assert_eq!(server.ok("clients.archive", json!({"id": id})).await, json!(1));
    assert_eq!(server.ok("clients.get", json!({"id": id})).await["status"], "archived");
    server.ok("clients.unarchive", json!({"id": id})).await;
    assert_eq!(server.ok("clients.get", json!({"id": id})).await["status"], "active");
    let journal = server.journal(id).await;
    assert_eq!(
        journal.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["clients.create", "clients.archive", "clients.update"]
    );
}

#[tokio::test]
async fn status_is_set_by_update_to_active_or_stopped_only() {
    let server = Server::start().await;
    let id = server.client("Acme").await;
    for status in [json!("archived"), json!("gone"), json!(1), json!(null)] {
        assert_eq!(server.refused("clients.update", json!({"id": id, "status": status})).await.fields(), ["status"]);
    }
}

#[tokio::test]
async fn reseller_and_currency_are_fixed_after_creation() {
    let server = Server::start().await;
    let other = server.company("Other", 1).await;
    let id = server.client("Acme").await;
    let refusal = server.refused("clients.update", json!({"id": id, "companies_id": other, "currencies_id": 2})).await;
    assert_eq!(refusal.fields(), ["companies_id", "currencies_id"]);
}

#[tokio::test]
async fn a_name_is_unique_within_its_reseller_only() {
    let server = Server::start().await;
    let other = server.company("Other", 1).await;
    server.client("Acme").await;
    let second = server.refused("clients.create", json!({"name": "Acme"})).await;
    assert_eq!(second.fields(), ["name"]);
    assert_eq!(second.data["name"], "is already in use");
    server.ok("clients.create", json!({"name": "Acme", "companies_id": other})).await;
    let third = server.client("Acme 3").await;
    assert_eq!(server.refused("clients.update", json!({"id": third, "name": "Acme"})).await.fields(), ["name"]);
}

#[tokio::test]
async fn credit_null_is_unlimited_and_leaves_no_available_balance() {
    let server = Server::start().await;
    let client = server.ok("clients.create", json!({"name": "Acme", "credit": null})).await;
    assert_has(&client, &json!({"credit": null, "available": null, "balance": 0}));
    let limited = server.ok("clients.update", json!({"id": id(&client), "credit": 7.5})).await;
    assert_has(&limited, &json!({"credit": 7.5, "available": 7.5}));
}

#[tokio::test]
async fn legacy_keys_are_stored_as_given() {
    let server = Server::start().await;
    let odd = json!({"a": [1, 2.50, null], "b": "x"});
    let client = server.ok("clients.create", json!({"name": "Acme", "groups": odd, "manager_id": 7, "type": "x"})).await;
    assert_has(&client, &json!({"manager_id": 7, "type": "x", "dr_plans_id": null}));
    assert_eq!(client["groups"], odd);
    let changed = server.ok("clients.update", json!({"id": id(&client), "groups": ["y"]})).await;
    assert_eq!(changed["groups"], json!(["y"]));
}

#[tokio::test]
async fn delete_returns_one_takes_the_accounts_along_and_keeps_the_history() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    server.pay(client, "10").await;
    server.pay(client, "-10").await;
    assert_eq!(server.ok("clients.delete", json!({"id": client})).await, json!(1));
    let gone = server.refused("clients.get", json!({"id": client})).await;
    assert_eq!(gone.code, -32004);
    assert_has(&gone.data, &json!({"code": "not_found", "object_name": "clients", "object_id": client}));
    let gone = server.refused("clients.accounts.get", json!({"id": account})).await;
    assert_has(&gone.data, &json!({"code": "not_found", "object_name": "clients.accounts", "object_id": account}));
    let kept = server.ok("accounting.transactions.search", json!({"clients_id": client})).await;
    assert_eq!(kept.as_array().unwrap().len(), 2);
    // Both balances crossed zero, the live one and the available one.
    let edges = ["clients.balance_zero", "clients.balance_zero"];
    let told = [["clients.create", "clients.accounts.create"], edges, ["clients.accounts.delete", "clients.delete"]].concat();
    let journal = server.journal(client).await;
    assert_eq!(journal.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), told);
    assert_eq!(journal.iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn delete_of_a_client_whose_balance_is_not_0_needs_force() {
    let server = Server::start().await;
    let id = server.client("Acme").await;
    server.pay(id, "0.000001").await;
    server.refused("clients.delete", json!({"id": id})).await;
    assert_eq!(server.refused("clients.delete", json!({"id": id, "force": 1})).await.fields(), ["force"]);
    assert_eq!(server.ok("clients.get", json!({"id": id})).await["name"], "Acme");
    assert_eq!(server.ok("clients.delete", json!({"id": id, "force": true})).await, json!(1));
}

#[tokio::test]
async fn an_id_is_never_used_twice() {
    let mut server = Server::start().await;
    let first = server.client("Acme").await;
    server.ok("clients.delete", json!({"id": first})).await;
    let second = server.client("Acme").await;
    assert!(second > first, "{second} after {first}");
    server.ok("clients.delete", json!({"id": second})).await;
    server.kill9().await;
    server.start_again().await;
    let third = server.client("Acme").await;
    assert!(third > second, "{third} after {second}");
}
