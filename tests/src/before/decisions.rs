//! What a reply means: allow or forbid, in every form of the contract.
use hookswitch_testkit::{Recorder, Reply, RpcError, Server, Value, after, assert_has, before, json, with};

/// A server whose `clients.create` is decided by `reply`; the refusal of a create, and the handler's id.
async fn refused_by(server: &Server, recorder: &Recorder, reply: Reply) -> RpcError {
    recorder.answer(move |_| reply.clone());
    let refusal = server.refused("clients.create", json!({"name": "Acme"})).await;
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]), "nothing was changed");
    refusal
}

#[tokio::test]
async fn these_replies_allow_the_action_unchanged() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(before("clients.create", &recorder)).await;
    let allow = json!({"verdict": "allow"});
    let replies = [
        Reply::ok(),
        Reply::status(201),
        Reply::status(202),
        Reply::status(204),
        Reply::json(&json!({})),
        Reply::json(&allow),
        Reply::text(201, allow.to_string()),
        Reply::text(202, "{}"),
        Reply::json(&json!({"data": {}})),
        Reply::json(&json!({"warnings": []})),
        Reply::text(200, " {}\n").header("content-type", "text/html"),
    ];
    for (index, reply) in replies.into_iter().enumerate() {
        let shown = format!("{reply:?}");
        recorder.answer(move |_| reply.clone());
        let name = format!("client {index}");
        let answer = server.whole("clients.create", json!({"name": name, "credit": 5})).await;
        assert_has(&answer["result"], &json!({"name": name, "credit": 5}));
        assert!(answer.get("warnings").is_none_or(|warnings| warnings == &json!([])), "{shown}: {answer}");
    }
    recorder.answer(Reply::echo);
    assert_eq!(server.ok("clients.create", json!({"name": "echo", "credit": 5})).await["name"], "echo");
    let rows = server.wait_log(json!({"stage": "before"}), 12).await;
    assert!(rows.iter().all(|row| row["status"] == "success"), "{rows:#?}");
}

#[tokio::test]
async fn a_forbidding_verdict_reaches_the_caller_with_message_code_and_field() {
    let server = Server::start().await;
    let (recorder, told) = (Recorder::start().await, Recorder::start().await);
    let handler = server.handler(with(before("clients.create", &recorder), json!({"name": "fraud"}))).await;
    server.handler(after("clients.create", &told)).await;
    let verdict =
        json!({"verdict": "forbid", "message": "prefix not ours", "code": "E7", "field": "name", "data": {"name": "X"}});
    let refusal = refused_by(&server, &recorder, Reply::json(&verdict)).await;
    assert_eq!((refusal.code, refusal.message.as_str()), (-32022, "forbidden_by_handler: prefix not ours"));
    let expected = json!({
        "code": "forbidden_by_handler", "message": "prefix not ours", "handler": {"id": handler, "name": "fraud"},
        "field": "name", "handler_code": "E7",
    });
    assert_has(&refusal.data, &expected);
    assert_eq!(refused_by(&server, &recorder, Reply::json(&json!({"verdict": "forbid"}))).await.word(), "forbidden_by_handler");
    let rows = server.wait_log(json!({"handlers_id": handler}), 2).await;
    assert!(rows.iter().all(|row| row["status"] == "forbidden"), "{rows:#?}");
    assert_eq!(server.ok("provisioning.events.search", json!({})).await, json!([]));
    assert!(told.calls().is_empty());
}

#[tokio::test]
async fn the_forbidding_statuses_take_their_words_from_json_or_from_text() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(before("clients.create", &recorder)).await;
    for status in [400, 403, 409, 422] {
        let reply = Reply::text(status, json!({"message": "not him", "code": "C1", "field": "name"}).to_string());
        let refusal = refused_by(&server, &recorder, reply).await;
        assert_has(
            &refusal.data,
            &json!({"code": "forbidden_by_handler", "message": "not him", "handler_code": "C1", "field": "name"}),
        );
        let refusal = refused_by(&server, &recorder, Reply::text(status, "plain words")).await;
        assert_has(&refusal.data, &json!({"code": "forbidden_by_handler", "message": "plain words"}));
        assert_eq!(refused_by(&server, &recorder, Reply::status(status)).await.word(), "forbidden_by_handler");
    }
}

#[tokio::test]
async fn a_message_is_cut_to_500_characters() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(before("clients.create", &recorder)).await;
    let refusal = refused_by(&server, &recorder, Reply::json(&json!({"verdict": "forbid", "message": "ż".repeat(2000)}))).await;
    let message = refusal.data["message"].as_str().unwrap();
    assert!(message.chars().count() <= 500 && message.starts_with(&"ż".repeat(490)), "{} characters", message.chars().count());
}

#[tokio::test]
async fn warnings_of_an_allowing_handler_reach_the_caller() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(before("clients.create", &recorder)).await;
    for (index, body) in [
        json!({"warnings": ["credit is high"]}),
        json!({"verdict": "allow", "warnings": ["credit is high"]}),
        json!({"data": {"notes": "n"}, "warnings": ["credit is high"]}),
    ]
    .into_iter()
    .enumerate()
    {
        recorder.answer(move |_| Reply::json(&body));
        let answer = server.whole("clients.create", json!({"name": format!("c{index}")})).await;
        assert_eq!(answer["warnings"], json!(["credit is high"]), "{answer}");
        assert!(answer["result"].is_object());
    }
}

#[tokio::test]
async fn forbidding_works_for_every_event_that_has_a_before_stage() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    let events = [
        "clients.create",
        "clients.update",
        "clients.delete",
        "clients.archive",
        "clients.accounts.create",
        "clients.accounts.update",
        "clients.accounts.delete",
    ];
    server.handler(before(json!(events), &recorder)).await;
    recorder.answer(|_| Reply::status(403));
    let account_fields = json!({"clients_id": client, "name": "b", "auth_type": "name", "accname": "b"});
    let actions: [(&str, Value); 8] = [
        ("clients.create", json!({"name": "b"})),
        ("clients.update", json!({"id": client, "name": "b"})),
        ("clients.delete", json!({"id": client})),
        ("clients.accounts.create", account_fields),
        ("clients.accounts.update", json!({"id": account, "name": "b"})),
        ("clients.accounts.delete", json!({"id": account})),
        ("clients.archive", json!({"id": client})),
        ("clients.unarchive", json!({"id": client})),
    ];
    for (method, params) in actions {
        if method == "clients.unarchive" {
            // An active client has nothing to come back from; it is asked as an update once it is archived.
            recorder.answer(|_| Reply::ok());
            server.ok("clients.archive", json!({"id": client})).await;
            recorder.answer(|_| Reply::status(403));
        }
        assert_eq!(server.refused(method, params).await.word(), "forbidden_by_handler", "{method}");
    }
    assert_eq!(server.ok("clients.get", json!({"id": client})).await["status"], "archived");
    assert_eq!(server.ok("clients.accounts.get", json!({"id": account})).await["name"], "acme");
}
