//! Before handlers that are told how it ended (`notify_outcome`): what they reserved they can release, whatever happened.
use hookswitch_testkit::{
    Api, Call, Clocked, Gate, Recorder, Reply, Server, Value, after, assert_has, before, json, wait_for, wait_until, with,
};

const NOTIFY: &str = "notify_outcome";

/// Asked about these events, and told how they ended.
fn reserving(event: impl Into<Value>, recorder: &Recorder) -> Value {
    with(before(event, recorder), json!({"name": "reserving", NOTIFY: true, "order": 1}))
}

fn is_outcome(call: &Call) -> bool {
    call.event("stage") == "outcome"
}

/// The outcomes that came, as soon as there are so many; and no more.
async fn outcomes(recorder: &Recorder, count: usize) -> Vec<Call> {
    let what = format!("{count} outcomes");
    let found = wait_for(&what, async || {
        let found: Vec<Call> = recorder.calls().into_iter().filter(is_outcome).collect();
        (found.len() >= count).then_some(found)
    })
    .await;
    assert_eq!(found.len(), count, "{:#?}", found.iter().map(|call| &call.body).collect::<Vec<_>>());
    found
}

fn asked(recorder: &Recorder) -> Vec<Call> {
    recorder.calls().into_iter().filter(|call| !is_outcome(call)).collect()
}

/// The one outcome that came.
async fn outcome(recorder: &Recorder) -> Value {
    outcomes(recorder, 1).await.remove(0).body["outcome"].clone()
}

/// Waits until nobody is owed anything any more.
async fn nothing_owed(api: &Api) {
    wait_until("nothing is owed", async || api.ok("provisioning.outcomes.search", json!({})).await == json!([])).await;
}

