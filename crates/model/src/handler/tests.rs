use serde_json::{Value, json};

use super::*;
use crate::{json::MASK, refusal::FieldErrors};

fn given(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("an object, not {other}"),
    }
}

/// A small good handler with these fields besides.
fn fields(more: Value) -> Object {
    let mut fields = given(json!({"name": "crm", "event": "clients.create", "task": "127.0.0.1:5000/api"}));
    fields.extend(given(more));
    fields
}

fn saved(more: Value) -> Handler {
    let checked = check_create(&fields(more)).expect("a good handler");
    Handler::from_checked(5, &checked).expect("a good handler")
}

fn pairs(errors: &FieldErrors) -> Vec<(&str, &str)> {
    errors.iter().collect()
}

fn refused(more: Value) -> Vec<(String, String)> {
    let errors = check_create(&fields(more.clone())).expect_err(&more.to_string());
    errors.iter().map(|(name, words)| (name.to_owned(), words.to_owned())).collect()
}

fn refused_fields(more: Value) -> Vec<String> {
    refused(more).into_iter().map(|(name, _)| name).collect()
}

fn changed(handler: &Handler, changes: Value) -> Result<Handler, FieldErrors> {
    let mut changes = given(changes);
    changes.insert("id".to_owned(), 5.into());
    let mut handler = handler.clone();
    handler.apply(&check_update(&changes)?)?;
    Ok(handler)
}

#[test]
fn a_new_handler_has_the_contracts_defaults_in_its_order() {
    let expected = concat!(
        r#"{"id":5,"name":"crm","status":"enabled","event":"clients.create","type":"after","order":100,"#,
        r#""task":"http://127.0.0.1:5000/api","args":[],"mode":"once","method":"POST","headers":{},"settings":{},"timeout_ms":3000,"on_failure":"forbid","#,
        r#""retries":null,"concurrency":8,"ordering":"per_client","companies_id":null,"condition":"","writable":null,"#,
        r#""dry_run":false,"notify_outcome":false,"passwords":true,"balance_basis":"live","notes":"","version":1,"paused":null}"#
    );
    assert_eq!(Value::from(saved(json!({})).shown()).to_string(), expected);
}

#[test]
fn every_field_of_the_contract_is_taken() {
    let before = saved(json!({
        "status": "disabled", "event": ["clients.create", "clients.accounts.*"], "type": "before", "order": 1,
        "task": "script://provision.py", "args": ["--realm", ""], "timeout_ms": 30000, "on_failure": "allow", "concurrency": 2,
        "companies_id": 3, "condition": "data.name != ''", "writable": ["c_city"], "dry_run": true, "passwords": false,
        "notes": "two\nlines",
    }));
    let shown = before.shown();
    assert_eq!(shown["event"], json!(["clients.create", "clients.accounts.*"]));
    assert_eq!((shown["type"].clone(), shown["on_failure"].clone()), (json!("before"), json!("allow")));
    assert_eq!((shown["args"].clone(), shown["writable"].clone()), (json!(["--realm", ""]), json!(["c_city"])));
    assert_eq!(
        (shown["dry_run"].clone(), shown["passwords"].clone(), shown["companies_id"].clone()),
        (json!(true), json!(false), json!(3))
    );
    let after = saved(json!({"retries": [], "ordering": "none", "balance_basis": "available", "method": "PUT"}));
    assert_eq!(
        (after.retries.clone(), after.ordering, after.balance_basis, after.method),
        (Some(vec![]), Ordering::None, Basis::Available, Method::Put)
    );
}

#[test]
fn events_must_be_in_the_catalogue() {
    for (event, words) in [
        (json!("clients.created"), "clients.created is not in the catalogue of events"),
        (json!(["clients.create", "*"]), "* is not in the catalogue of events"),
        (json!("client.*"), "client.* matches no event of the catalogue"),
        (json!("clients.create.*"), "clients.create.* matches no event of the catalogue"),
        (json!([]), "must name at least one event"),
        (json!(5), "must be a text of 1 to 64 characters, or a list of them"),
    ] {
        assert_eq!(refused(json!({"event": event})), [("event".to_owned(), words.to_owned())]);
    }
    assert_eq!(saved(json!({"event": ["clients.create", "clients.create"]})).event, ["clients.create"]);
    assert!(saved(json!({"event": "clients.*"})).wants("clients.accounts.delete"));
}

