mod ways;

use hookswitch_model::{Object, moment::Moment, objects::client::Client};
use serde_json::{Value, json};

use super::Asked;
use crate::{Clock, Tx, Vault, migrate, tables};

fn with_clients<T>(look: impl FnOnce(&Tx<'_>) -> T) -> T {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    migrate::migrate(&mut connection, &Clock::system()).unwrap();
    let mut tx = Tx::sqlite(&connection, Moment(0));
    tables::start(&mut tx, &Vault::new(crate::MasterKey::from_bytes([1; 32]))).unwrap();
    for (id, name) in [(1, "Acme"), (2, "Beta 100%"), (3, "beta_b")] {
        let client = Client::from_new(id, id % 2 + 1, 1, Moment(id * 1_000_000), &object(json!({"name": name})));
        tables::clients::insert(&mut tx, &client).unwrap();
    }
    look(&tx)
}

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

fn ids(filters: Value, scope: Option<&[i64]>) -> Vec<i64> {
    with_clients(|tx| {
        let found = tables::clients::search(tx, &Asked::within(&object(filters), scope.map(<[i64]>::to_vec))).unwrap();
        found.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    })
}

fn wrong(filters: Value) -> Vec<String> {
    with_clients(|tx| {
        let refusal = tables::clients::search(tx, &Asked::within(&object(filters), None)).unwrap_err();
        refusal.data("").as_object().unwrap().keys().cloned().collect()
    })
}

#[test]
fn a_list_is_filtered_sorted_and_paged() {
    assert_eq!(ids(json!({}), None), [1, 2, 3]);
    assert_eq!(ids(json!({"id": [3, 1]}), None), [1, 3]);
    assert_eq!(ids(json!({"id": []}), None), [] as [i64; 0]);
    assert_eq!(ids(json!({"order": ["-name"]}), None), [3, 2, 1]);
    assert_eq!(ids(json!({"limit": 1, "offset": 1}), None), [2]);
    assert_eq!(ids(json!({"after_id": 1}), None), [2, 3]);
    assert_eq!(ids(json!({"c_dt_from": "1970-01-01T00:00:02+00:00", "c_dt_to": "1970-01-01T00:00:03Z"}), None), [2]);
}

#[test]
fn the_quick_search_takes_a_star_and_nothing_else_specially() {
    assert_eq!(ids(json!({"q": "beta"}), None), [2, 3]);
    assert_eq!(ids(json!({"q": "b*_b"}), None), [3]);
    assert_eq!(ids(json!({"q": "100%"}), None), [2]);
    assert_eq!(ids(json!({"q": "%"}), None), [2]);
}

#[test]
fn a_scope_hides_the_rest_from_rows_and_totals() {
    assert_eq!(ids(json!({}), Some(&[2])), [1, 3]);
    assert_eq!(ids(json!({}), Some(&[])), [] as [i64; 0]);
    let total = with_clients(|tx| {
        tables::clients::search(tx, &Asked::within(&object(json!({"with_total": true, "limit": 1})), Some(vec![2]))).unwrap()
    });
    assert_eq!(total["total"], 2);
}

#[test]
fn every_wrong_filter_is_named() {
    let filters =
        json!({"limit": 1001, "offset": -1, "order": ["colour"], "colour": 1, "id": "x", "c_dt_from": 5, "with_total": 1});
    assert_eq!(wrong(filters), ["c_dt_from", "colour", "id", "limit", "offset", "order", "with_total"]);
    assert_eq!(wrong(json!({"after_id": 1, "offset": 2, "order": ["id"]})), ["offset", "order"]);
}

#[test]
fn every_filter_of_every_list_is_understood_by_the_engine() {
    use super::Kind;
    use crate::tables::*;
    let lists = [
        &clients::LIST,
        &accounts::LIST,
        &packages::LIST,
        &client_packages::LIST,
        &transactions::LIST,
        &companies::LIST,
        &users::LIST,
        &custom_fields::LIST,
        &handlers::LIST,
        &events::LIST,
        &executions::LIST,
        &deliveries::LIST,
        &loops::LIST,
        &outcomes::LIST,
    ];
    let sample = |kind: Kind| match kind {
        Kind::Integer | Kind::Money => json!(1),
        Kind::Text => json!("x"),
        Kind::Choice(words) => json!(words[0]),
        Kind::Time => json!("2026-11-23T00:00:00Z"),
        Kind::Uuid => json!("019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11"),
        Kind::Boolean => json!(true),
    };
    with_clients(|tx| {
        for list in lists {
            for column in list.columns.iter().filter(|column| column.name != "order") {
                let one = sample(column.kind);
                let most = json!(vec![&one; super::VALUES_MAX]);
                for value in [json!(null), one.clone(), json!([one]), json!([one, one]), json!([]), most] {
                    for scope in [None, Some(&[1][..]), Some(&[1, 2][..]), Some(&[][..])] {
                        let filters = object(json!({column.name: value, "with_total": true}));
                        let query =
                            list.query(&filters, scope).unwrap_or_else(|wrong| panic!("{} {value}: {wrong:?}", column.name));
                        let page = query.page(tx, |_| Ok(Object::new()));
                        assert!(page.is_ok(), "{} {} {value} {scope:?}: {page:?}", list.from, column.name);
                    }
                }
            }
        }
    });
}
