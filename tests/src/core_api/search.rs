//! `search`: filters, order, paging, totals, and limits that are never cut to fit.
use hookswitch_testkit::{Server, Value, api::id, ids, json, names};

/// Clients `c0`...`c(count-1)`; returns their ids.
async fn clients(server: &Server, count: usize) -> Vec<i64> {
    let mut made = Vec::new();
    for number in 0..count {
        made.push(id(&server.ok("clients.create", json!({"name": format!("c{number}"), "credit": number % 3})).await));
    }
    made
}

#[tokio::test]
async fn a_search_returns_a_bare_array_of_20_unless_told_otherwise() {
    let server = Server::start().await;
    clients(&server, 25).await;
    assert_eq!(server.ok("clients.search", json!({})).await.as_array().unwrap().len(), 20);
    assert_eq!(server.ok("clients.search", json!({"limit": 1000})).await.as_array().unwrap().len(), 25);
    assert_eq!(server.ok("clients.search", json!({"limit": 3})).await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn order_sorts_by_several_columns_in_both_directions() {
    let server = Server::start().await;
    clients(&server, 6).await;
    let found = server.ok("clients.search", json!({"order": ["-credit", "name"]})).await;
    assert_eq!(names(&found), ["c2", "c5", "c1", "c4", "c0", "c3"]);
    let found = server.ok("clients.search", json!({"order": ["credit", "-id"]})).await;
    assert_eq!(names(&found), ["c3", "c0", "c4", "c1", "c5", "c2"]);
}

#[tokio::test]
async fn offset_and_after_id_page_through_everything_once() {
    let server = Server::start().await;
    let all = clients(&server, 7).await;
    let mut seen = Vec::new();
    for offset in [0, 3, 6] {
        seen.extend(ids(&server.ok("clients.search", json!({"order": ["id"], "limit": 3, "offset": offset})).await));
    }
    assert_eq!(seen, all);
    let mut seen: Vec<i64> = Vec::new();
    loop {
        let page = ids(&server.ok("clients.search", json!({"limit": 3, "after_id": seen.last().unwrap_or(&0)})).await);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_filter_is_a_scalar_or_an_array() {
    let server = Server::start().await;
    let all = clients(&server, 4).await;
    let find = async |filter: Value| {
        let mut filter = filter;
        filter["order"] = json!(["id"]);
        ids(&server.ok("clients.search", filter).await)
    };
    assert_eq!(find(json!({"id": all[2]})).await, [all[2]]);
    assert_eq!(find(json!({"id": [all[0], all[3], 999_999]})).await, [all[0], all[3]]);
    assert_eq!(find(json!({"name": "c1"})).await, [all[1]]);
    assert_eq!(find(json!({"name": ["c1", "c2"], "status": "active"})).await, all[1..3]);
    assert_eq!(find(json!({"status": ["stopped", "archived"]})).await, [0; 0]);
    assert_eq!(find(json!({"companies_id": 1})).await, all);
}

#[tokio::test]
async fn q_finds_by_a_part_and_takes_a_wildcard() {
    let server = Server::start().await;
    for name in ["Acme Telecom", "Beta Telecom", "Gamma 100%", "Delta_1"] {
        server.client(name).await;
    }
    let find = async |q: &str| names(&server.ok("clients.search", json!({"q": q, "order": ["id"]})).await);
    assert_eq!(find("*Telecom*").await, ["Acme Telecom", "Beta Telecom"]);
    assert_eq!(find("Acme*").await, ["Acme Telecom"]);
    assert_eq!(find("*100%*").await, ["Gamma 100%"], "% is a letter like any other");
    assert_eq!(find("*a_1*").await, ["Delta_1"], "_ is a letter like any other");
    assert_eq!(find("*' OR 1=1 --*").await, [""; 0]);
}

#[tokio::test]
async fn times_are_filtered_from_inclusive_to_exclusive() {
    let server = Server::start().await;
    let client = server.ok("clients.create", json!({"name": "Acme"})).await;
    let born = client["c_dt"].as_str().unwrap();
    let count = async |filter: Value| server.ok("clients.search", filter).await.as_array().unwrap().len();
    assert_eq!(count(json!({"c_dt_from": born})).await, 1);
    assert_eq!(count(json!({"c_dt_to": born})).await, 0);
    assert_eq!(count(json!({"c_dt_from": "2020-01-01", "c_dt_to": "2200-01-01"})).await, 1, "dates are read as 00:00");
    assert_eq!(count(json!({"c_dt_from": "2200-01-01T00:00:00+02:00"})).await, 0);
    let refusal = server.refused("clients.search", json!({"c_dt_from": "yesterday", "c_dt_to": 5})).await;
    assert_eq!(refusal.fields(), ["c_dt_from", "c_dt_to"]);
}

#[tokio::test]
async fn the_total_comes_when_asked_for() {
    let server = Server::start().await;
    clients(&server, 5).await;
    let found = server.ok("clients.search", json!({"limit": 2, "with_total": true, "name": ["c0", "c1", "c2"]})).await;
    assert_eq!((found["rows"].as_array().unwrap().len(), &found["total"]), (2, &json!(3)));
    assert_eq!(found.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_outside_the_limits_is_a_field_error_and_never_cut_to_fit() {
    let server = Server::start().await;
    let wrong = json!({
        "limit": 1001, "offset": -1, "order": ["nothing"], "nonsense": 1, "status": "gone", "id": "one", "q": 5, "with_total": 1,
    });
    let mut named: Vec<_> = wrong.as_object().unwrap().keys().cloned().collect();
    named.sort();
    assert_eq!(server.refused("clients.search", wrong).await.fields(), named);
    for (field, value) in [
        ("limit", json!(-1)),
        ("limit", json!("20")),
        ("limit", json!(1.5)),
        ("offset", json!(1.5)),
        ("order", json!("id; DROP TABLE clients")),
        ("order", json!([5])),
        ("order", json!(["-"])),
        ("after_id", json!("x")),
        ("id", json!([1, "two"])),
        ("name", json!({"like": "x"})),
    ] {
        let mut filter = json!({});
        filter[field] = value.clone();
        assert_eq!(server.refused("clients.search", filter).await.fields(), [field], "{value}");
    }
    let both = server.refused("clients.search", json!({"after_id": 1, "offset": 1})).await;
    assert_eq!(both.code, -32602);
}

#[tokio::test]
async fn every_list_has_the_same_conventions() {
    let server = Server::start().await;
    for list in [
        "clients",
        "clients.accounts",
        "accounting.transactions",
        "companies",
        "users",
        "provisioning.handlers",
        "provisioning.events",
        "provisioning.executions",
        "provisioning.deliveries",
    ] {
        let method = format!("{list}.search");
        assert!(server.ok(&method, json!({"limit": 5, "offset": 0})).await.is_array(), "{method}");
        assert!(server.ok(&method, json!({"with_total": true})).await["total"].is_i64(), "{method}");
        let refusal = server.refused(&method, json!({"limit": 5000, "offset": "x", "order": ["x"], "zzz": 1})).await;
        assert_eq!(refusal.fields(), ["limit", "offset", "order", "zzz"], "{method}");
    }
}