#[test]
fn a_balance_event_cannot_be_asked_about_before() {
    let expected = [
        ("event".to_owned(), "clients.balance_zero can only be told after it happened, never asked about before".to_owned()),
        ("type".to_owned(), "must be after for clients.balance_zero".to_owned()),
    ];
    assert_eq!(refused(json!({"type": "before", "event": ["clients.create", "clients.balance_zero"]})), expected);
    assert!(check_create(&fields(json!({"type": "before", "event": "clients.*"}))).is_ok(), "a pattern leaves them out");
    let told = saved(json!({"event": "clients.balance_zero"}));
    assert!(changed(&told, json!({"type": "before"})).expect_err("refused").names("type"));
}

#[test]
fn a_field_that_suits_the_other_kind_only_is_refused() {
    let named = |more| refused_fields(more);
    assert_eq!(named(json!({"on_failure": "allow", "writable": [], "dry_run": true})), ["dry_run", "on_failure", "writable"]);
    assert_eq!(named(json!({"status": "shadow", "notify_outcome": true})), ["notify_outcome", "status"]);
    assert_eq!(
        named(json!({"type": "before", "retries": [], "ordering": "none", "args": ["x"], "mode": "worker"})),
        ["args", "mode", "ordering", "retries"]
    );
    saved(json!({"on_failure": "forbid", "writable": null, "dry_run": false, "args": []}));
    saved(json!({"type": "before", "retries": null, "ordering": "per_client"}));
}

#[test]
fn a_handler_that_changes_its_kind_leaves_the_old_settings_behind() {
    let asked = saved(
        json!({"type": "before", "task": "script://x", "args": ["a"], "on_failure": "allow", "writable": ["name"], "dry_run": true}),
    );
    assert_eq!(asked.concurrency, 4);
    let reserving = changed(&asked, json!({"notify_outcome": true})).expect("it may");
    assert!(!changed(&reserving, json!({"type": "after", "task": "http://h/"})).expect("it may").notify_outcome);
    let shadow = changed(&asked, json!({"status": "shadow"})).expect("it may");
    assert!(shadow.is_shadow() && shadow.is_running());
    let told = json!({"type": "after", "task": "http://h/"});
    assert!(changed(&shadow, told).expect_err("nobody is told by surprise").names("status"));
    let told = changed(&asked, json!({"type": "after", "task": "http://h/"})).expect("it may");
    assert_eq!((told.on_failure, told.writable.clone(), told.dry_run, told.args.len()), (OnFailure::Forbid, None, false, 0));
    assert_eq!(told.concurrency, 8, "the default follows the kind");
    let told = changed(&told, json!({"retries": [1], "ordering": "none", "concurrency": 9})).expect("it may");
    let asked = changed(&told, json!({"type": "before"})).expect("it may");
    assert_eq!((asked.retries.clone(), asked.ordering, asked.concurrency), (None, Ordering::PerClient, 9));
    let asked = changed(&asked, json!({"writable": ["name"], "dry_run": true})).expect("it may");
    let same = changed(&asked, json!({"name": "new"})).expect("it may");
    assert_eq!((same.writable, same.dry_run), (asked.writable.clone(), true), "what suits stays");
    assert!(changed(&told, json!({"writable": ["name"]})).expect_err("not for after").names("writable"));
}

#[test]
fn a_failed_change_changes_nothing() {
    let handler = saved(json!({}));
    let mut same = handler.clone();
    let changes = check_update(&given(json!({"id": 5, "name": "new", "writable": ["x"]}))).expect("each alone is good");
    same.apply(&changes).expect_err("not for an after handler");
    assert_eq!(same, handler);
}

