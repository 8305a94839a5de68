use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn payload() -> Object {
    object(json!({
        "event": {"events_id": "clients.update", "object_id": 12, "dt": "2026-11-23T21:14:07+00:00", "actor": {"type": "user", "login": "crm"}},
        "data": {"id": 12, "credit": 100, "share": 0.5, "limit": null, "tags": ["vip", "eu"], "notes": "a text"},
        "previous": {"credit": 50},
        "object": {"id": 12, "name": "Acme", "status": "active", "tables": [1, 2, 3]},
    }))
}

fn object(value: Json) -> Object {
    match value {
        Json::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

async fn evaluated(source: &str, payload: &Object) -> Outcome {
    Condition::compile(source).unwrap_or_else(|unfit| panic!("{source}: {unfit}")).evaluate(payload).await
}

async fn holds(source: &str) -> Outcome {
    evaluated(source, &payload()).await
}

#[tokio::test]
async fn what_is_true_holds() {
    for source in [
        "true",
        "data.credit > 99",
        "data.credit > 99.5 && data.credit == 100.0 && data.share < 1",
        "data.credit > previous.credit",
        "event.events_id.startsWith('clients.') && event.actor.login == 'crm'",
        "object.name in ['Acme', 'Other']",
        "'credit' in data && has(data.credit) && !has(data.name)",
        "data.tags.exists(t, t == 'vip') && object.tables.all(n, n > 0)",
        "object.tables.map(n, n * 2).exists(n, n == 6)",
        "data.limit == null",
        "type(data.credit) == int && type(data.share) == double",
        "double(data.credit) * 1.5 > 149.0",
        "timestamp(event.dt) > timestamp('2026-01-01T00:00:00Z')",
        "data.notes.matches('^a .*t$') && size(data.notes) == 6",
        "data.credit > 100 ? false : true",
    ] {
        assert_eq!(holds(source).await, Outcome::Holds, "{source}");
    }
}

#[tokio::test]
async fn a_number_is_what_it_is_worth_however_it_is_written() {
    for credit in ["100", "100.0", "1e2", "1.00E+2"] {
        let payload = object(serde_json::from_str(&format!(r#"{{"data": {{"credit": {credit}}}}}"#)).unwrap());
        for source in ["data.credit == 100", "data.credit > 99.9", "data.credit <= 100.0", "data.credit % 3 == 1"] {
            assert_eq!(evaluated(source, &payload).await, Outcome::Holds, "{source} with {credit}");
        }
    }
    let huge = object(serde_json::from_str(r#"{"data": {"credit": 123456789012345678901234567890.5, "zero": 1e-9}}"#).unwrap());
    assert_eq!(evaluated("data.credit > 1e29 && data.zero > 0 && data.zero < 1", &huge).await, Outcome::Holds);
}

#[tokio::test]
async fn an_absent_key_makes_the_whole_false() {
    for source in [
        "data.name == 'Acme'",
        "!(data.name == 'Acme')",
        "data.name != 'Acme'",
        "data['name'] == 'Acme'",
        "data.name.first == 'Acme'",
        "data.name == 'Acme' ? true : true",
        "data.credit == 100 && data.name == 'Acme'",
        "data.credit == 1 || data.name == 'Acme'",
        "previous.name == 'Acme'",
        "[data.name].size() == 1",
        "data.tags.exists(t, data.name == t)",
    ] {
        assert_eq!(holds(source).await, Outcome::Fails, "{source}");
    }
    // As in all of CEL, what decides alone decides.
    assert_eq!(holds("data.name == 'Acme' || data.credit == 100").await, Outcome::Holds);
}

#[tokio::test]
async fn without_previous_its_keys_are_absent() {
    let mut payload = payload();
    payload.shift_remove("previous");
    assert_eq!(evaluated("previous.credit == 50", &payload).await, Outcome::Fails);
    assert_eq!(evaluated("!has(previous.credit)", &payload).await, Outcome::Holds);
    assert_eq!(evaluated("previous.size() == 0", &payload).await, Outcome::Holds);
}

// Some run on a thread of their own, whose time limit a busy machine must not make pass.
#[tokio::test(start_paused = true)]
async fn whatever_else_goes_wrong_calls_the_handler_and_says_why() {
    for (source, words) in [
        ("data.credit / 0 == 1", "Division by zero"),
        ("data.limit > 100", "no matching overload"),
        ("data.credit + 0.5 > 1.0", "operator 'add'"),
        ("data.tags[7] == 'x'", "out of bounds"),
        ("data.notes", "neither true nor false but of type string"),
        ("data.notes.matches(data.notes + '(')", "not a valid regex"),
        ("9223372036854775807 + data.credit > 0", "Overflow"),
    ] {
        match holds(source).await {
            Outcome::CallAnyway(said) => assert!(said.contains(words), "{source}: {said}"),
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn what_cannot_work_is_refused_when_it_is_saved() {
    let refused = |source: &str| Condition::compile(source).expect_err(source);
    assert_eq!(refused("nix.a == 1"), Unfit::Variable("nix".into()));
    assert_eq!(refused("data.tags.exists(t, u == 1)"), Unfit::Variable("u".into()));
    assert_eq!(refused("frobnicate(data.name)"), Unfit::Function("frobnicate".into()));
    assert_eq!(refused("data.name.lower() == 'x'"), Unfit::Function("lower".into()));
    assert_eq!(refused("data.tags.exists(t) == 'x'"), Unfit::Function("exists".into()));
    assert_eq!(refused("data.name.matches('(')"), Unfit::Pattern("(".into()));
    assert_eq!(refused("'abc'"), Unfit::NotBoolean);
    assert_eq!(refused("[true]"), Unfit::NotBoolean);
    assert_eq!(refused("data.tags.exists(a, data.tags.exists(b, a == b))"), Unfit::Nested);
    assert_eq!(refused("data.tags.map(a, data.tags.filter(b, a == b)).size() > 0"), Unfit::Nested);
    assert_eq!(refused(&format!("'{}' == data.name", "x".repeat(SOURCE_BYTES_MAX))), Unfit::TooLong);
    for source in ["data.name ==", "", " ", "data.name == 'x", "data.?name", "&&", "data..name", "data.name = 1"] {
        let unfit = refused(source);
        assert!(matches!(unfit, Unfit::Syntax(_)), "{source}: {unfit}");
        assert!(unfit.to_string().len() < 250 && !unfit.to_string().contains('\n'), "{unfit}");
    }
}

#[tokio::test]
async fn no_expression_overflows_a_stack() {
    let towers = [
        format!("{}true{}", "(".repeat(500), ")".repeat(500)),
        "(".repeat(SOURCE_BYTES_MAX),
        "[{(".repeat(341),
        format!("{}true", "!".repeat(1_000)),
        format!("{}1 == 1", "-".repeat(1_000)),
        format!("{}1{} == 1", "[".repeat(500), "]".repeat(500)),
        format!("data{} == 1", "[0]".repeat(330)),
        format!("data{} == 1", ".a".repeat(500)),
        format!("1{} == 1", "+1".repeat(500)),
        format!("{}true", "true?true:".repeat(100)),
        format!("true{}", "&&true".repeat(168)),
        format!("[1]{}.size() > 0", ".map(x,x)".repeat(100)),
        format!("{}1{} == 1", "int(".repeat(200), ")".repeat(200)),
        format!("'a'{} == 1", ".size()".repeat(140)),
    ];
    for tower in towers {
        if let Ok(condition) = Condition::compile(&tower) {
            condition.evaluate(&payload()).await;
        }
    }
    let deep = format!("{}1{} == 1", "int(".repeat(30), ")".repeat(30));
    assert_eq!(holds(&deep).await, Outcome::Holds);
}

#[test]
fn the_deepest_expression_that_is_taken_needs_half_of_a_stack_at_most() {
    let deep = |piece: &str, times: usize| match piece {
        "+1" | ".a" | "[0]" => format!("data.credit{} == 1", piece.repeat(times)),
        "true?true:" => format!("{}true", piece.repeat(times)),
        ".map(x,x)" => format!("[1]{}.size() > 0", piece.repeat(times)),
        "size(" => format!("{}''{} == 1", piece.repeat(times), ")".repeat(times)),
        other => panic!("{other}"),
    };
    for piece in ["+1", ".a", "[0]", "true?true:", ".map(x,x)", "size("] {
        let deepest = (0..130).rev().find_map(|times| Condition::compile(&deep(piece, times)).ok()).unwrap();
        let payload = payload();
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
            let sizes = vec![("data", weigh::Size::of(payload.get("data")))];
            weigh::weight(deepest.0.program.as_ref().unwrap().expression(), sizes);
            deepest.evaluate_here(&payload);
        });
        thread.unwrap().join().unwrap();
    }
}

// Some run on a thread of their own, whose time limit a busy machine must not make pass.
#[tokio::test(start_paused = true)]
async fn a_short_expression_with_a_huge_result_is_never_evaluated() {
    let mut payload = payload();
    payload.insert("object".into(), json!({"notes": "x".repeat(64 << 10), "tables": vec![1; 1_000], "tags": ["a", "b"]}));
    let doublings = format!("object.tags{}.size() > 0", ".map(x, x + x)".repeat(40));
    let products = format!("object.tables.map(n, {}).size() > 0", ["object.notes"; 60].join(" + "));
    for source in [doublings.as_str(), &products, "object.tables.exists(n, object.notes.matches(object.notes))"] {
        assert!(
            matches!(evaluated(source, &payload).await, Outcome::CallAnyway(words) if words.contains("too much")),
            "{source}"
        );
    }
    let usual = "object.tags.exists(t, t == 'b') && object.tables.exists(n, n == 1) && object.notes.contains('x')";
    assert_eq!(evaluated(usual, &payload).await, Outcome::Holds);
}

fn weight(source: &str, payload: &Object) -> u64 {
    let condition = Condition::compile(source).unwrap();
    let sizes = condition.0.uses.iter().map(|name| (*name, weigh::Size::of(payload.get(*name)))).collect();
    weigh::weight(condition.0.program.as_ref().unwrap().expression(), sizes)
}

#[test]
fn what_is_usually_asked_for_is_surely_cheap() {
    let mut payload = payload();
    let rows: Vec<_> = (0..20).map(|id| json!({"id": id, "prefix": "4930", "tags": ["a", "b"]})).collect();
    payload
        .insert("object".into(), json!({"name": "Acme", "phone": "+49301234567", "notes": "x".repeat(16 << 10), "rows": rows}));
    for source in [
        "data.credit > previous.credit && object.name.startsWith('A')",
        "object.phone.matches('^[+]?[0-9]{7,15}$')",
        "object.name.matches('(?i)acme|telecom')",
        "object.rows.exists(row, row.id == 7 && row.prefix in ['4930', '4931'])",
        "object.rows.filter(row, row.tags.size() == 2).map(row, row.prefix + '0').all(prefix, prefix == '49300')",
        "object.rows[0].tags[1] == 'b' || object['name'].contains(string(data.credit))",
        "object.notes.contains('y')",
    ] {
        let weight = weight(source, &payload);
        assert!(weight <= WEIGHT_INLINE_MAX, "{source}: {weight}");
    }
}

#[test]
fn what_could_take_long_is_known_to() {
    let mut payload = payload();
    let notes = "x".repeat(64 << 10);
    payload.insert(
        "object".into(),
        json!({"notes": notes, "tables": vec![1; 1_000], "rows": vec![json!({"tags": ["a", "b"]}); 500]}),
    );
    for source in [
        // Patterns: many states to make, many to try, or nobody knows.
        "object.notes.matches('[^a]{0,90}x')",
        "data.notes.matches('\\\\w{50}')",
        "data.notes.matches(data.notes)",
        // Loops over what a loop made, or over what comes again and again.
        "object.rows.map(row, row.tags + row.tags).map(tags, tags + tags + tags).size() > 0",
        "object.tables.all(n, n in object.tables)",
        "object.tables.exists(n, object.tables[n + 0.5] == 1)",
        "object.tables.exists(n, string(object.notes) == '')",
        "object.rows.map(row, [row, row, row]).size() > 0",
    ] {
        let weight = weight(source, &payload);
        assert!(weight > WEIGHT_INLINE_MAX, "{source}: {weight}");
    }
    let weight = weight("object.notes.matches('(?s:.).{0,9000}[xy]$')", &payload);
    assert!(weight > WEIGHT_MAX, "seconds: {weight}");
}

#[tokio::test]
async fn an_error_about_something_huge_is_told_in_few_words() {
    let mut payload = payload();
    payload.insert("object".into(), json!({"notes": "x".repeat(64 << 10)}));
    match evaluated("object - 1 == 1", &payload).await {
        Outcome::CallAnyway(words) => assert_eq!(words.chars().count(), WORDS_CHARACTERS_MAX, "{words}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_macro_that_is_called_otherwise_is_named() {
    for source in ["data.tags.exists(t)", "data.tags.all(t, t == 'x', 1)", "exists(data.tags, t, t == 'x')", "data.has(tags)"] {
        let words = Condition::compile(source).unwrap_err().to_string();
        let name = source.split(['(', '.']).find(|part| ["exists", "all", "has"].contains(part)).unwrap();
        assert_eq!(words, format!("knows no function {name:?} that is called like this"), "{source}");
    }
    assert!(Condition::compile("data.tags.exists(t, t == 'x')").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_surely_cheap_runs_on_a_thread_of_its_own() {
    let mut payload = payload();
    payload.insert("object".into(), json!({"tables": vec![1; 2_000]}));
    let condition = Condition::compile("object.tables.all(n, n + n + n == 3)").unwrap();
    let sizes = vec![("object", weigh::Size::of(payload.get("object")))];
    let weight = weigh::weight(condition.0.program.as_ref().unwrap().expression(), sizes);
    assert!((WEIGHT_INLINE_MAX..WEIGHT_MAX).contains(&weight), "{weight}");
    // On a busy machine it may overrun; then the handler is called.
    assert_ne!(condition.evaluate(&payload).await, Outcome::Fails);
}

#[tokio::test(start_paused = true)]
async fn overruns_do_not_pile_up() {
    let condition = Condition::compile("data.credit > 1").unwrap();
    let _stuck = Arc::clone(&condition.0.threads).acquire_many_owned(2).await.unwrap();
    let outcome = condition.evaluate_guarded(payload()).await;
    assert_eq!(outcome, Outcome::CallAnyway("too many evaluations are still running".to_owned()));
}

#[tokio::test]
async fn a_saved_expression_that_is_no_longer_taken_calls_the_handler() {
    let condition = Condition::saved("nix.a == 1");
    assert!(matches!(condition.evaluate(&payload()).await, Outcome::CallAnyway(words) if words.contains("nix")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_typed_is_compiled_or_refused(source in "[a-z0-9 .,()\\[\\]{}'\"?:!&|<>=+*/%-]{0,60}") {
        let _ = Condition::compile(&source);
    }

    #[test]
    fn what_is_pieced_together_is_evaluated_or_refused(
        pieces in proptest::collection::vec(
            prop::sample::select(vec!["data.credit", "data.tags", "previous.x", "1", "'a'", "==", "&&", "||", "+", "(", ")", "!", ".exists(t, ", "t", ".size()", "? 1 : 2", "[0]"]), 1..8),
    ) {
        if let Ok(condition) = Condition::compile(&pieces.concat()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(condition.evaluate(&payload()));
        }
    }
}
