use hookswitch_model::{
    Object,
    moment::Moment,
    objects::{client::Client, company::Company},
};
use serde_json::{Value, json};

use super::*;
use crate::{Clock, Vault, migrate, tables};

/// Resellers 1, 2 below 1, 3 below 2, and 4 beside 2.
fn with_resellers(work: impl FnOnce(&mut Tx<'_>)) {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    migrate::migrate(&mut connection, &Clock::system()).unwrap();
    let mut tx = Tx::sqlite(&connection, Moment(0));
    tables::start(&mut tx, &Vault::new(crate::MasterKey::from_bytes([1; 32]))).unwrap();
    for (id, parent_id) in [(2, 1), (3, 2), (4, 1)] {
        let company = Company::from_new(id, Some(parent_id), Moment(0), &object(json!({"name": format!("r{id}")})));
        tables::companies::insert(&mut tx, &company).unwrap();
    }
    work(&mut tx);
}

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

fn definition(id: i64, companies_id: Option<i64>, key: &str) -> CustomField {
    CustomField::from_new(id, companies_id, &object(json!({"object_type": "clients", "key": key, "title": key})))
}

fn define(tx: &mut Tx<'_>, id: i64, companies_id: Option<i64>, key: &str) {
    insert(tx, &definition(id, companies_id, key)).unwrap();
}

fn keys(tx: &Tx<'_>, companies_id: i64) -> Vec<String> {
    let found = concerning(tx, ObjectType::Clients, companies_id).unwrap();
    found.into_iter().map(|definition| definition.key).collect()
}

#[test]
fn a_definition_concerns_its_reseller_and_those_below() {
    with_resellers(|tx| {
        for (id, companies_id) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (5, Some(4))] {
            define(tx, id, companies_id, &format!("k{id}"));
        }
        assert_eq!(keys(tx, 1), ["k1", "k2"]);
        assert_eq!(keys(tx, 3), ["k1", "k2", "k3", "k4"]);
        assert_eq!(keys(tx, 4), ["k1", "k2", "k5"]);
        assert!(concerning(tx, ObjectType::Packages, 3).unwrap().is_empty());
    });
}

#[test]
fn a_key_is_taken_where_two_definitions_could_meet() {
    with_resellers(|tx| {
        define(tx, 1, Some(2), "k");
        for (companies_id, taken) in [(None, true), (Some(1), true), (Some(2), true), (Some(3), true), (Some(4), false)] {
            assert_eq!(key_taken(tx, &definition(9, companies_id, "k")).unwrap(), taken, "{companies_id:?}");
        }
        assert!(!key_taken(tx, &definition(1, Some(2), "k")).unwrap(), "its own key");
        assert!(!key_taken(tx, &definition(9, Some(2), "K")).unwrap());
        let of_packages = CustomField { object_type: ObjectType::Packages, ..definition(9, Some(2), "k") };
        assert!(!key_taken(tx, &of_packages).unwrap());
        define(tx, 2, None, "all");
        assert!(key_taken(tx, &definition(9, Some(4), "all")).unwrap());
    });
}

#[test]
fn two_fields_of_one_key_do_not_meet_by_a_move() {
    with_resellers(|tx| {
        define(tx, 1, Some(3), "k");
        define(tx, 2, Some(4), "k");
        assert_eq!(clash_if_moved(tx, 2, 4).unwrap().as_deref(), Some("k"), "of a reseller below the moved one");
        assert_eq!(clash_if_moved(tx, 3, 1).unwrap(), None);
    });
}

#[test]
fn the_most_that_come_together_are_those_of_the_longest_way_down() {
    with_resellers(|tx| {
        for (id, companies_id) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (5, Some(3)), (6, Some(4))] {
            define(tx, id, companies_id, &format!("k{id}"));
        }
        let most = |companies_id| most_together(tx, ObjectType::Clients, companies_id).unwrap();
        assert_eq!((most(None), most(Some(1)), most(Some(2)), most(Some(3)), most(Some(4))), (5, 5, 5, 5, 3));
        assert_eq!(most_together_if_moved(tx, ObjectType::Clients, 2, Some(4)).unwrap(), 6);
        assert_eq!(most_together_if_moved(tx, ObjectType::Clients, 3, None).unwrap(), 3);
        assert_eq!(most_together(tx, ObjectType::Packages, Some(3)).unwrap(), 0);
    });
}

#[test]
fn values_belong_to_definitions_and_not_to_keys() {
    with_resellers(|tx| {
        define(tx, 1, None, "one");
        define(tx, 2, Some(2), "two");
        let client = Client::from_new(1, 3, 1, Moment(0), &object(json!({"name": "Acme"})));
        tables::clients::insert(tx, &client).unwrap();
        let values = object(json!({"two": "2", "one": 1, "three": 3}));
        let kept = stored(&concerning(tx, ObjectType::Clients, 3).unwrap(), &values).unwrap();
        assert_eq!(kept.as_deref(), Some(r#"{"1":1,"2":"2"}"#), "what is not defined is not kept");
        tables::clients::set_custom(tx, 1, kept.as_deref()).unwrap();
        let shown = |tx: &Tx<'_>| Value::from(tables::clients::get(tx, 1).unwrap().unwrap().custom).to_string();
        assert_eq!(shown(tx), r#"{"one":1,"two":"2"}"#);
        update(tx, &CustomField { order: 200, ..definition(1, None, "uno") }).unwrap();
        assert_eq!(shown(tx), r#"{"two":"2","uno":1}"#, "in the order of the definitions");
        delete(tx, 1).unwrap();
        define(tx, 3, None, "uno");
        assert_eq!(shown(tx), r#"{"two":"2"}"#, "a new definition wakes no old value");
        assert_eq!(stored(&[], &Object::new()).unwrap(), None);
    });
}

#[test]
fn the_definitions_of_a_reseller_are_found_by_an_index_however_many_there_are() {
    with_resellers(|tx| {
        let plan =
            tx.query(&format!("EXPLAIN QUERY PLAN {CONCERNING}"), params![3, "clients"], |row| row.get::<String>(3)).unwrap();
        let searched: Vec<&String> = plan.iter().filter(|step| step.contains("custom_fields")).collect();
        assert_eq!(searched.len(), 2, "{plan:?}");
        assert!(searched.iter().all(|step| step.contains("(companies_id=? AND object_type=?)")), "{plan:?}");
    });
}

#[test]
fn two_fields_that_one_object_would_have_under_one_key_are_found_by_the_check() {
    with_resellers(|tx| {
        let offenders = |tx: &Tx<'_>| {
            let found = tables::check::custom_keys(tx).unwrap();
            found.into_iter().map(|offender| (offender.stored, offender.expected)).collect::<Vec<_>>()
        };
        define(tx, 1, Some(3), "k");
        define(tx, 2, Some(4), "k");
        define(tx, 3, Some(1), "other");
        assert_eq!(offenders(tx), []);
        define(tx, 4, Some(2), "k");
        define(tx, 5, None, "other");
        assert_eq!(offenders(tx), [(1, 4), (3, 5)]);
    });
}
