//! Who comes second at the same moment is told so as if he had come a second later.
use std::net::Ipv4Addr;

use hookswitch_testkit::{RpcError, Server, Value, check::ids, json};

use super::at_once;

/// As many as come at once.
const CROWD: usize = 16;

/// That of all these one was done, and the others were refused; gives the refusals.
#[track_caller]
fn but_one(answers: Vec<Result<Value, RpcError>>) -> Vec<RpcError> {
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1, "{done:?} {refused:?}");
    refused.into_iter().filter_map(Result::err).collect()
}

#[tokio::test]
async fn of_many_with_one_key_all_get_the_one_object() {
    let server = Server::start().await;
    for round in 0..4 {
        let fields = json!({"name": format!("Acme {round}"), "idempotency_key": format!("client-{round}")});
        let answers = at_once(&server, vec![("clients.create", fields); CROWD]).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref() == Ok(first)), "{answers:?}");

        let client = first["id"].as_i64().unwrap();
        let payment = json!({"clients_id": client, "type": "payment", "amount": 5, "idempotency_key": format!("pay-{round}")});
        let answers = at_once(&server, vec![("accounting.transactions.create", payment); CROWD]).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref() == Ok(first)), "{answers:?}");
        assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"], json!(5));
        assert_eq!(server.journal(client).await, [("clients.create".to_owned(), 1)]);
    }
    assert_eq!(server.ok("clients.search", json!({})).await.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn of_many_with_one_name_one_has_it_and_the_others_hear_which_field() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let account = |fields: Value| {
        let mut account = fields;
        account["clients_id"] = json!(client);
        ("clients.accounts.create", account)
    };
    let crowds = [
        ("name", ("clients.create", json!({"name": "Beta"}))),
        ("name", ("companies.create", json!({"name": "Reseller"}))),
        ("login", ("users.create", json!({"login": "clerk", "role": "operator"}))),
        ("accname", account(json!({"auth_type": "name", "accname": "100"}))),
        ("ani", account(json!({"auth_type": "ani", "ani": "4420", "tech_prefix": "7#"}))),
        ("ips", account(json!({"auth_type": "ip", "ips": ["192.0.2.1"]}))),
        ("key", ("custom_fields.create", json!({"object_type": "clients", "key": "region", "title": "Region"}))),
    ];
    for (field, call) in crowds {
        for refused in but_one(at_once(&server, vec![call; CROWD]).await) {
            assert_eq!((refused.code, refused.fields()), (-32602, vec![field.to_owned()]));
        }
    }
}

#[tokio::test]
async fn accounts_of_several_clients_never_get_addresses_that_overlap() {
    let server = Server::start().await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    // Each lies within the one before, and begins behind it: 10.0.0.0/8, 10.128.0.0/9, 10.192.0.0/10...
    let net = |bits: u32| (Ipv4Addr::from_bits((10 << 24) | (((1 << (bits - 8)) - 1) << (32 - bits))), bits);
    let nets = (8..24).map(net).map(|(first, bits)| format!("{first}/{bits}"));
    let create = |(place, net): (usize, String)| {
        let client = if place % 2 == 0 { one } else { two };
        ("clients.accounts.create", json!({"clients_id": client, "auth_type": "ip", "ips": [net]}))
    };
    let answers = at_once(&server, nets.enumerate().map(create)).await;
    for refused in but_one(answers) {
        assert_eq!(refused.fields(), ["ips"]);
    }
}

#[tokio::test]
async fn of_many_with_one_external_id_one_is_booked() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    let charge = json!({"clients_id": client, "type": "charge", "amount": -1, "external_id": "invoice 7"});
    let refused = but_one(at_once(&server, vec![("accounting.transactions.create", charge); CROWD]).await);
    let booked = ids(&server.ok("accounting.transactions.search", json!({"clients_id": client})).await);
    assert!(refused.iter().all(|refused| refused.word() == "conflict"), "{refused:?}");
    assert!(refused.iter().all(|refused| refused.data["transactions_id"] == booked[0]), "{refused:?}");
}

#[tokio::test]
async fn the_last_money_is_spent_once() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    server.ok("clients.update", json!({"id": client, "credit": 0})).await;
    server.pay(client, "5").await;
    let charge = json!({"clients_id": client, "type": "charge", "amount": -1});
    let answers = at_once(&server, vec![("accounting.transactions.create_no_negative", charge); CROWD]).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (5, CROWD - 5));
    assert!(refused.iter().all(|refused| refused.as_ref().unwrap_err().word() == "low_balance"), "{refused:?}");
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["balance"], json!(0));
}

#[tokio::test]
async fn a_package_that_somebody_gets_at_that_moment_is_not_deleted() {
    let server = Server::start().await;
    let client = server.client("Acme").await;
    for round in 0..8 {
        let terms = json!({"name": format!("Line {round}"), "period": "P1M", "period_fee": 1});
        let package = server.ok("packages.create", terms).await["id"].clone();
        let assign = ("clients.packages.assign", json!({"clients_id": client, "packages_id": package}));
        let delete = ("packages.delete", json!({"id": package}));
        let answers = at_once(&server, [assign, delete]).await;
        assert_ne!(answers[0].is_ok(), answers[1].is_ok(), "{answers:?}");
    }
}

#[tokio::test]
async fn of_the_last_two_admins_one_stays() {
    let server = Server::start().await;
    let admins = server.ok("users.search", json!({})).await;
    let first = admins[0]["id"].clone();
    let second = server.user("second", "admin", json!(null)).await;
    let own = ids(&server.ok("users.search", json!({"login": "second"})).await)[0];
    let (one, two) = tokio::join!(
        server.call("users.update", json!({"id": own, "role": "readonly"})),
        second.call("users.update", json!({"id": first, "role": "readonly"})),
    );
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
}
