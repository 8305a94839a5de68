//! Whatever way a query takes, it finds the same; and every index that a column claims is there.
use hookswitch_model::{
    Object,
    moment::Moment,
    money::Money,
    objects::{
        account::Account,
        client::{Client, ClientStatus},
    },
};
use serde_json::{Value, json};

use super::{
    super::{Bound, Column, Condition, List, Query, Statement, Way, condition::Found, way},
    object,
};
use crate::{Clock, Tx, Vault, migrate, tables};

const CLIENTS: i64 = 60;

fn with_rows<T>(look: impl FnOnce(&Tx<'_>) -> T) -> T {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    migrate::migrate(&mut connection, &Clock::system()).unwrap();
    let mut tx = Tx::sqlite(&connection, Moment(0));
    let vault = Vault::new(crate::MasterKey::from_bytes([1; 32]));
    tables::start(&mut tx, &vault).unwrap();
    for id in 1..=CLIENTS {
        insert(&mut tx, &vault, id);
    }
    look(&tx)
}

/// Every fourth is of reseller 2, every seventh stopped, one archived; names repeat over resellers and differ in case.
fn insert(tx: &mut Tx<'_>, vault: &Vault, id: i64) {
    let name = format!("{} {}", if id % 2 == 0 { "Acme" } else { "aCME" }, (id * 37) % CLIENTS);
    let company = if id % 4 == 0 { 2 } else { 1 };
    let mut client =
        Client::from_new(id, company, 1 + id % 2, Moment((id * 7 % CLIENTS) * 1_000_000), &object(json!({"name": name})));
    client.status =
        if id == 33 { ClientStatus::Archived } else { [ClientStatus::Stopped, ClientStatus::Active][usize::from(id % 7 > 0)] };
    client.balance = Money::from_micros((id % 5) * 1_000_000);
    client.credit = (id % 3 > 0).then_some(Money::ZERO);
    tables::clients::insert(tx, &client).unwrap();
    for number in 0..2 {
        let account = json!({"clients_id": id, "name": format!("line {number}"), "auth_type": "name", "accname": format!("U{id}-{number}"),
            "tech_prefix": if id % 9 == 0 { json!("77") } else { Value::Null }});
        let account = Account::from_new(id * 2 + number, name.clone(), &object(account));
        tables::accounts::insert(tx, vault, &account, company).unwrap();
    }
}

fn found(tx: &Tx<'_>, query: &Query) -> (Vec<i64>, Option<i64>) {
    let key = query.list.select.split(',').position(|column| column.trim() == query.list.key).unwrap();
    query.rows(tx, |row| row.get::<i64>(key)).unwrap()
}

/// The page and the total without any index: every row is looked at, all that are good are sorted.
fn looked_at(tx: &Tx<'_>, query: &Query) -> (Vec<i64>, i64) {
    let mut statement = Statement::default();
    let list = query.list;
    statement.push(&format!("SELECT {} FROM {}", list.key, list.from));
    super::super::write_all(&mut statement, query.conditions.iter().map(|condition| &condition.look));
    statement.push(&format!(" ORDER BY {}", query.order.sorted()));
    let all = statement.rows(tx, |row| row.get::<i64>(0)).unwrap();
    let (limit, offset) = (usize::try_from(query.limit).unwrap(), usize::try_from(query.offset).unwrap());
    (all.iter().copied().skip(offset).take(limit).collect(), i64::try_from(all.len()).unwrap())
}

/// Each filter of one list with each of another, each with each order and page.
fn agree(tx: &Tx<'_>, list: &'static List, filters: [&[Value]; 2], orders: &[Value]) -> Vec<Way> {
    let mut ways = Vec::new();
    for one in filters[0] {
        for other in filters[1] {
            for order in orders {
                for page in [json!({}), json!({"limit": 3, "offset": 2})] {
                    let parts = [one, other, order, &page].map(|part| object(part.clone()));
                    let mut asked: Object = parts.into_iter().flatten().collect();
                    asked.insert("with_total".into(), true.into());
                    if asked.contains_key("after_id") && (asked.contains_key("order") || asked.contains_key("offset")) {
                        continue;
                    }
                    let query = list.query(&asked, None).unwrap();
                    let (expected, total) = looked_at(tx, &query);
                    let found = found(tx, &query);
                    assert_eq!(found, (expected, Some(total)), "{asked:?} by {:?}", query.way(tx));
                    ways.push(query.way(tx).unwrap());
                }
            }
        }
    }
    ways
}

#[test]
fn whatever_way_it_takes_a_search_finds_the_same() {
    let ways = with_rows(|tx| {
        let some = [
            json!({}),
            json!({"companies_id": 2}),
            json!({"companies_id": [1, 2]}),
            json!({"status": "archived"}),
            json!({"status": ["active", "stopped"]}),
            json!({"credit": null}),
            json!({"balance": 3}),
            json!({"name": "Acme 2"}),
            json!({"id": [4, 8, 15, 16, 23, 42]}),
        ];
        let others = [
            json!({}),
            json!({"after_id": 20}),
            json!({"q": "acme 1*"}),
            json!({"q": "me 5"}),
            json!({"q": "ac*5"}),
            json!({"c_dt_from": "1970-01-01T00:00:10Z", "c_dt_to": "1970-01-01T00:00:40Z"}),
            json!({"c_dt_to": "1970-01-01T00:00:03Z"}),
            json!({"currencies_id": 2}),
        ];
        let orders = ["id", "-id", "name", "-name", "-balance", "credit", "available", "c_dt", "-status"]
            .map(|name| json!({"order": name}));
        let orders = [&orders[..], &[json!({}), json!({"order": ["status", "-balance"]})]].concat();
        agree(tx, &tables::clients::LIST, [&some, &others], &orders)
    });
    for way in [Way::AsWritten, Way::Walk] {
        assert!(ways.contains(&way), "{way:?}");
    }
    assert!(ways.iter().any(|way| matches!(way, Way::Few(_))) && ways.iter().any(|way| matches!(way, Way::Through(_))));
}

#[test]
fn accounts_are_found_by_their_clients() {
    with_rows(|tx| {
        let some = [
            json!({}),
            json!({"clients_name": "aCME 37"}),
            json!({"clients_name": ["aCME 37", "Acme 14", "nobody"]}),
            json!({"clients_id": [3, 5, 33]}),
            json!({"tech_prefix": "77"}),
            json!({"companies_id": 2}),
        ];
        let others = [
            json!({}),
            json!({"name": "line 1"}),
            json!({"q": "acme 1*"}),
            json!({"q": "37"}),
            json!({"accname": "U7-1"}),
            json!({"ani": null}),
        ];
        let orders = [
            json!({}),
            json!({"order": "clients_name"}),
            json!({"order": "-clients_name"}),
            json!({"order": ["name", "-clients_name"]}),
        ];
        agree(tx, &tables::accounts::LIST, [&some, &others], &orders);
    });
}

const LISTS: [&List; 13] = [
    &tables::clients::LIST,
    &tables::accounts::LIST,
    &tables::transactions::LIST,
    &tables::packages::LIST,
    &tables::client_packages::LIST,
    &tables::companies::LIST,
    &tables::users::LIST,
    &tables::handlers::LIST,
    &tables::events::LIST,
    &tables::executions::LIST,
    &tables::deliveries::LIST,
    &tables::loops::LIST,
    &tables::outcomes::LIST,
];

fn plan(tx: &Tx<'_>, sql: &str, values: &[Bound]) -> String {
    let mut statement = Statement::default();
    let spelling = super::super::Spelling::new(format!("EXPLAIN QUERY PLAN {sql}"), values.to_vec());
    statement.spelling(&spelling);
    statement.rows(tx, |row| row.get::<String>(3)).unwrap().join("; ")
}

fn is_claimed(column: &Column) -> bool {
    column.spelled.is_empty() && Condition::column(column, "= ?", vec![Bound::Int(7)], Found::InOrder).find.is_some()
}

#[test]
fn every_index_that_a_column_claims_is_there() {
    with_rows(|tx| {
        let mut looked_at = 0;
        for list in LISTS {
            for column in list.columns.iter().filter(|column| is_claimed(column)) {
                let find = Condition::column(column, "= ?", vec![Bound::Int(7)], Found::InOrder).find.unwrap();
                let count = find.count.unwrap();
                let sql = format!("SELECT {key} FROM {} WHERE {} ORDER BY {key}", list.table, count.sql, key = list.key);
                let plan = plan(tx, &sql, &count.values);
                assert!(plan.contains("SEARCH"), "{sql}: {plan}");
                assert!(!plan.contains("SCAN") || column.elsewhere.is_some(), "{sql}: {plan}");
                assert!(find.found != Found::InOrder || !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
                looked_at += 1;
            }
        }
        assert!(looked_at > 40, "{looked_at}");
    });
}

#[test]
fn every_order_by_an_indexed_column_is_walked() {
    with_rows(|tx| {
        for list in LISTS {
            for column in list.columns.iter().filter(|column| !column.joined) {
                for order in [column.name.to_owned(), format!("-{}", column.name)] {
                    let query = list.query(&object(json!({"order": order})), None).unwrap();
                    if query.order.walked == super::super::order::Walked::Sorted {
                        continue;
                    }
                    let sql = format!("SELECT {} FROM {} ORDER BY {} LIMIT 20", list.key, list.table, query.order.sql());
                    let plan = plan(tx, &sql, &[]);
                    assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
                }
            }
        }
    });
}

#[test]
fn many_rows_are_not_gone_through_where_few_would_do() {
    with_rows(|tx| {
        let way = |asked: Value| tables::clients::LIST.query(&object(asked), None).unwrap().way(tx).unwrap();
        assert_eq!(way(json!({})), way::Way::AsWritten);
        assert_eq!(way(json!({"status": "active"})), way::Way::AsWritten);
        assert_eq!(way(json!({"companies_id": 1, "status": "archived"})), way::Way::Few(1));
        assert_eq!(way(json!({"companies_id": 1, "status": "active"})), way::Way::Through(0));
        assert_eq!(way(json!({"status": ["active", "stopped"]})), way::Way::Walk);
        assert_eq!(way(json!({"status": "active", "order": "-balance"})), way::Way::Walk);
    });
}