#[test]
fn an_update_needs_the_id_and_names_everything_wrong() {
    let errors = check_update(&given(json!({"name": "", "secret": "x", "paused": null, "task": "ftp://x", "nope": 1})))
        .expect_err("wrong");
    assert_eq!(errors.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["id", "name", "nope", "paused", "secret", "task"]);
    let checked = check_update(&given(json!({"id": 5, "version": 3}))).expect("good");
    assert_eq!(Value::from(checked), json!({"id": 5, "version": 3}));
    assert!(refused_fields(json!({"version": 1})).contains(&"version".to_owned()), "not at creation");
}

#[test]
fn everything_wrong_is_named_together() {
    let wrong = json!({"name": null, "event": "x", "task": "mailto://x", "headers": {"Host": "x"}, "timeout_ms": 0, "order": 0, "retries": [-1],
        "concurrency": 257, "condition": "x".repeat(1025), "zzz": 1});
    let expected = ["concurrency", "condition", "event", "headers", "name", "order", "retries", "task", "timeout_ms", "zzz"];
    assert_eq!(refused_fields(wrong), expected);
    assert_eq!(refused_fields(json!({"name": "", "on_failure": "allow"})), ["name", "on_failure"], "rules too");
    assert_eq!(refused_fields(json!({"type": "during", "on_failure": "allow"})), ["type"], "but not where they would mislead");
}

#[test]
fn a_task_is_normalised() {
    for (typed, task) in [
        ("127.0.0.1:5000/api", "http://127.0.0.1:5000/api"),
        ("localhost:5000", "http://localhost:5000"),
        ("crm.example/hook?next=http://x/", "http://crm.example/hook?next=http://x/"),
        ("//crm.example/hook", "http://crm.example/hook"),
        (" HTTPS://crm.example/Hook ", "https://crm.example/Hook"),
        ("Script://provision.py", "script://provision.py"),
    ] {
        assert_eq!(super::task::normalise(typed).as_deref(), Ok(task), "{typed}");
        assert_eq!(super::task::normalise(task).as_deref(), Ok(task), "{typed}");
    }
    for typed in [
        "",
        "http://",
        "https:///x",
        "ftp://x",
        "file:///etc/passwd",
        "javascript://x",
        "http://a b",
        "script://",
        "script:///x",
        "/x",
        "//",
    ] {
        assert!(super::task::normalise(typed).is_err(), "{typed}");
    }
}

#[test]
fn header_values_are_shown_masked_and_a_masked_one_stays() {
    let handler = saved(json!({"headers": {"Authorization": "Bearer x", "X-Realm": "a"}}));
    assert_eq!(handler.shown()["headers"], json!({"Authorization": MASK, "X-Realm": MASK}));
    let handler = changed(&handler, json!({"headers": {"authorization": MASK, "X-New": "b"}})).expect("good");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(handler.headers, [pair("authorization", "Bearer x"), pair("X-New", "b")]);
    let errors = changed(&handler, json!({"headers": {"X-Other": MASK}})).expect_err("nothing is stored");
    assert_eq!(pairs(&errors), [("headers", "X-Other is masked and not stored: give its value")]);
    assert_eq!(refused_fields(json!({"headers": {"X-A": MASK}})), ["headers"]);
    assert!(changed(&handler, json!({"headers": null})).expect("good").headers.is_empty());
    assert_eq!(changed(&handler, json!({"name": "n"})).expect("good").headers, handler.headers);
}

#[test]
fn headers_that_every_call_has_and_broken_ones_are_refused() {
    for name in [
        "Hookswitch-Event",
        "hookswitch-x",
        "webhook-id",
        "Content-Type",
        "USER-AGENT",
        "traceparent",
        "Host",
        "Content-Length",
        "Connection",
        "Transfer-Encoding",
        "",
        "a b",
        "a:b",
        "ä",
        "a\r\nb",
    ] {
        assert_eq!(refused_fields(json!({"headers": {name: "x"}})), ["headers"], "{name:?}");
    }
    for value in [json!("a\r\nb"), json!("ä"), json!(" a"), json!("x".repeat(4097)), json!(5), json!(null)] {
        assert_eq!(refused_fields(json!({"headers": {"X-A": value}})), ["headers"], "{value}");
    }
    assert_eq!(refused_fields(json!({"headers": {"X-A": "1", "x-a": "2"}})), ["headers"]);
    let many: Object = (0..33).map(|index| (format!("X-{index}"), json!("v"))).collect();
    assert_eq!(refused_fields(json!({"headers": many})), ["headers"]);
    assert_eq!(refused_fields(json!({"headers": [["X-A", "1"]]})), ["headers"]);
}

