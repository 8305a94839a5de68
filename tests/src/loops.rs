//! Handlers that answer each other through our API: found, cut, and shown with the way they ran; and what only looks like it.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use hookswitch_testkit::{
    ADMIN_KEY, Api, Call, Recorder, Reply, Server, Value, after, api::id, assert_has, json, wait_for, wait_until, with,
};

/// The one loop that is known.
async fn found(api: &Api) -> Value {
    let rows = wait_for("a loop to be shown", async || {
        let rows = api.ok("provisioning.loops.search", json!({})).await;
        rows.get(0).is_some().then_some(rows)
    });
    let rows = rows.await;
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    api.ok("provisioning.loops.get", json!({"id": rows[0]["id"]})).await
}

/// A handler that sets the notes of whatever client it hears of, without a cause, and counts how often that was refused.
async fn setter(
    server: &Server,
    name: &str,
    notes: impl Fn(&Call) -> Option<String> + Send + Sync + 'static,
) -> (i64, Arc<AtomicU32>) {
    let recorder = Recorder::start().await;
    let refused = Arc::new(AtomicU32::new(0));
    let (api, counted, notes) = (server.with_key(ADMIN_KEY), Arc::clone(&refused), Arc::new(notes));
    recorder.answer_later(move |call| {
        let (api, counted, notes) = (api.clone(), Arc::clone(&counted), Arc::clone(&notes));
        async move {
            if let Some(notes) = notes(&call) {
                let update = api.call("clients.update", json!({"id": call.clients_id(), "notes": notes})).await;
                if let Err(refusal) = update {
                    assert_eq!((refusal.code, refusal.word()), (-32022, "cause_too_deep"), "{refusal:?}");
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
            Reply::ok()
        }
    });
    let fields = with(after("clients.update", &recorder), json!({"name": name, "timeout_ms": 20_000}));
    (server.handler(fields).await, refused)
}

#[tokio::test]
async fn a_chain_of_causes_that_is_cut_is_shown_with_its_way() {
    let server = Server::start().await;
    let (one, other) = (Recorder::start().await, Recorder::start().await);
    let mut handlers = Vec::new();
    for (name, recorder) in [("one", &one), ("other", &other)] {
        let api = server.with_key(ADMIN_KEY);
        recorder.answer_later(move |call: Call| {
            let api = api.clone();
            async move {
                let cause = call.header("hookswitch-cause").unwrap().to_owned();
                let notes = format!("{} and on", call.body["data"]["notes"].as_str().unwrap());
                let params = json!({"id": call.clients_id(), "notes": notes});
                let _refused_at_last = api.call_with(&[("hookswitch-cause", &cause)], "clients.update", params).await;
                Reply::ok()
            }
        });
        handlers.push(server.handler(with(after("clients.update", recorder), json!({"name": name}))).await);
    }
    let client = server.client("Acme").await;
    // Only one of them hears of it first.
    server.ok("provisioning.handlers.update", json!({"id": handlers[1], "condition": "event.cause != null"})).await;
    server.ok("clients.update", json!({"id": client, "notes": "on"})).await;
    let found = found(&server).await;
    let expected = json!({"state": "cut", "found_by": "depth", "handlers": handlers, "clients_id": client, "object_id": client,
        "events_id": "clients.update", "companies_id": 1, "count": 1});
    assert_has(&found, &expected);
    let way = found["way"].as_array().unwrap();
    let answered: Vec<&Value> = way.iter().map(|step| &step["handlers"]).collect();
    let (a, b) = (json!([handlers[0]]), json!([handlers[1]]));
    assert_eq!(answered, [&json!([]), &a, &b, &a, &b, &a, &b, &a]);
    assert_has(
        &way[3],
        &json!({"events_id": "clients.update", "object_id": client, "actor": {"type": "user", "login": "admin"}}),
    );
    assert_eq!(server.ok("system.status", json!({})).await["loops"], json!({"cut": 1, "suspected": 0}));
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("hookswitch_loop_refusals_total 1"), "{metrics}");
    let company = server.company("Other", 1).await;
    let stranger = server.user("stranger", "admin", json!(company)).await;
    assert_eq!(stranger.ok("provisioning.loops.search", json!({})).await, json!([]));
    stranger.refused("provisioning.loops.get", json!({"id": id(&found)})).await;
}

#[tokio::test]
async fn before_handlers_that_call_back_about_what_they_are_asked_are_shown_too() {
    let server = Server::start().await;
    let mut handlers = Vec::new();
    for name in ["one", "other"] {
        let (recorder, api) = (Recorder::start().await, server.with_key(ADMIN_KEY));
        recorder.answer_later(move |call: Call| {
            let api = api.clone();
            async move {
                let cause = call.header("hookswitch-cause").unwrap().to_owned();
                let notes = format!("{} and on", call.body["data"]["notes"].as_str().unwrap());
                let params = json!({"id": call.clients_id(), "notes": notes});
                let _whatever = api.call_with(&[("hookswitch-cause", &cause)], "clients.update", params).await;
                Reply::ok()
            }
        });
        // The other one hears of reactions only.
        let condition = if name == "one" { "" } else { "event.cause != null" };
        let handler =
            json!({"name": name, "event": "clients.update", "type": "before", "task": recorder.url(), "condition": condition});
        handlers.push(server.handler(handler).await);
    }
    let client = server.client("Acme").await;
    // Whether it comes to anything does not matter: each waits for the next.
    let _whatever = server.call("clients.update", json!({"id": client, "notes": "on"})).await;
    let found = found(&server).await;
    assert_has(&found, &json!({"state": "cut", "found_by": "depth", "handlers": handlers, "clients_id": client}));
    assert_eq!(found["way"].as_array().unwrap().len(), 8, "{found}");
}

#[tokio::test]
async fn two_handlers_that_answer_each_other_without_a_cause_are_cut_and_a_person_is_not() {
    let server = Server::start().await;
    let unless = |own: &'static str| move |call: &Call| (call.body["object"]["notes"] != own).then(|| own.to_owned());
    let (one, refused) = setter(&server, "one", unless("a")).await;
    let (other, refused_too) = setter(&server, "other", unless("b")).await;
    let client = server.client("Acme").await;
    server.ok("clients.update", json!({"id": client, "notes": "begin"})).await;
    let found = found(&server).await;
    assert_has(&found, &json!({"state": "cut", "found_by": "states", "handlers": [one, other], "clients_id": client}));
    assert!(found["way"].as_array().unwrap().len() > 10, "{found}");
    wait_until("an answer is refused", async || refused.load(Ordering::Relaxed) + refused_too.load(Ordering::Relaxed) > 0).await;
    server.wait_all_delivered().await;
    wait_until("the refusals are counted", async || {
        let row = server.ok("provisioning.loops.get", json!({"id": found["id"]})).await;
        row["count"].as_u64() > Some(1) && row["way"] == found["way"]
    })
    .await;
    // Nothing goes round any more, and whoever answers nobody may write what he likes.
    let before = server.journal(client).await.len();
    wait_until("it is quiet", async || server.journal(client).await.len() == before).await;
    let another = server.client("Another").await;
    server.ok("provisioning.handlers.update", json!({"id": one, "status": "disabled"})).await;
    server.ok("clients.update", json!({"id": another, "notes": "a"})).await;
    server.wait_all_delivered().await;
    assert_eq!(server.ok("clients.get", json!({"id": another})).await["notes"], "b");
}

#[tokio::test]
async fn a_script_in_a_loop_with_itself_is_cut() {
    let server = Server::start().await;
    let lines = "#!/usr/bin/env python3\nimport json, sys, urllib.error, urllib.request\nurl, key = sys.argv[1:]\n\
        for line in sys.stdin:\n\
        \x20   request = json.loads(line)\n    object = request['payload']['object']\n\
        \x20   params = {'id': object['id'], 'notes': 'off' if object['notes'] == 'on' else 'on'}\n\
        \x20   body = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'clients.update', 'params': params}).encode()\n\
        \x20   urllib.request.urlopen(urllib.request.Request(url, body, {'Content-Type': 'application/json', 'X-Api-Key': key})).read()\n\
        \x20   print(json.dumps({'call': request['call']}), flush=True)\n";
    server.scripts().add("toggle.py", lines);
    let handler = json!({"name": "toggle", "event": "clients.update", "task": "script://toggle.py", "mode": "worker",
        "args": [format!("{}/api/", server.base()), ADMIN_KEY], "timeout_ms": 20_000});
    let handler = server.handler(handler).await;
    let client = server.client("Acme").await;
    server.ok("clients.update", json!({"id": client, "notes": "on"})).await;
    let found = found(&server).await;
    assert_has(&found, &json!({"state": "cut", "found_by": "states", "handlers": [handler], "clients_id": client}));
    server.wait_all_delivered().await;
}

#[tokio::test]
async fn what_goes_on_with_ever_new_values_is_shown_and_let_run() {
    let server = Server::start().await;
    let next = |call: &Call| {
        call.body["object"]["notes"].as_str().and_then(|notes| notes.parse::<u64>().ok()).map(|number| (number + 1).to_string())
    };
    let (handler, refused) = setter(&server, "counter", next).await;
    let client = server.client("Acme").await;
    server.ok("clients.update", json!({"id": client, "notes": "0"})).await;
    let found = found(&server).await;
    assert_has(&found, &json!({"state": "suspected", "found_by": "rate", "handlers": [handler], "clients_id": client}));
    let number =
        async || server.ok("clients.get", json!({"id": client})).await["notes"].as_str().unwrap().parse::<u64>().unwrap();
    let seen = number().await;
    wait_until("it goes on", async || number().await > seen).await;
    assert_eq!(refused.load(Ordering::Relaxed), 0);
    assert_eq!(server.ok("system.status", json!({})).await["loops"], json!({"cut": 0, "suspected": 1}));
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
}

#[tokio::test]
async fn while_one_clients_calls_are_held_another_clients_event_is_told_at_once() {
    let server = Server::start().await;
    let (answering, api, turn) = (Recorder::start().await, server.with_key(ADMIN_KEY), AtomicU32::new(0));
    // The slower it goes round, the longer it is held.
    answering.answer_later(move |call: Call| {
        let notes = if turn.fetch_add(1, Ordering::Relaxed) % 2 == 0 { "off" } else { "on" };
        let api = api.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let _refused_at_last = api.call("clients.update", json!({"id": call.clients_id(), "notes": notes})).await;
            Reply::ok()
        }
    });
    let watching = Recorder::start().await;
    server.handler(with(after("clients.update", &answering), json!({"name": "answering"}))).await;
    let narrow = json!({"name": "watching", "concurrency": 1});
    server.handler(with(after(json!(["clients.update", "clients.create"]), &watching), narrow)).await;
    let client = server.client("Goes round").await;
    server.ok("clients.update", json!({"id": client, "notes": "on"})).await;
    let longest = |calls: &[Call]| {
        let gaps = calls.windows(2).map(|pair| (pair[1].at.saturating_duration_since(pair[0].at), pair[0].at, pair[1].at));
        gaps.max()
    };
    // Others come all the time, until a hold is over.
    let mut others = 0;
    let (held, from, to) = wait_for("its calls to be held", async || {
        others += 1;
        server.client(&format!("Another {others}")).await;
        let calls = watching.calls().into_iter().filter(|call| call.clients_id() == client).collect::<Vec<_>>();
        longest(&calls).filter(|(gap, ..)| *gap > Duration::from_millis(500))
    })
    .await;
    let meanwhile: Vec<Call> = watching.calls().into_iter().filter(|call| (from..=to).contains(&call.at)).collect();
    let (silence, ..) = longest(&meanwhile).unwrap();
    // Were the others held too, it would be just as long.
    assert!(10 * silence < 9 * held, "nobody heard of anything for {silence:?}, while one was held for {held:?}");
    assert!(meanwhile.len() > 4, "{}", meanwhile.len());
}

#[tokio::test]
async fn a_busy_job_that_sets_one_client_to_and_fro_is_never_cut() {
    let server = Server::start().await;
    let (quick, slow) = (Recorder::start().await, Recorder::start().await);
    slow.answer_later(|_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Reply::ok()
    });
    server.handler(after("clients.update", &quick)).await;
    server.handler(with(after("clients.update", &slow), json!({"ordering": "none"}))).await;
    let client = server.client("Acme").await;
    let begun = std::time::Instant::now();
    let mut count = 0;
    // Long enough for whatever could be tried out.
    while begun.elapsed().as_secs() < 4 {
        server.ok("clients.update", json!({"id": client, "notes": if count % 2 == 0 { "to" } else { "fro" }})).await;
        count += 1;
    }
    assert!(count > 200, "{count}");
    server.wait_all_delivered().await;
    assert_eq!(server.ok("provisioning.loops.search", json!({})).await, json!([]));
}