/// What is still owed.
async fn owed(api: &Api) -> Vec<Value> {
    let rows = api.ok("provisioning.outcomes.search", json!({})).await;
    rows.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_committed_action_is_told_with_its_number_and_without_data() {
    let server = Server::start().await;
    let (recorder, told) = (Recorder::start().await, Recorder::start().await);
    let handler = server.handler(reserving("clients.accounts.create", &recorder)).await;
    server.handler(after("clients.accounts.create", &told)).await;
    let client = server.client("Acme").await;
    let account = server.account(client, "desk").await;
    let call = outcomes(&recorder, 1).await.remove(0);
    let before = asked(&recorder).remove(0);
    assert_has(
        &call.body,
        &json!({
            "event": {"id": before.event("id"), "dt": before.event("dt"), "events_id": "clients.accounts.create", "object_id": account,
                "clients_id": client, "companies_id": 1, "stage": "outcome", "mode": "live", "seq": 2, "actor": before.event("actor"),
                "cause": null},
            "outcome": {"state": "committed", "by": null, "message": null},
        }),
    );
    assert_eq!(call.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["event", "outcome"], "no data, so no password");
    assert_eq!(&call.event("seq"), &told.wait_exactly(1).await[0].event("seq"));
    let headers =
        ["hookswitch-stage", "hookswitch-event", "hookswitch-attempt"].map(|name| call.header(name).unwrap().to_owned());
    assert_eq!(headers, ["outcome", "clients.accounts.create", "1"]);
    assert_eq!(call.header("webhook-id").unwrap(), before.event("id"));
    assert!(call.header("webhook-signature").is_some() && call.header("hookswitch-cause").is_some());
    nothing_owed(&server).await;
    let row = server.wait_log(json!({"handlers_id": handler, "stage": "outcome"}), 1).await.remove(0);
    assert_has(&row, &json!({"status": "success", "object_id": account, "attempt": 1, "shadow": false}));
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await;
    assert!(whole["request"].as_str().unwrap().contains("committed"), "{whole}");
}

#[tokio::test]
async fn who_says_nothing_about_it_is_told_nothing() {
    let server = Server::start().await;
    let (silent, recorder) = (Recorder::start().await, Recorder::start().await);
    server.handler(before("clients.create", &silent)).await;
    server.handler(reserving("clients.create", &recorder)).await;
    server.client("Acme").await;
    outcomes(&recorder, 1).await;
    nothing_owed(&server).await;
    assert_eq!(silent.calls().len(), 1);
}

#[tokio::test]
async fn what_a_later_handler_forbids_is_aborted_by_it() {
    let server = Server::start().await;
    let (recorder, forbidding) = (Recorder::start().await, Recorder::start().await);
    forbidding.answer(|_| Reply::json(&json!({"verdict": "forbid", "message": "prefix not ours"})));
    server.handler(reserving("clients.create", &recorder)).await;
    let later = server.handler(with(before("clients.create", &forbidding), json!({"name": "fraud", "order": 2}))).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let by = json!({"type": "handler", "id": later, "name": "fraud"});
    assert_eq!(outcome(&recorder).await, json!({"state": "aborted", "by": by, "message": "prefix not ours"}));
    let call = outcomes(&recorder, 1).await.remove(0);
    assert!(call.body["event"].get("seq").is_none(), "it has no number: {}", call.body);
    assert_eq!(call.event("id"), asked(&recorder)[0].event("id"));
}

#[tokio::test]
async fn a_later_handler_that_fails_is_named_with_its_reason() {
    let server = Server::start().await;
    let (recorder, broken) = (Recorder::start().await, Recorder::answering(|_| Reply::status(500)).await);
    server.handler(reserving("clients.create", &recorder)).await;
    let later = server.handler(with(before("clients.create", &broken), json!({"name": "broken", "order": 2}))).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let by = json!({"type": "handler", "id": later, "name": "broken", "reason": "status"});
    assert_has(&outcome(&recorder).await, &json!({"state": "aborted", "by": by}));
}

#[tokio::test]
async fn what_it_forbids_itself_is_told_as_well() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| if is_outcome(call) { Reply::ok() } else { Reply::text(403, "no room") }).await;
    let handler = server.handler(reserving("clients.create", &recorder)).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let by = json!({"type": "handler", "id": handler, "name": "reserving"});
    assert_eq!(outcome(&recorder).await, json!({"state": "aborted", "by": by, "message": "no room"}));
}

#[tokio::test]
async fn a_call_that_timed_out_was_made_and_is_told_about() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| if is_outcome(call) { Reply::ok() } else { Reply::hang() }).await;
    let forbidding = with(reserving("clients.create", &recorder), json!({"timeout_ms": 300}));
    let handler = server.handler(forbidding).await;
    server.refused("clients.create", json!({"name": "Acme"})).await;
    let by = json!({"type": "handler", "id": handler, "name": "reserving", "reason": "timeout"});
    assert_has(&outcome(&recorder).await, &json!({"state": "aborted", "by": by}));
    // And if its failure allows: committed.
    recorder.forget();
    server.ok("provisioning.handlers.update", json!({"id": handler, "on_failure": "allow"})).await;
    server.client("Acme").await;
    assert_has(&outcome(&recorder).await, &json!({"state": "committed", "by": null}));
}

