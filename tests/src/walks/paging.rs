//! Limits, totals and both ways of paging, over every list.
use hookswitch_store::tables::search::{Kind, VALUES_MAX};
use hookswitch_testkit::{Api, Server, Value, json};

use super::{
    objects::{Objects, server},
    searches,
};

async fn ids(api: &Api, search: &str, filters: Value) -> Vec<Value> {
    let rows = api.ok(search, filters).await;
    rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
}

async fn filled() -> hookswitch_testkit::Server {
    let (server, gone) = server().await;
    for key in ["one", "two", "three"] {
        Objects::make(&server, 1, json!(null), key, &gone).await;
    }
    super::objects::settled(&server).await;
    server
}

#[tokio::test]
async fn every_list_is_paged_through_once_both_ways() {
    let server = filled().await;
    for method in searches() {
        let all = ids(&server, method.name, json!({"limit": 1000})).await;
        assert!(all.len() >= 3, "{}", method.name);
        let mut by_offset = Vec::new();
        while let Some(page) = Some(ids(&server, method.name, json!({"limit": 2, "offset": by_offset.len()})).await)
            && !page.is_empty()
        {
            by_offset.extend(page);
        }
        assert_eq!(by_offset, all, "{}", method.name);
        let first = if all[0].is_string() { oldest(&server, method.name).await } else { json!(0) };
        let mut behind = if all[0].is_string() { vec![first.clone()] } else { Vec::new() };
        while let Some(page) =
            Some(ids(&server, method.name, json!({"limit": 2, "after_id": behind.last().unwrap_or(&first)})).await)
            && !page.is_empty()
        {
            behind.extend(page);
        }
        let mut expected = all.clone();
        if method.takes.list().unwrap().newest_first {
            expected.reverse();
        }
        assert_eq!(behind, expected, "{}: in the order of id", method.name);
    }
}

/// Rows that are named by a UUID begin behind the oldest.
async fn oldest(api: &Api, search: &str) -> Value {
    ids(api, search, json!({"limit": 1000})).await.pop().unwrap()
}

#[tokio::test]
async fn a_total_counts_what_the_filters_leave_whatever_the_page() {
    let server = filled().await;
    for method in searches() {
        let all = ids(&server, method.name, json!({"limit": 1000})).await;
        for page in [json!({"limit": 1}), json!({"offset": 2}), json!({"offset": 10_000_000}), json!({"order": ["-id"]})] {
            let found = server.ok(method.name, hookswitch_testkit::with(page, json!({"with_total": true}))).await;
            assert_eq!(found["total"], json!(all.len()), "{}", method.name);
            assert_eq!(found.as_object().unwrap().len(), 2, "{}", method.name);
        }
        let one = server.ok(method.name, json!({"id": [all[0], all[0]], "with_total": true})).await;
        assert_eq!((&one["total"], &one["rows"][0]["id"]), (&json!(1), &all[0]), "{}", method.name);
        let none = server.ok(method.name, json!({"id": [], "with_total": true})).await;
        assert_eq!(none, json!({"rows": [], "total": 0}), "{}", method.name);
        assert!(server.ok(method.name, json!({"with_total": false})).await.is_array(), "{}", method.name);
    }
}

#[tokio::test]
async fn a_page_outside_the_bounds_is_a_field_error_and_never_cut_to_fit() {
    let server = filled().await;
    for method in searches() {
        let uuids = ids(&server, method.name, json!({"limit": 1})).await[0].is_string();
        let after_id = if uuids { json!(Objects::nowhere().event) } else { json!(1) };
        for (wrong, fields) in [
            (json!({"limit": 0}), vec!["limit"]),
            (json!({"limit": 1001}), vec!["limit"]),
            (json!({"limit": -1, "offset": -1}), vec!["limit", "offset"]),
            (json!({"limit": "20", "offset": 1.5}), vec!["limit", "offset"]),
            (json!({"limit": null, "offset": 10_000_001}), vec!["limit", "offset"]),
            (json!({"with_total": 1, "order": [], "zzz": 1}), vec!["order", "with_total", "zzz"]),
            (json!({"order": ["zzz"]}), vec!["order"]),
            (json!({"after_id": -1}), vec!["after_id"]),
            (json!({"after_id": "x"}), vec!["after_id"]),
            (json!({"after_id": after_id, "offset": 0, "order": ["id"]}), vec!["offset", "order"]),
        ] {
            let shown = wrong.to_string();
            assert_eq!(server.refused(method.name, wrong).await.fields(), fields, "{} {shown}", method.name);
        }
        for good in
            [json!({"limit": 1}), json!({"limit": 1000, "offset": 10_000_000}), json!({"after_id": after_id, "limit": 1e3})]
        {
            server.ok(method.name, good).await;
        }
    }
}

#[tokio::test]
async fn a_filter_takes_as_many_values_as_it_says_also_where_they_are_the_same() {
    let server = Server::start().await;
    for method in searches() {
        for column in method.takes.list().unwrap().columns {
            if let Kind::Choice(words) = column.kind
                && column.name != "order"
            {
                let values: Vec<&str> = words.iter().copied().cycle().take(VALUES_MAX).collect();
                server.ok(method.name, json!({column.name: values})).await;
            }
        }
    }
}
