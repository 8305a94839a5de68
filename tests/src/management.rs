//! The Management API: a thin face over the same actions, with sessions, names and replies of its own.
use hookswitch_testkit::{ADMIN_PASSWORD, Answer, Recorder, Reply, Server, Value, after, before, json, with};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A program that speaks it, signed in.
struct Program<'a> {
    server: &'a Server,
    session: String,
}

async fn post(server: &Server, body: Value) -> Answer {
    server.try_post("/jsonrpc/", &[("x-api-key", "")], body.to_string()).await.unwrap()
}

async fn sign_in<'a>(server: &'a Server, login: &str, password: &str) -> Program<'a> {
    let auth = json!({"login": login, "password": password});
    let answer = post(server, json!({"id": 1, "method": "clients.list", "params": {"auth": auth}})).await.json();
    assert_eq!(answer["result"]["code"], true, "{answer}");
    Program { server, session: answer["result"]["session_id"].as_str().unwrap().to_owned() }
}

impl Program<'_> {
    async fn result(&self, method: &str, params: Value) -> Value {
        let params = with(json!({"SID": self.session}), params);
        let answer = post(self.server, json!({"jsonrpc": "2.0", "id": "7", "method": method, "params": params})).await.json();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!("7")));
        assert_eq!(answer["result"]["session_id"], self.session.as_str(), "{answer}");
        answer["result"].clone()
    }

    async fn ok(&self, method: &str, params: Value) -> Value {
        let result = self.result(method, params).await;
        assert_eq!((&result["code"], &result["errors"]), (&json!(true), &json!([])), "{method}: {result}");
        result["return"].clone()
    }

    async fn refused(&self, method: &str, params: Value) -> Value {
        let result = self.result(method, params).await;
        assert_eq!((&result["code"], &result["return"]), (&json!(false), &json!({})), "{method}: {result}");
        result
    }
}

#[tokio::test]
async fn a_client_lives_its_life_through_the_actions() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after("clients.*", &told)).await;
    let program = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    let form = program.ok("clients.addForm", json!({})).await;
    assert!(
        form["fields"].as_array().unwrap().iter().any(|field| field["name"] == "name" && field["required"] == true),
        "{form}"
    );
    let id = program.ok("clients.add", json!({"apply": 1, "name": "Acme", "credit": "10.50", "id_companies": "1"})).await["id"]
        .clone();
    let shown = program.ok("clients.editForm", json!({"id_clients": id})).await["client"].clone();
    assert_eq!((&shown["name"], &shown["id_clients"], &shown["id_companies"]), (&json!("Acme"), &id, &json!(1)), "{shown}");
    assert_eq!(shown["credit"].to_string(), "10.5");
    program.ok("clients.edit", json!({"id": id, "apply": "1", "notes": "n"})).await;
    let rows = program.ok("clients.list", json!({"q": "acm"})).await;
    assert_eq!((&rows["rows"][0]["notes"], &rows["total"]), (&json!("n"), &json!(1)));

    let account = json!({"apply": 1, "id_clients": id, "auth_type": "name", "accname": "acme", "password": "secret"});
    let account = program.ok("accounts.add", account).await["id"].clone();
    program.ok("accounts.edit", json!({"apply": 1, "id_accounts": account, "notes": "a"})).await;
    let shown = program.ok("accounts.editForm", json!({"id_accounts": account})).await["account"].clone();
    assert_eq!((&shown["id_clients"], &shown["notes"]), (&id, &json!("a")));
    assert_eq!(program.ok("accounts.list", json!({"id_clients": id})).await["rows"].as_array().unwrap().len(), 1);
    program.ok("accounts.delete", json!({"apply": 1, "id_accounts": account})).await;

    let package = json!({"apply": 1, "name": "Basic", "period": "P1M", "activation_fee": 1, "periodical_fee": "2.25"});
    let package = program.ok("packages.add", package).await["id"].clone();
    program.ok("packages.edit", json!({"apply": 1, "id": package, "notes": "p"})).await;
    assert_eq!(program.ok("packages.editForm", json!({"id": package})).await["package"]["periodical_fee"], json!(2.25));
    let row = program.ok("packages.list", json!({})).await["rows"][0].clone();
    for name in ["id", "name", "period", "activation_fee", "periodical_fee"] {
        assert!(!row[name].is_null(), "{name}: {row}");
    }
    let held =
        program.ok("clients.packagesAdd", json!({"apply": 1, "id_clients": id, "id_packages": package})).await["id"].clone();
    let row = program.ok("clients.packagesList", json!({"id_clients": id})).await["rows"][0].clone();
    assert_eq!((&row["id_packages"], &row["package_name"], &row["period"]), (&package, &json!("Basic"), &json!("P1M")), "{row}");
    for name in ["activation_dt", "expire_dt", "activation_fee", "periodical_fee"] {
        assert!(row.get(name).is_some(), "{name}: {row}");
    }
    program.ok("clients.packagesClose", json!({"apply": 1, "id": held})).await;

    program.ok("transactions.add", json!({"apply": 1, "id_clients": id, "type": "payment", "amount": "0.10"})).await;
    let row = program.ok("transactions.list", json!({"id_clients": id, "type": "payment"})).await["rows"][0].clone();
    assert_eq!((row["amount"].to_string(), &row["id_clients"]), ("0.1".to_owned(), &id));

    server.ok("custom_fields.create", json!({"object_type": "clients", "key": "vat", "title": "VAT", "companies_id": 1})).await;
    program.ok("clients.fieldsUpdate", json!({"apply": 1, "id_clients": id, "fields": {"vat": "DE1"}})).await;
    let fields = program.ok("clients.fieldsList", json!({"id_clients": id})).await;
    assert_eq!((&fields["fields"]["vat"], &fields["rows"][0]["title"]), (&json!("DE1"), &json!("VAT")), "{fields}");

    program.ok("clients.archive", json!({"apply": 1, "id_clients": id})).await;
    program.ok("clients.delete", json!({"apply": 1, "id_clients": id, "force": "true"})).await;
    server.wait_all_delivered().await;
    let told: Vec<_> = told.calls().iter().map(|call| call.events_id().to_owned()).collect();
    for event in ["clients.create", "clients.update", "clients.custom_fields.update", "clients.archive", "clients.delete"] {
        assert!(told.iter().any(|name| name == event), "{event}: the same events as through any other door: {told:?}");
    }
}