#[tokio::test]
async fn a_conflict_and_a_name_that_became_taken_are_told_as_such() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(reserving(json!(["clients.create", "clients.update"]), &recorder)).await;
    let client = server.client("Acme").await;
    outcomes(&recorder, 1).await;
    recorder.forget();
    let meddle = |method: &'static str, params: fn(i64, i64) -> Value| {
        let api: Api = (*server).clone();
        recorder.answer_later(move |call| {
            let api = api.clone();
            async move {
                if !is_outcome(&call) {
                    let cause = call.header("hookswitch-cause").unwrap();
                    let meddling = params(client, call.attempt());
                    api.call_with(&[("hookswitch-cause", cause)], method, meddling).await.unwrap();
                }
                Reply::ok()
            }
        });
    };
    meddle("clients.update", |client, attempt| json!({"id": client, "name": format!("Meddled {attempt}")}));
    assert_eq!(server.refused("clients.update", json!({"id": client, "name": "Wanted"})).await.word(), "conflict");
    assert_has(&outcome(&recorder).await, &json!({"state": "aborted", "by": {"type": "conflict"}}));
    assert_eq!(asked(&recorder).len(), 2, "asked twice, told once");
    recorder.forget();
    meddle("clients.create", |_, _| json!({"name": "Taken"}));
    assert_eq!(server.refused("clients.create", json!({"name": "Taken"})).await.fields(), ["name"]);
    let told = outcome(&recorder).await;
    assert_has(&told, &json!({"state": "aborted", "by": {"type": "request"}}));
    assert!(told["message"].as_str().unwrap().starts_with("name "), "{told}");
    nothing_owed(&server).await;
}

#[tokio::test]
async fn who_is_asked_a_second_time_hears_once() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let client = server.client("Acme").await;
    server.handler(reserving("clients.update", &recorder)).await;
    let api: Api = (*server).clone();
    recorder.answer_later(move |call| {
        let api = api.clone();
        async move {
            if !is_outcome(&call) && call.attempt() == 1 {
                let cause = call.header("hookswitch-cause").unwrap();
                api.call_with(&[("hookswitch-cause", cause)], "clients.update", json!({"id": client, "name": "M"}))
                    .await
                    .unwrap();
            }
            Reply::ok()
        }
    });
    server.ok("clients.update", json!({"id": client, "name": "Wanted"})).await;
    assert_has(&outcome(&recorder).await, &json!({"state": "committed"}));
    assert_eq!(asked(&recorder).iter().map(Call::attempt).collect::<Vec<_>>(), [1, 2]);
    nothing_owed(&server).await;
    outcomes(&recorder, 1).await;
}

#[tokio::test]
async fn each_part_of_a_compound_action_is_told_under_its_own_event() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let client = server.client("Acme").await;
    let accounts = [server.account(client, "a").await, server.account(client, "b").await];
    let handler = server.handler(reserving(json!(["clients.accounts.delete", "clients.delete"]), &recorder)).await;
    // The first time the last part is refused, and with it all.
    recorder.answer(
        move |call| {
            if !is_outcome(call) && call.events_id() == "clients.delete" { Reply::status(403) } else { Reply::ok() }
        },
    );
    server.refused("clients.delete", json!({"id": client})).await;
    for call in outcomes(&recorder, 3).await {
        assert_has(&call.body["outcome"], &json!({"state": "aborted", "by": {"type": "handler", "id": handler}}));
    }
    recorder.forget();
    recorder.answer(|_| Reply::ok());
    server.ok("clients.delete", json!({"id": client})).await;
    let told = outcomes(&recorder, 3).await;
    let asked = asked(&recorder);
    for (event, object, seq) in
        [("clients.accounts.delete", accounts[0], 4), ("clients.accounts.delete", accounts[1], 5), ("clients.delete", client, 6)]
    {
        let is_it = |call: &&Call| call.events_id() == event && call.event("object_id") == object;
        let (one, other) = (told.iter().find(is_it).unwrap(), asked.iter().find(is_it).unwrap());
        assert_eq!((one.event("id"), one.seq()), (other.event("id"), seq));
        assert_eq!(one.body["outcome"]["state"], "committed");
    }
}

#[tokio::test]
async fn an_update_that_was_changed_back_to_nothing_is_no_change() {
    let server = Server::start().await;
    let (recorder, undoing) = (Recorder::start().await, Recorder::start().await);
    undoing.answer(|_| Reply::json(&json!({"data": {"name": "Acme"}})));
    let client = server.client("Acme").await;
    server.handler(reserving("clients.update", &recorder)).await;
    server.handler(with(before("clients.update", &undoing), json!({"order": 2}))).await;
    assert_eq!(server.ok("clients.update", json!({"id": client, "name": "Other"})).await["name"], "Acme");
    assert_has(&outcome(&recorder).await, &json!({"state": "aborted", "by": {"type": "unchanged"}}));
}

