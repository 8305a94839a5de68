//! What a reseller finds, counts and hears of is its own, whatever it asks.
use std::collections::BTreeSet;

use hookswitch_core::registry::Method;
use hookswitch_testkit::{Recorder, Value, json, with};

use super::{
    methods,
    objects::{Objects, Tree, settled},
    searches,
    table::{Does, Row},
};

/// Rows of others that are asked for by each of their values.
const OTHERS_ASKED_FOR: usize = 6;

/// A list as the whole system sees it: the ids of the rows that are *own*'s, and rows that are not.
struct Sides {
    own: BTreeSet<String>,
    others: Vec<Value>,
}

async fn sides(tree: &Tree, method: &Method) -> Sides {
    let rows = tree.server.ok(method.name, json!({"limit": 1000})).await;
    let clients = tree.server.ok("clients.search", json!({"companies_id": tree.within(), "limit": 1000})).await;
    let clients: Vec<&Value> = clients.as_array().unwrap().iter().map(|client| &client["id"]).collect();
    let (mut own, mut others) = (BTreeSet::new(), Vec::new());
    for row in rows.as_array().unwrap() {
        let within = |id: &Value| tree.within().iter().any(|company| *id == json!(company));
        let is_own = match (method.name, row.get("companies_id"), row.get("clients_id")) {
            ("companies.search", ..) => within(&row["id"]),
            // Their companies_id and clients_id are what was chosen.
            ("provisioning.resyncs.search", ..) => row["handlers_id"] == json!(tree.own.handler),
            (_, Some(companies_id), _) => within(companies_id),
            (_, None, Some(clients_id)) => clients.contains(&clients_id),
            _ => panic!("{}: whose is {row}?", method.name),
        };
        if is_own {
            own.insert(row["id"].to_string());
        } else {
            others.push(row.clone());
        }
    }
    assert!(!own.is_empty() && !others.is_empty(), "{}: {own:?} {others:?}", method.name);
    Sides { own, others }
}

/// Asks, and makes sure that all that is found and counted is *own*'s; how many that are, if the filter is allowed.
async fn found(tree: &Tree, method: &Method, filters: Value, own: &BTreeSet<String>) -> Option<usize> {
    let shown = filters.to_string();
    let found = tree.admin.call(method.name, with(json!({"limit": 1000, "with_total": true}), filters)).await.ok()?;
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(found["total"], json!(rows.len()), "{} {shown}", method.name);
    for row in rows {
        assert!(own.contains(&row["id"].to_string()), "{} {shown} shows {row}", method.name);
    }
    Some(rows.len())
}

#[tokio::test]
async fn searches_and_totals_know_of_no_others_whatever_is_asked() {
    let tree = Tree::grow().await;
    for method in searches() {
        let Sides { own, others } = sides(&tree, method).await;
        let columns = method.takes.list().unwrap().columns;
        assert_eq!(found(&tree, method, json!({}), &own).await, Some(own.len()), "{}", method.name);
        for column in columns {
            for direction in ["", "-"] {
                let order = json!({"order": [format!("{direction}{}", column.name)]});
                found(&tree, method, order, &own).await;
            }
        }
        for row in others.iter().take(OTHERS_ASKED_FOR) {
            for column in columns.iter().filter(|column| column.name != "order") {
                let value = &row[column.name];
                if value.is_object() || value.is_array() {
                    continue;
                }
                for name in [column.name.to_owned(), format!("{}_from", column.name), format!("{}_to", column.name)] {
                    found(&tree, method, json!({name: value}), &own).await;
                }
                found(&tree, method, json!({"q": value, "clients_id": tree.own.client}), &own).await;
                found(&tree, method, json!({"q": value}), &own).await;
            }
            let by_id = found(&tree, method, json!({"id": [row["id"]]}), &own).await;
            assert_eq!(by_id, Some(0), "{}", method.name);
        }
    }
}

#[tokio::test]
async fn paging_behind_a_row_of_others_tells_nothing_of_it() {
    let tree = Tree::grow().await;
    for method in searches() {
        let Sides { own, others } = sides(&tree, method).await;
        let behind = async |id: &Value| found(&tree, method, json!({"after_id": id}), &own).await;
        if others[0]["id"].is_string() {
            let unknown = behind(&json!(Objects::nowhere().event)).await;
            for row in &others {
                assert_eq!(behind(&row["id"]).await, unknown, "{}", method.name);
            }
        } else {
            assert_eq!(behind(&json!(0)).await, Some(own.len()), "{}", method.name);
            for row in &others {
                behind(&row["id"]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_resellers_handlers_hear_of_no_others_neither_before_nor_after() {
    let tree = Tree::grow().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    let catalogue = tree.admin.ok("provisioning.events.list", json!({})).await;
    let events = |stage: &str| -> Vec<Value> {
        let rows = catalogue.as_array().unwrap().iter();
        rows.filter(|row| row["stages"].as_array().unwrap().contains(&json!(stage))).map(|row| row["events_id"].clone()).collect()
    };
    for (stage, recorder) in [("before", &asked), ("after", &told)] {
        let handler = json!({"name": stage, "type": stage, "event": events(stage), "task": recorder.url()});
        tree.admin.handler(handler).await;
    }
    for other in tree.strangers() {
        for method in methods().filter(|method| Row::find(method.name).does == Does::Changes) {
            // Some follow on what others have deleted: whether they succeed does not matter here.
            let _ = tree.server.call(method.name, (Row::find(method.name).params)(other)).await;
        }
    }
    settled(&tree.server).await;
    assert!(asked.calls().is_empty() && told.calls().is_empty(), "{:?} {:?}", asked.calls(), told.calls());
    tree.server.ok("clients.update", json!({"id": tree.own.client, "notes": "his own"})).await;
    asked.wait_exactly(1).await;
    told.wait_exactly(1).await;
}