#[test]
fn bounds_are_the_contracts() {
    saved(json!({"retries": vec![604_800; 100], "timeout_ms": 1, "concurrency": 256}));
    assert_eq!(refused_fields(json!({"retries": vec![1; 101]})), ["retries"]);
    assert_eq!(refused_fields(json!({"retries": [604_801]})), ["retries"]);
    assert_eq!(refused_fields(json!({"timeout_ms": 30_001})), ["timeout_ms"]);
    assert_eq!(refused_fields(json!({"name": "x".repeat(129)})), ["name"]);
    let many: Vec<String> = (0..257).map(|index| format!("key{index}")).collect();
    assert_eq!(refused_fields(json!({"type": "before", "writable": many})), ["writable"]);
}

#[test]
fn a_handler_that_is_paused_or_not_enabled_does_not_run() {
    let handler = saved(json!({}));
    assert!(handler.is_running());
    assert!(!changed(&handler, json!({"status": "disabled"})).expect("good").is_running());
    let paused = Paused::by_hand("crm", Moment::from_millis(0), "maintenance");
    let handler =
        Handler { paused: Some(paused), still_since: Some(Moment::from_millis(0)), secret: "whsec_x".to_owned(), ..handler };
    assert!(!handler.is_running());
    let shown = handler.shown();
    assert_eq!(shown["paused"], json!({"by": "crm", "since": "1970-01-01T00:00:00+00:00", "reason": "maintenance"}));
    assert!(["secret", "old_secret", "still_since", "event_is_single"].iter().all(|hidden| !shown.contains_key(*hidden)));
}

#[test]
fn what_is_stored_is_read_back() {
    let handler = saved(json!({"headers": {"X-A": "1"}, "retries": [1, 2], "event": ["clients.*"]}));
    let stored = serde_json::to_value(&handler).expect("a handler is JSON");
    assert_eq!(serde_json::from_value::<Handler>(stored).expect("what was written"), handler);
}

#[test]
fn the_words_of_the_contract_and_of_the_store_are_the_same() {
    assert!(Status::WORDS.iter().all(|word| serde_json::to_value(Status::from_word(word)).is_ok_and(|stored| stored == *word)));
    assert!(
        OnFailure::WORDS.iter().all(|word| serde_json::to_value(OnFailure::from_word(word)).is_ok_and(|stored| stored == *word))
    );
    assert!(
        Ordering::WORDS.iter().all(|word| serde_json::to_value(Ordering::from_word(word)).is_ok_and(|stored| stored == *word))
    );
    assert!(Basis::WORDS.iter().all(|word| serde_json::to_value(Basis::from_word(word)).is_ok_and(|stored| stored == *word)));
    assert!(Method::WORDS.iter().all(|word| serde_json::to_value(Method::from_word(word)).is_ok_and(|stored| stored == *word)));
    assert!(Stage::WORDS.iter().all(|word| serde_json::to_value(Stage::from_word(word)).is_ok_and(|stored| stored == *word)));
}

#[test]
fn names_of_the_first_generation_are_taken_kept_and_given_back() {
    let handler = saved(json!({"event": ["accounts.*", "clients.update"], "type": "before"}));
    assert_eq!(handler.shown()["event"], json!(["accounts.*", "clients.update"]));
    assert!(handler.wants("clients.accounts.delete") && !handler.wants("clients.create"));
    assert_eq!(handler.name_of("clients.accounts.delete"), "accounts.delete");
    assert_eq!(handler.name_of("clients.update"), "clients.update");
    assert_eq!(saved(json!({"event": "accounts.create"})).name_of("clients.accounts.create"), "accounts.create");
    assert_eq!(
        refused(json!({"event": "transactions.*"})),
        [("event".into(), "transactions.* matches no event of the catalogue".into())]
    );
    assert_eq!(
        refused(json!({"event": "accounts.renew"})),
        [("event".into(), "accounts.renew is not in the catalogue of events".into())]
    );
}