#[tokio::test]
async fn the_second_of_two_requests_with_one_idempotency_key_hears_of_the_replay() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let gate = Gate::shut();
    recorder.answer({
        let gate = gate.clone();
        move |call| if is_outcome(call) { Reply::ok() } else { Reply::ok().behind(&gate) }
    });
    server.handler(with(reserving("clients.create", &recorder), json!({"timeout_ms": 9_000}))).await;
    let create = || {
        let api: Api = (*server).clone();
        tokio::spawn(async move { api.ok("clients.create", json!({"name": "Acme", "idempotency_key": "once"})).await })
    };
    let both = [create(), create()];
    recorder.wait(2).await;
    gate.open();
    let mut ids = Vec::new();
    for one in both {
        ids.push(one.await.unwrap()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    let mut states: Vec<String> = outcomes(&recorder, 2).await.iter().map(|call| call.body["outcome"].to_string()).collect();
    states.sort();
    assert!(states[0].contains("aborted") && states[0].contains("replay") && states[1].contains("committed"), "{states:?}");
}

#[tokio::test]
async fn dry_runs_and_handlers_that_were_not_called_are_owed_nothing() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let condition = json!({"dry_run": true, "condition": "data.name != 'Unwanted'"});
    let handler = server.handler(with(reserving("clients.create", &recorder), condition)).await;
    server.ok("clients.create", json!({"name": "Dry", "dry_run": true})).await;
    recorder.wait_exactly(1).await;
    server.client("Unwanted").await;
    assert_eq!(owed(&server).await, [] as [Value; 0]);
    // Busy: its one place is taken, and by the second it was not asked.
    let gate = Gate::shut();
    recorder.answer({
        let gate = gate.clone();
        move |call| if is_outcome(call) { Reply::ok() } else { Reply::ok().behind(&gate) }
    });
    server.ok("provisioning.handlers.update", json!({"id": handler, "concurrency": 1, "timeout_ms": 9_000})).await;
    let api: Api = (*server).clone();
    let first = tokio::spawn(async move { api.client("First").await });
    recorder.wait(2).await;
    let open = owed(&server).await;
    assert_has(&open[0], &json!({"state": "asked", "outcome": "asked", "handlers_id": handler, "next_dt": null}));
    let status = server.ok("system.status", json!({})).await;
    assert_has(&status["handlers"][0]["outcomes"], &json!({"asked": 1, "waiting": 0, "retrying": 0, "dead": 0}));
    server.ok("provisioning.handlers.update", json!({"id": handler, "timeout_ms": 200})).await;
    assert_eq!(server.refused("clients.create", json!({"name": "Second"})).await.data["reason"], "busy");
    gate.open();
    first.await.unwrap();
    assert_has(&outcome(&recorder).await, &json!({"state": "committed"}));
    nothing_owed(&server).await;
    outcomes(&recorder, 1).await;
}

