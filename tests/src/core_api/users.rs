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

#[tokio::test]
async fn behind_a_trusted_proxy_the_callers_own_address_counts() {
    let server = Server::setup().config("trusted_proxies = [\"127.0.0.1\"]").start().await;
    let user =
        json!({"login": "crm", "role": "readonly", "password": PASSWORD, "allowed_ips": ["192.0.2.0/24", "2001:db8::/32"]});
    let user = server.ok("users.create", user).await;
    let key = server.with_key(user["key"].as_str().unwrap());
    for (from, allowed) in [
        ("192.0.2.7", true),
        ("2001:db8::7", true),
        ("::ffff:192.0.2.7", true),
        ("198.51.100.7", false),
        ("192.0.2.7, 198.51.100.7", false),
    ] {
        let answer = key.call_with(&[("x-forwarded-for", from)], "clients.search", json!({})).await;
        assert_eq!(answer.is_ok(), allowed, "{from}: {answer:?}");
    }
    assert_eq!(key.refused("clients.search", json!({})).await.code, -32001, "the proxy itself is not among them");
}

#[tokio::test]
async fn a_disabled_user_and_the_users_of_a_disabled_reseller_are_refused_until_they_are_back() {
    let server = Server::start().await;
    let upper = server.company("Upper", 1).await;
    let lower = server.company("Lower", upper).await;
    let user =
        server.ok("users.create", json!({"login": "crm", "role": "readonly", "companies_id": lower, "password": PASSWORD})).await;
    let key = server.with_key(user["key"].as_str().unwrap());
    for (method, of) in [("users.update", id(&user)), ("companies.update", lower), ("companies.update", upper)] {
        server.ok(method, json!({"id": of, "status": "disabled"})).await;
        assert_eq!(key.refused("clients.search", json!({})).await.code, -32001, "{method}");
        server.ok(method, json!({"id": of, "status": "active"})).await;
        key.ok("clients.search", json!({})).await;
    }
}

#[tokio::test]
async fn wrong_rights_are_told_apart_from_a_wrong_key_and_an_address_is_not() {
    let server = Server::start().await;
    let bound = json!({"login": "bound", "role": "readonly", "password": PASSWORD, "allowed_ips": ["192.0.2.1"]});
    let bound = server.ok("users.create", bound).await;
    let bound = server.with_key(bound["key"].as_str().unwrap()).refused("clients.search", json!({})).await;
    let wrong = server.with_key("wrong-wrong-wrong-wrong-wrong-wrong").refused("clients.search", json!({})).await;
    assert_eq!(bound, wrong, "that a key is right is not told to who may not use it from there");
}

#[tokio::test]
async fn nobody_shuts_himself_out_by_his_own_addresses() {
    let server = Server::start().await;
    let elsewhere = json!({"id": 1, "allowed_ips": ["192.0.2.0/24"]});
    assert_eq!(server.refused("users.update", elsewhere.clone()).await.fields(), ["allowed_ips"]);
    server.ok("users.update", json!({"id": 1, "allowed_ips": ["192.0.2.0/24", "127.0.0.0/8"]})).await;
    let other = server.user("other", "admin", json!(null)).await;
    other.ok("users.update", elsewhere).await;
    assert_eq!(server.refused("clients.search", json!({})).await.code, -32001, "another may shut him out");
}
