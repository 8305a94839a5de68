//! `users.*`: who has a key, and where it may come from.
use hookswitch_testkit::{Server, api::id, assert_has, json};

const PASSWORD: &str = "a long enough password";

#[tokio::test]
async fn create_returns_a_key_once_and_never_a_password() {
    let server = Server::start().await;
    let user = server.ok("users.create", json!({"login": "crm", "role": "operator", "password": PASSWORD})).await;
    assert_has(&user, &json!({"login": "crm", "role": "operator", "companies_id": null, "allowed_ips": []}));
    let key = user["key"].as_str().unwrap();
    assert!((32..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    for shown in [
        server.ok("users.get", json!({"id": id(&user)})).await.to_string(),
        server.ok("users.search", json!({})).await.to_string(),
        server.ok("users.update", json!({"id": id(&user), "role": "readonly"})).await.to_string(),
    ] {
        assert!(!shown.contains(key) && !shown.contains(PASSWORD) && !shown.contains("argon2"), "{shown}");
    }
    assert!(!user.to_string().contains(PASSWORD));
    assert_eq!(server.with_key(key).ok("clients.search", json!({})).await, json!([]));
}

#[tokio::test]
async fn rotating_a_key_ends_the_old_one_at_once_unless_told_otherwise() {
    let server = Server::start().await;
    let user = server.ok("users.create", json!({"login": "crm", "role": "readonly", "password": PASSWORD})).await;
    let first = server.with_key(user["key"].as_str().unwrap());
    let second = server.ok("users.rotate_key", json!({"id": id(&user)})).await;
    let second = server.with_key(second["key"].as_str().unwrap());
    assert_eq!(first.refused("clients.search", json!({})).await.code, -32001);
    let third = server.ok("users.rotate_key", json!({"id": id(&user), "overlap_hours": 1})).await;
    let third = server.with_key(third["key"].as_str().unwrap());
    second.ok("clients.search", json!({})).await;
    third.ok("clients.search", json!({})).await;
    assert_eq!(
        server.refused("users.rotate_key", json!({"id": id(&user), "overlap_hours": -1})).await.fields(),
        ["overlap_hours"]
    );
}

#[tokio::test]
async fn a_deleted_user_has_no_key() {
    let server = Server::start().await;
    let user = server.ok("users.create", json!({"login": "crm", "role": "readonly", "password": PASSWORD})).await;
    assert_eq!(server.ok("users.delete", json!({"id": id(&user)})).await, json!(1));
    assert_eq!(server.refused("users.get", json!({"id": id(&user)})).await.code, -32004);
    assert_eq!(server.with_key(user["key"].as_str().unwrap()).refused("clients.search", json!({})).await.code, -32001);
}

#[tokio::test]
async fn a_user_may_be_bound_to_addresses() {
    let server = Server::start().await;
    let user = server
        .ok("users.create", json!({"login": "crm", "role": "readonly", "password": PASSWORD, "allowed_ips": ["192.0.2.0/24"]}))
        .await;
    let key = server.with_key(user["key"].as_str().unwrap());
    let refusal = key.refused("clients.search", json!({})).await;
    assert!([-32001, -32003].contains(&refusal.code), "{refusal:?}");
    server.ok("users.update", json!({"id": id(&user), "allowed_ips": ["192.0.2.0/24", "127.0.0.1", "::1"]})).await;
    key.ok("clients.search", json!({})).await;
}

#[tokio::test]
async fn wrong_fields_of_a_user_are_all_named() {
    let server = Server::start().await;
    let refusal = server
        .refused("users.create", json!({"role": "king", "companies_id": 99, "allowed_ips": ["x"], "key": "mine", "what": 1}))
        .await;
    let fields = refusal.fields();
    for name in ["allowed_ips", "companies_id", "key", "login", "role", "what"] {
        assert!(fields.contains(&name.to_owned()), "{name} in {fields:?}");
    }
    let refusal = server.refused("users.create", json!({"login": "admin", "role": "admin", "password": PASSWORD})).await;
    assert_eq!(refusal.fields(), ["login"]);
    assert_eq!(refusal.data["login"], "is already in use");
}