#[tokio::test]
async fn a_script_is_told_on_its_standard_input() {
    let server = Server::start().await;
    server.scripts().shell("reserve.sh", "echo \"$HOOKSWITCH_STAGE $(cat)\" >> seen; exit 0");
    server
        .handler(
            json!({"name": "script", "type": "before", "event": "clients.create", "task": "script://reserve.sh", NOTIFY: true}),
        )
        .await;
    server.client("Acme").await;
    let seen = wait_for("a second run", async || {
        let seen = server.scripts().read("seen");
        (seen.lines().count() == 2).then_some(seen)
    })
    .await;
    let second = seen.lines().nth(1).unwrap();
    assert!(second.starts_with("outcome {") && second.contains("\"committed\""), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_down_is_told_later_on_the_default_schedule() {
    let server = Clocked::start().await;
    let recorder = Recorder::answering(|call| if is_outcome(call) { Reply::status(503) } else { Reply::ok() }).await;
    let handler = server.handler(reserving("clients.create", &recorder)).await;
    server.client("Acme").await;
    let state = async |state: &str, attempt: i64| {
        wait_for(&format!("{state} after {attempt} attempts"), async || {
            let rows = owed(&server).await;
            rows.into_iter().find(|row| row["state"] == state && row["attempt"] == attempt)
        })
        .await
    };
    let row = state("retrying", 1).await;
    let waits = Clocked::seconds(row["next_dt"].as_str().unwrap()) - server.now();
    assert!((4..=7).contains(&waits), "{waits} s, planned 5");
    assert!(row["error"].as_str().unwrap().contains("503"), "{row}");
    // Disabled it stands still, its clock too.
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    server.advance(3 * 86_400);
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    server.advance(7);
    let row = state("retrying", 2).await;
    recorder.answer(|_| Reply::ok());
    server.advance(Clocked::seconds(row["next_dt"].as_str().unwrap()) - server.now() + 1);
    nothing_owed(&server).await;
    let attempts: Vec<i64> = outcomes(&recorder, 3).await.iter().map(Call::attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    server.wait_log(json!({"stage": "outcome"}), 3).await;
}

#[tokio::test]
async fn a_dead_outcome_is_kept_shown_and_told_again_on_demand() {
    let server = Server::start().await;
    let recorder = Recorder::answering(|call| if is_outcome(call) { Reply::status(410) } else { Reply::ok() }).await;
    let handler = server.handler(reserving("clients.create", &recorder)).await;
    for name in ["Acme", "Beta"] {
        server.client(name).await;
    }
    let dead = wait_for("two dead ones", async || {
        let dead = server.ok("provisioning.outcomes.search", json!({"state": "dead", "handlers_id": handler})).await;
        (dead.as_array().unwrap().len() == 2).then_some(dead)
    })
    .await;
    assert_has(&dead[0], &json!({"outcome": "committed", "seq": 1, "by": null, "attempt": 1, "next_dt": null}));
    assert_eq!(server.ok("provisioning.outcomes.get", json!({"id": dead[0]["id"]})).await, dead[0]);
    let status = server.ok("system.status", json!({})).await;
    assert_has(&status["handlers"][0]["outcomes"], &json!({"asked": 0, "waiting": 0, "retrying": 0, "dead": 2}));
    assert_eq!(server.refused("provisioning.handlers.delete", json!({"id": handler})).await.word(), "conflict");
    let first = json!({"id": dead[0]["id"]});
    let rehearsed = server.ok("provisioning.outcomes.resend", with(first.clone(), json!({"dry_run": true}))).await;
    assert_eq!(rehearsed, json!({"resent": 1}));
    recorder.answer(|_| Reply::ok());
    recorder.forget();
    assert_eq!(server.ok("provisioning.outcomes.resend", first).await, json!({"resent": 1}));
    let again = outcomes(&recorder, 1).await.remove(0);
    assert_eq!((again.header("hookswitch-resend"), again.attempt()), (Some("true"), 1));
    let useless = json!({"state": "dead", "reason": "released by hand"});
    let rehearsed = server.ok("provisioning.outcomes.discard", with(useless.clone(), json!({"dry_run": true}))).await;
    assert_eq!(rehearsed, json!({"discarded": 1}));
    let only_why = server.refused("provisioning.outcomes.discard", json!({"reason": "released by hand"})).await;
    assert_eq!(only_why.fields(), ["id"], "a reason chooses nothing");
    assert_eq!(server.ok("provisioning.outcomes.discard", useless).await, json!({"discarded": 1}));
    let row = server.wait_log(json!({"handlers_id": handler, "stage": "outcome", "status": "skipped"}), 1).await.remove(0);
    assert_has(
        &row,
        &json!({"error": "discarded by admin: released by hand", "handlers_name": "reserving", "events_id": "clients.create"}),
    );
    nothing_owed(&server).await;
    server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
}

#[tokio::test]
async fn a_program_that_is_killed_while_it_asks_tells_after_its_start_that_it_came_to_nothing() {
    let mut server = Server::start().await;
    let (recorder, hanging) = (Recorder::start().await, Recorder::answering(|_| Reply::hang()).await);
    server.handler(reserving("clients.create", &recorder)).await;
    server.handler(with(before("clients.create", &hanging), json!({"order": 2, "timeout_ms": 30_000}))).await;
    let api: Api = (*server).clone();
    let caller = tokio::spawn(async move { api.try_call("clients.create", json!({"name": "Acme"})).await });
    hanging.wait(1).await;
    server.kill9().await;
    assert!(caller.await.unwrap().is_err());
    assert!(recorder.calls().iter().all(|call| !is_outcome(call)));
    server.start_again().await;
    let call = outcomes(&recorder, 1).await.remove(0);
    assert_eq!(call.event("id"), asked(&recorder)[0].event("id"));
    assert_has(&call.body["outcome"], &json!({"state": "aborted", "by": {"type": "crash"}}));
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
    nothing_owed(&server).await;
}

#[tokio::test]
async fn a_program_that_is_killed_right_after_the_commit_tells_after_its_start_that_it_was_committed() {
    let mut server = Server::start().await;
    let recorder = Recorder::answering(|call| if is_outcome(call) { Reply::hang() } else { Reply::ok() }).await;
    server.handler(reserving("clients.create", &recorder)).await;
    for name in ["Acme", "Beta", "Gamma"] {
        server.client(name).await;
    }
    server.kill9().await;
    recorder.answer(|_| Reply::ok());
    recorder.forget();
    server.start_again().await;
    let told = outcomes(&recorder, 3).await;
    assert!(told.iter().all(|call| call.body["outcome"]["state"] == "committed" && call.seq() == 1), "{told:#?}");
    nothing_owed(&server).await;
}

#[tokio::test]
async fn an_after_handler_and_a_word_that_is_no_boolean_are_refused() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let refused =
        server.refused("provisioning.handlers.create", with(after("clients.create", &recorder), json!({NOTIFY: true}))).await;
    assert_eq!(refused.fields(), [NOTIFY]);
    let refused =
        server.refused("provisioning.handlers.create", with(before("clients.create", &recorder), json!({NOTIFY: 1}))).await;
    assert_eq!(refused.fields(), [NOTIFY]);
    let shown = server.ok("provisioning.handlers.create", before("clients.create", &recorder)).await;
    assert_eq!(shown[NOTIFY], json!(false));
}

#[tokio::test]
async fn a_reseller_sees_the_outcomes_of_its_own_handlers_only() {
    let server = Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await;
    let gone = Recorder::answering(|call| if is_outcome(call) { Reply::status(410) } else { Reply::ok() }).await;
    let own = server.company("Own", 1).await;
    let (mine, system) = (
        server.handler(with(reserving("clients.create", &gone), json!({"companies_id": own}))).await,
        server.handler(reserving("clients.create", &gone)).await,
    );
    server.ok("clients.create", json!({"name": "Acme", "companies_id": own})).await;
    wait_until("two dead ones", async || owed(&server).await.iter().filter(|row| row["state"] == "dead").count() == 2).await;
    let admin = server.user("own-admin", "admin", json!(own)).await;
    let rows = owed(&admin).await;
    assert_eq!(rows.iter().map(|row| row["handlers_id"].clone()).collect::<Vec<_>>(), [json!(mine)]);
    assert_eq!(admin.ok("provisioning.outcomes.discard", json!({"handlers_id": system})).await, json!({"discarded": 0}));
    assert_eq!(owed(&server).await.len(), 2);
}