#[tokio::test]
async fn handlers_are_saved_shown_and_deleted_and_what_they_say_is_in_the_messages() {
    let server = Server::start().await;
    let program = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    let asked = Recorder::answering(|_| Reply::json(&json!({"warnings": ["mind the gap"]}))).await;
    let handler = with(before("clients.create", &asked), json!({"apply": 1}));
    let saved = program.ok("provisioning.add", handler).await;
    assert!(saved["secret"].as_str().unwrap().starts_with("whsec_"), "{saved}");
    let warned = program.result("clients.add", json!({"apply": 1, "name": "Acme"})).await;
    assert_eq!((&warned["code"], &warned["messages"]), (&json!(true), &json!(["mind the gap"])));
    asked.answer(|_| Reply::json(&json!({"verdict": "forbid", "message": "not this one", "field": "name"})));
    let refused = program.refused("clients.add", json!({"apply": 1, "name": "Beta"})).await;
    assert_eq!(refused["messages"], json!(["not this one"]));
    assert_eq!(refused["errors"], json!([{"field": "name", "message": "not this one"}]));
    let id = &saved["id"];
    server.wait_log(json!({"handlers_id": id}), 2).await;
    let logs = program.ok("provisioning.logs", json!({"id": id})).await["rows"].clone();
    assert_eq!((&logs[0]["status"], &logs[0]["id_handlers"]), (&json!("forbidden"), id), "{logs}");
    program.ok("provisioning.edit", json!({"apply": 1, "id": id, "status": "disabled"})).await;
    assert_eq!(program.ok("provisioning.editForm", json!({"id": id})).await["handler"]["status"], "disabled");
    program.ok("provisioning.addForm", json!({})).await;
    program.ok("provisioning.delete", json!({"apply": 1, "id": id})).await;
    assert_eq!(program.ok("provisioning.list", json!({})).await["rows"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_callers_names_and_changes_nothing() {
    let server = Server::start().await;
    let program = sign_in(&server, "admin", ADMIN_PASSWORD).await;
    let refused = program.refused("clients.add", json!({"name": "Acme"})).await;
    assert_eq!(refused["errors"][0]["field"], "apply");
    let refused = program.refused("accounts.add", json!({"apply": 1, "id_clients": "x", "surprise": 1})).await;
    let fields: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"id_clients") && fields.contains(&"surprise"), "{refused}");
    assert!(refused["messages"][0].as_str().unwrap().contains(' '), "in words: {refused}");
    let missing = program.refused("clients.editForm", json!({"id_clients": 999})).await;
    assert!(missing["messages"][0].as_str().unwrap().starts_with("not_found"), "{missing}");
    assert_eq!(program.ok("clients.list", json!({})).await["total"], 0);
}

#[tokio::test]
async fn who_may_what_is_decided_as_everywhere() {
    let server = Server::start().await;
    let other = server.ok("companies.create", json!({"name": "Other"})).await["id"].clone();
    let reader = json!({"login": "eve", "password": "password of eve", "role": "readonly", "companies_id": other});
    server.ok("users.create", reader).await;
    let foreign = server.client("Acme").await;
    let eve = sign_in(&server, "eve", "password of eve").await;
    assert_eq!(eve.ok("clients.list", json!({})).await["total"], 0);
    assert!(
        eve.refused("clients.editForm", json!({"id_clients": foreign})).await["messages"][0]
            .as_str()
            .unwrap()
            .starts_with("not_f")
    );
    for (action, params) in [("clients.add", json!({"apply": 1, "name": "x"})), ("provisioning.addForm", json!({}))] {
        let refused = eve.refused(action, params).await;
        assert!(refused["messages"][0].as_str().unwrap().starts_with("access-denied"), "{refused}");
    }
    for params in [json!({}), json!({"SID": "0"}), json!({"auth": {"login": "eve", "password": "wrong"}}), json!({"auth": 7})] {
        let answer = post(&server, json!({"id": 1, "method": "clients.list", "params": params})).await.json();
        assert_eq!(answer["result"]["code"], false);
        assert!(answer["result"]["messages"][0].as_str().unwrap().starts_with("auth-failed"), "{answer}");
    }
    let key = server.try_post("/jsonrpc/", &[], r#"{"id":1,"method":"clients.list"}"#).await.unwrap().json();
    assert_eq!(key["result"]["code"], false, "a key is none of its ways in: {key}");
}

#[tokio::test]
async fn what_is_no_call_is_answered_as_such() {
    let server = Server::start().await;
    for (body, code) in [
        ("", -32700),
        ("[]", -32600),
        ("7", -32600),
        (r#"{"id":1}"#, -32600),
        (r#"{"id":1,"method":7}"#, -32600),
        (r#"{"id":1,"method":"clients.list","params":[1,2]}"#, -32600),
        (r#"{"id":1,"method":"clients.nothing"}"#, -32601),
        (r#"{"id":1,"method":"clients.create"}"#, -32601),
    ] {
        let answer = server.try_post("/jsonrpc/", &[], body).await.unwrap().json();
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
    }
    let listed = json!([{"auth": {"login": "admin", "password": ADMIN_PASSWORD}}]);
    let answer =
        server.try_post("/jsonrpc", &[], json!({"method": "clients.list", "params": listed}).to_string()).await.unwrap().json();
    assert_eq!(answer["result"]["code"], true, "one object in a list will do: {answer}");
}

async fn file(server: &Server, path: &str, form: &str) -> Answer {
    server.try_post(&format!("/admin/{path}"), &[FORM, ("x-api-key", "")], form).await.unwrap()
}

#[tokio::test]
async fn lists_come_as_files_of_any_length() {
    let server = Server::start().await;
    let client = server.client("=HYPERLINK(\"x\"), Ąę \"q\"").await;
    for number in 0..1_005 {
        let payment = json!({"clients_id": client, "type": "payment", "amount": 0.01, "notes": format!("n {number}")});
        server.ok("accounting.transactions.create", payment).await;
    }
    let auth = format!("__api=1&auth[login]=admin&auth%5Bpassword%5D={}", ADMIN_PASSWORD.replace(' ', "+"));
    let clients = file(&server, "clients/list", &auth).await;
    assert_eq!(
        (clients.status, clients.header("x-vcs-status"), clients.header("content-type")),
        (200, "", "text/csv; charset=utf-8")
    );
    let mut lines = clients.text.lines();
    assert!(lines.next().unwrap().starts_with("id,id_clients,name,id_companies,"), "{}", clients.text);
    assert!(lines.next().unwrap().contains(r#""'=HYPERLINK(""x""), Ąę ""q""""#), "{}", clients.text);
    let session = sign_in(&server, "admin", ADMIN_PASSWORD).await.session;
    let rows = file(&server, "transactions/list", &format!("__api=1&SID={session}&id_clients={client}")).await.text;
    assert_eq!(rows.lines().count(), 1_006, "no page is forgotten, none comes twice");
    assert!(rows.contains(",0.01,") && rows.contains("n 1004"));
    for (path, form) in [
        ("clients/list", String::new()),
        ("clients/nothing", auth.clone()),
        ("clients/add", auth.clone()),
        ("clients/list", format!("{auth}&surprise=1")),
        ("clients/list", "auth[login]=admin&auth[password]=wrong".to_owned()),
    ] {
        let refused = file(&server, path, &form).await;
        assert!(refused.header("x-vcs-status") == "error" && refused.text.len() > 10, "{path} {form}: {refused:?}");
    }
}
