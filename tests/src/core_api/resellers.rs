//! A key sees and touches the objects of its reseller and those below it; others answer *not found*.
use hookswitch_testkit::{Api, Recorder, Reply, Server, api::id, assert_has, ids, json};

/// Two resellers, each with an admin and a client: `(server, lower admin, its company, its client, the Default's client)`.
async fn two_resellers(server: &Server) -> (Api, i64, i64, i64) {
    let company = server.company("Lower", 1).await;
    let admin = server.user("lower", "admin", json!(company)).await;
    let own = admin.client("Own").await;
    let other = server.client("Other").await;
    (admin, company, own, other)
}

#[tokio::test]
async fn a_key_sees_its_own_reseller_and_those_below_only() {
    let server = Server::start().await;
    let (admin, company, own, other) = two_resellers(&server).await;
    let below = server.company("Below", company).await;
    let child = id(&server.ok("clients.create", json!({"name": "Child", "companies_id": below})).await);
    assert_eq!(admin.ok("clients.get", json!({"id": own})).await["companies_id"], json!(company));
    assert_eq!(ids(&admin.ok("clients.search", json!({"order": ["id"]})).await), [own, child]);
    assert_eq!(admin.ok("clients.search", json!({"with_total": true})).await["total"], json!(2));
    assert_eq!(ids(&server.ok("clients.search", json!({"order": ["id"]})).await), [own, other, child]);
    admin.ok("clients.update", json!({"id": child, "notes": "seen"})).await;
}

#[tokio::test]
async fn objects_of_another_reseller_are_not_found_whatever_is_asked() {
    let server = Server::start().await;
    let (admin, ..) = two_resellers(&server).await;
    let other = server.client("Third").await;
    let account = server.account(other, "acme").await;
    let payment = id(&server.pay(other, "1").await);
    for (method, params) in [
        ("clients.get", json!({"id": other})),
        ("clients.update", json!({"id": other, "name": "stolen"})),
        ("clients.archive", json!({"id": other})),
        ("clients.delete", json!({"id": other, "force": true})),
        ("clients.accounts.get", json!({"id": account})),
        ("clients.accounts.update", json!({"id": account, "name": "stolen"})),
        ("clients.accounts.delete", json!({"id": account})),
        ("accounting.transactions.get", json!({"id": payment})),
        ("companies.get", json!({"id": 1})),
        ("users.get", json!({"id": 1})),
    ] {
        let (here, nowhere) = (admin.refused(method, params.clone()).await, {
            let mut absent = params;
            absent["id"] = json!(999_999);
            admin.refused(method, absent).await
        });
        assert_eq!((here.code, here.word()), (-32004, "not_found"), "{method}");
        assert_eq!(
            here.message.replace(&here.data["object_id"].to_string(), "N"),
            nowhere.message.replace("999999", "N"),
            "{method}"
        );
    }
    for method in ["accounting.transactions.search", "provisioning.events.search", "provisioning.deliveries.search"] {
        assert_eq!(admin.ok(method, json!({"clients_id": other})).await, json!([]), "{method}");
    }
    let payment = json!({"clients_id": other, "type": "payment", "amount": 1});
    assert_eq!(admin.refused("accounting.transactions.create", payment).await.fields(), ["clients_id"]);
    let account = json!({"clients_id": other, "name": "a", "auth_type": "name", "accname": "mine"});
    assert_eq!(admin.refused("clients.accounts.create", account).await.fields(), ["clients_id"]);
    assert_eq!(admin.refused("clients.create", json!({"name": "x", "companies_id": 1})).await.fields(), ["companies_id"]);
}

#[tokio::test]
async fn a_reseller_makes_users_of_his_own_reseller_only() {
    let server = Server::start().await;
    let (admin, company, ..) = two_resellers(&server).await;
    let user = |login: &str, company: i64| json!({"login": login, "role": "operator", "companies_id": company, "password": "a long enough password"});
    assert_eq!(admin.ok("users.create", user("mine", company)).await["companies_id"], json!(company));
    assert_eq!(admin.refused("users.create", user("theirs", 1)).await.fields(), ["companies_id"]);
    let whole = json!({"login": "whole", "role": "admin", "companies_id": null, "password": "a long enough password"});
    assert_eq!(admin.refused("users.create", whole).await.fields(), ["companies_id"]);
    let rows = admin.ok("users.search", json!({})).await;
    assert!(rows.as_array().unwrap().iter().all(|user| user["companies_id"] == json!(company)), "{rows}");
}

#[tokio::test]
async fn a_reseller_makes_handlers_of_his_own_reseller_only_and_no_scripts() {
    let server = Server::start().await;
    server.scripts().shell("ok.sh", "exit 0");
    let (admin, company, ..) = two_resellers(&server).await;
    let handler = |more: &str, value| {
        let mut fields = json!({"name": "h", "event": "clients.create", "task": "https://example.org/hook"});
        fields[more] = value;
        fields
    };
    let made = admin.ok("provisioning.handlers.create", handler("notes", json!("mine"))).await;
    assert_eq!(made["companies_id"], json!(company));
    for wrong in [json!(1), json!(null)] {
        assert_eq!(
            admin.refused("provisioning.handlers.create", handler("companies_id", wrong)).await.fields(),
            ["companies_id"]
        );
    }
    let mut refusals = Vec::new();
    for name in ["ok.sh", "absent.sh"] {
        refusals.push(admin.refused("provisioning.handlers.create", handler("task", json!(format!("script://{name}")))).await);
    }
    assert_eq!(refusals[0].word(), "access-denied");
    assert_eq!(refusals[0].message, refusals[1].message, "which scripts there are is not told");
}

