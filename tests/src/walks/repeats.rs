//! Idempotency keys and dry runs over every changing method.
use hookswitch_core::registry::{Gives, Method};
use hookswitch_testkit::{Server, Value, json, with};

use super::{
    dump::dump,
    methods,
    objects::{Objects, server},
    table::{Does, Row},
};

/// Fresh objects for each method, in one server.
pub(super) async fn prepared(server: &Server, gone: &hookswitch_testkit::Recorder, method: &Method) -> (Objects, Value) {
    let row = Row::find(method.name);
    let key = method.name.replace('.', "_");
    let company = server.company(&format!("Reseller of {key}"), 1).await;
    let objects = if method.name.starts_with("provisioning.loops") {
        Objects::make(server, company, json!(company), &key, gone).await
    } else {
        Objects::without_loop(server, company, json!(company), &key, gone).await
    };
    if let Some((first, params)) = row.first {
        server.ok(first, params(&objects)).await;
    }
    let params = (row.params)(&objects);
    (objects, params)
}

fn that(does: impl Fn(Does) -> bool) -> impl Iterator<Item = &'static Method> {
    methods().filter(move |method| does(Row::find(method.name).does))
}

#[tokio::test]
async fn with_one_idempotency_key_a_method_happens_once_and_answers_twice() {
    let (server, gone) = server().await;
    for method in that(|does| matches!(does, Does::Changes | Does::ChangesInEarnestOnly)) {
        let (objects, params) = prepared(&server, &gone, method).await;
        let params = with(params, json!({"idempotency_key": "once"}));
        let before = dump(&server, &objects).await;
        let mut first = server.ok(method.name, params.clone()).await;
        let after = dump(&server, &objects).await;
        assert_ne!(before, after, "{} changes something", method.name);
        let again = server.ok(method.name, params.clone()).await;
        for hidden in method.hidden_in_replay {
            assert!(again.get(hidden).is_none(), "{}: {again}", method.name);
            first.as_object_mut().unwrap().shift_remove(*hidden);
        }
        assert_eq!(again.to_string(), first.to_string(), "{}", method.name);
        assert_eq!(dump(&server, &objects).await, after, "{}", method.name);
        if params.get("id").is_some() {
            let other = with(params, json!({"id": Objects::nowhere().client}));
            assert_eq!(server.refused(method.name, other).await.word(), "idempotency_key_reused", "{}", method.name);
        }
    }
}

#[tokio::test]
async fn two_at_once_with_one_idempotency_key_get_one_answer() {
    let (server, gone) = server().await;
    for method in that(|does| matches!(does, Does::Changes | Does::ChangesInEarnestOnly)) {
        let (_, params) = prepared(&server, &gone, method).await;
        let params = with(params, json!({"idempotency_key": "once"}));
        let (mut one, mut other) = tokio::join!(server.ok(method.name, params.clone()), server.ok(method.name, params));
        for answer in [&mut one, &mut other].into_iter().filter_map(Value::as_object_mut) {
            method.hidden_in_replay.iter().for_each(|hidden| drop(answer.shift_remove(*hidden)));
        }
        assert_eq!(one.to_string(), other.to_string(), "{}", method.name);
    }
}

#[tokio::test]
async fn what_steers_is_not_idempotent_and_takes_no_key() {
    let (server, gone) = server().await;
    for method in that(|does| does == Does::Steers) {
        let (_, params) = prepared(&server, &gone, method).await;
        let refusal = server.refused(method.name, with(params, json!({"idempotency_key": "once"}))).await;
        assert_eq!(refusal.fields(), ["idempotency_key"], "{}", method.name);
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_answers_like_the_real_thing() {
    let (server, gone) = server().await;
    for method in that(|does| matches!(does, Does::Changes | Does::Steers)) {
        let (objects, params) = prepared(&server, &gone, method).await;
        let before = dump(&server, &objects).await;
        let would = server.ok(method.name, with(params.clone(), json!({"dry_run": true}))).await;
        assert_eq!(dump(&server, &objects).await, before, "{} in a dry run", method.name);
        let done = server.ok(method.name, params).await;
        compare(method, &would, &done);
        if !matches!(method.name, "provisioning.handlers.test" | "provisioning.handlers.backtest") {
            assert_ne!(dump(&server, &objects).await, before, "{} changes something", method.name);
        }
    }
}

/// What is not known or not made before it is done: ids, and what begins now.
const UNKNOWN_BEFORE: &[&str] = &[
    "id",
    "c_dt",
    "paused",
    "duration_ms",
    "median_ms",
    "p95_ms",
    "request",
    "start_dt",
    "ended_dt",
    "period_start_dt",
    "period_stop_dt",
];

/// Everything else is as it was foretold.
fn compare(method: &Method, would: &Value, done: &Value) {
    let (mut would, mut done) = (would.clone(), done.clone());
    if let (Value::Object(would), Value::Object(done)) = (&mut would, &mut done) {
        for unknown in UNKNOWN_BEFORE.iter().chain(method.hidden_in_replay) {
            would.shift_remove(*unknown);
            done.shift_remove(*unknown);
        }
    }
    assert_eq!(would.to_string(), done.to_string(), "{}", method.name);
    if matches!(method.gives, Gives::Count) {
        assert_eq!(done, json!(1), "{}", method.name);
    }
}

#[tokio::test]
async fn a_dry_run_is_true_or_false_and_of_reading_methods_an_unknown_field() {
    let (server, gone) = server().await;
    let objects = Objects::make(&server, 1, json!(null), "walked", &gone).await;
    for method in that(|does| does != Does::ChangesInEarnestOnly) {
        let params = (Row::find(method.name).params)(&objects);
        let asked = if method.changes() { json!("yes") } else { json!(true) };
        let refusal = server.refused(method.name, with(params, json!({"dry_run": asked}))).await;
        assert_eq!(refusal.fields(), ["dry_run"], "{}", method.name);
    }
}
