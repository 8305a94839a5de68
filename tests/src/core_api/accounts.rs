//! `clients.accounts.*`: what each kind of authentication needs, and what is unique over the whole system.
use hookswitch_testkit::{Server, Value, api::id, assert_has, json};

#[tokio::test]
async fn an_account_goes_from_create_to_delete() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let fields = json!({
        "clients_id": client, "name": "office", "auth_type": "name", "accname": "acme-1", "password": "pw-123", "port": 5060,
        "orig_enabled": true, "term_enabled": false, "notes": "n",
    });
    let account = server.ok("clients.accounts.create", fields.clone()).await;
    assert_has(&account, &fields);
    assert_has(&account, &json!({"clients_name": "Acme", "ani": null, "tech_prefix": null, "groups": null, "manager_id": null}));
    assert_eq!(server.ok("clients.accounts.get", json!({"id": id(&account)})).await, account);
    let changed = server.ok("clients.accounts.update", json!({"id": id(&account), "name": "home"})).await;
    assert_has(&changed, &json!({"name": "home", "accname": "acme-1", "password": "pw-123"}));
    let rows = server.ok("clients.accounts.search", json!({"clients_id": client})).await;
    assert_eq!(rows, json!([changed]));
    assert_eq!(server.ok("clients.accounts.delete", json!({"id": id(&account)})).await, json!(1));
    assert_eq!(server.refused("clients.accounts.get", json!({"id": id(&account)})).await.code, -32004);
}

#[tokio::test]
async fn each_auth_type_needs_its_own_field() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    for (auth_type, field) in [("name", "accname"), ("ip", "ips"), ("ani", "ani")] {
        let refusal =
            server.refused("clients.accounts.create", json!({"clients_id": client, "name": "a", "auth_type": auth_type})).await;
        assert_eq!(refusal.fields(), [field]);
    }
    let ani = json!({"clients_id": client, "name": "a", "auth_type": "ani", "ani": "48123456789"});
    let account = server.ok("clients.accounts.create", ani).await;
    let refusal = server.refused("clients.accounts.update", json!({"id": id(&account), "auth_type": "ip"})).await;
    assert_eq!(refusal.fields(), ["ips"]);
    let refusal = server.refused("clients.accounts.update", json!({"id": id(&account), "ani": null})).await;
    assert_eq!(refusal.fields(), ["ani"]);
}

#[tokio::test]
async fn wrong_fields_of_an_account_are_all_named() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let wrong = json!({
        "clients_id": client, "name": "n".repeat(65), "auth_type": "magic", "accname": "a".repeat(129),
        "password": "p".repeat(257), "ani": "1".repeat(65), "ips": ["300.1.1.1"],
        "clients_name": "x", "orig_enabled": "yes", "unknown": true,
    });
    let named = ["accname", "ani", "auth_type", "clients_name", "ips", "name", "orig_enabled", "password", "unknown"];
    assert_eq!(server.refused("clients.accounts.create", wrong).await.fields(), named);
}

#[tokio::test]
async fn the_client_of_an_account_is_fixed() {
    let server = Server::start().await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    let account = server.account(one, "acme").await;
    assert_eq!(
        server.refused("clients.accounts.update", json!({"id": account, "clients_id": two})).await.fields(),
        ["clients_id"]
    );
}

#[tokio::test]
async fn an_accname_is_unique_over_all_resellers_and_archived_clients_keep_theirs() {
    let server = Server::start().await;
    let other = server.company("Other", 1).await;
    let one = server.client("One").await;
    let two = id(&server.ok("clients.create", json!({"name": "Two", "companies_id": other})).await);
    server.account(one, "acme").await;
    let again = json!({"clients_id": two, "name": "x", "auth_type": "name", "accname": "acme"});
    let refusal = server.refused("clients.accounts.create", again.clone()).await;
    assert_eq!(refusal.fields(), ["accname"]);
    assert_eq!(refusal.data["accname"], "is already in use");
    server.ok("clients.archive", json!({"id": one})).await;
    assert_eq!(server.refused("clients.accounts.create", again.clone()).await.fields(), ["accname"]);
    server.ok("clients.delete", json!({"id": one})).await;
    server.ok("clients.accounts.create", again).await;
}

#[tokio::test]
async fn an_ani_is_unique_together_with_its_tech_prefix() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account =
        |prefix: Value| json!({"clients_id": client, "name": "a", "auth_type": "ani", "ani": "48100", "tech_prefix": prefix});
    server.ok("clients.accounts.create", account(json!(null))).await;
    server.ok("clients.accounts.create", account(json!("00"))).await;
    for taken in [json!(null), json!("00"), json!("")] {
        let fields = server.refused("clients.accounts.create", account(taken)).await.fields();
        assert!(fields.contains(&"ani".to_owned()), "{fields:?}");
    }
}

#[tokio::test]
async fn addresses_may_not_overlap_under_one_tech_prefix() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = |ips: Value, prefix: Value| json!({"clients_id": client, "name": "a", "auth_type": "ip", "ips": ips, "tech_prefix": prefix});
    let first = server.ok("clients.accounts.create", account(json!(["10.1.0.0/16", "2001:db8::/32"]), json!(null))).await;
    for overlapping in ["10.1.2.3", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::1", "0.0.0.0/0", "2001::/16"] {
        let refusal = server.refused("clients.accounts.create", account(json!(["192.0.2.1", overlapping]), json!(null))).await;
        assert_eq!(refusal.fields(), ["ips"], "{overlapping}");
    }
    server.ok("clients.accounts.create", account(json!(["10.1.2.3"]), json!("99"))).await;
    let second = server.ok("clients.accounts.create", account(json!(["10.2.0.0/16", "2001:db9::1"]), json!(null))).await;
    let refusal = server.refused("clients.accounts.update", json!({"id": id(&second), "ips": ["10.1.255.255"]})).await;
    assert_eq!(refusal.fields(), ["ips"]);
    server.ok("clients.accounts.update", json!({"id": id(&first), "ips": ["10.1.0.0/17"]})).await;
    server.ok("clients.accounts.update", json!({"id": id(&second), "ips": ["10.1.255.255"]})).await;
}

#[tokio::test]
async fn ips_that_are_no_addresses_are_refused() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    for wrong in
        [json!(["10.0.0.0/33"]), json!(["example.org"]), json!([""]), json!([5]), json!("10.0.0.1"), json!([]), json!(["::/129"])]
    {
        let fields = json!({"clients_id": client, "name": "a", "auth_type": "ip", "ips": wrong});
        assert_eq!(server.refused("clients.accounts.create", fields).await.fields(), ["ips"], "{wrong}");
    }
}

#[tokio::test]
async fn the_name_of_the_client_follows_it() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    server.ok("clients.update", json!({"id": client, "name": "Acme Telecom"})).await;
    assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["clients_name"], "Acme Telecom");
}