#[tokio::test]
async fn of_a_system_handler_a_reseller_sees_id_and_name() {
    let server = Server::start().await;
    let (admin, ..) = two_resellers(&server).await;
    let fields = json!({"name": "fraud", "event": "clients.create", "type": "before", "task": "http://127.0.0.1:9/secret-path",
        "headers": {"X-Token": "hidden-token"}, "notes": "hidden-notes", "status": "disabled"});
    let system = server.handler(fields).await;
    let rows = admin.ok("provisioning.handlers.search", json!({})).await;
    for shown in
        [rows.to_string(), admin.call("provisioning.handlers.get", json!({"id": system})).await.unwrap_or_default().to_string()]
    {
        assert!(!shown.contains("secret-path") && !shown.contains("hidden"), "{shown}");
    }
    let refusal = admin.refused("provisioning.handlers.update", json!({"id": system, "name": "mine"})).await;
    assert!([-32003, -32004].contains(&refusal.code), "{refusal:?}");
    let refusal = admin.refused("provisioning.handlers.delete", json!({"id": system})).await;
    assert!([-32003, -32004].contains(&refusal.code), "{refusal:?}");
}

#[tokio::test]
async fn a_handler_of_a_reseller_gets_the_events_of_his_clients_only() {
    let server = Server::start().await;
    let company = server.company("Lower", 1).await;
    let below = server.company("Below", company).await;
    let recorder = Recorder::start().await;
    let mut handler = json!({"name": "lower", "event": "clients.create", "task": recorder.url(), "companies_id": company});
    assert_eq!(
        server.refused("provisioning.handlers.create", handler.clone()).await.fields(),
        ["task"],
        "an address of this machine"
    );
    // A name can be saved: where it leads is found out at each call.
    handler["task"] = json!(format!("http://localhost:{}/hook", recorder.port()));
    server.handler(handler).await;
    server.client("Not his").await;
    for (name, company) in [("His", company), ("Below him", below)] {
        server.ok("clients.create", json!({"name": name, "companies_id": company})).await;
    }
    // A handler bound to a reseller may reach public addresses only: both of its deliveries fail, the third is not there.
    let rows = server.wait_log(json!({"events_id": "clients.create"}), 2).await;
    for row in &rows {
        assert_has(row, &json!({"status": "failed", "handlers_name": "lower"}));
    }
    assert!(recorder.calls().is_empty());
}

#[tokio::test]
async fn a_handler_of_a_reseller_reaches_the_networks_that_the_operator_has_opened() {
    let server = Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await;
    let company = server.company("Lower", 1).await;
    let recorder = Recorder::start().await;
    server.handler(json!({"name": "lower", "event": "clients.create", "task": recorder.url(), "companies_id": company})).await;
    server.ok("clients.create", json!({"name": "His", "companies_id": company})).await;
    assert_eq!(recorder.wait_exactly(1).await[0].event("companies_id"), &json!(company));
}

#[tokio::test]
async fn of_the_calls_to_somebody_elses_handler_a_reseller_sees_the_verdict_only() {
    let server = Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await;
    let upper = server.company("Upper", 1).await;
    let lower = server.company("Lower", upper).await;
    let (boss, admin) = (server.user("boss", "admin", json!(upper)).await, server.user("lower", "admin", json!(lower)).await);
    let recorder = Recorder::answering(|_| Reply::text(500, "state of the upper one's crm")).await;
    let fields =
        json!({"name": "crm", "event": "clients.create", "type": "before", "on_failure": "allow", "task": recorder.url()});
    let handler = id(&boss.ok("provisioning.handlers.create", fields).await);
    let client = admin.client("His").await;
    let own = boss.wait_log(json!({"clients_id": client}), 1).await.remove(0);
    let seen = admin.wait_log(json!({"clients_id": client}), 1).await.remove(0);
    assert_has(
        &seen,
        &json!({"handlers_id": handler, "handlers_name": "crm", "status": "failed", "error": null, "response_status": null}),
    );
    let whole = admin.ok("provisioning.executions.get", json!({"id": seen["id"]})).await;
    assert_has(&whole, &json!({"request": null, "response": null, "changes": null}));
    for telling in [
        json!({"clients_id": client, "q": "*state of the upper*"}),
        json!({"response_status": 500}),
        json!({"order": ["duration_ms"]}),
        json!({"order": ["-response"]}),
    ] {
        assert_eq!(admin.log(telling.clone()).await.len(), 0, "{telling}");
    }
    let whole = boss.ok("provisioning.executions.get", json!({"id": own["id"]})).await;
    assert!(whole["response"].to_string().contains("state of the upper"));
    boss.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    let kept = boss.ok("provisioning.executions.get", json!({"id": own["id"]})).await;
    assert!(kept["response"].to_string().contains("state of the upper"), "deleting a handler keeps its log: {kept}");
}
