//! Own statements: values are bound, mistakes are found when a handler is saved, a trial leaves nothing behind, and the log tells all
//! but secrets.
use hookswitch_testkit::{Server, Value, json, with};

use super::{DOMAIN, handler, target::Target};

const EVIL: &str = "x'); DROP TABLE names; --";

async fn values_are_only_values(target: Target) {
    let server = Server::start().await;
    target.run(&[
        "CREATE TABLE names (id INT PRIMARY KEY, name VARCHAR(255), credit DECIMAL(15,6), active INT, notes VARCHAR(255))"
            .to_owned(),
    ]);
    let insert = "INSERT INTO names (id, name, credit, active, notes)
        VALUES ({{object.id}}, {{object.name}}, {{object.credit}}, {{object.status == 'active' ? 1 : 0}}, {{object.notes}});";
    let settings = json!({"statements": {"clients.*": [insert]}});
    let switch = server.handler(handler(&target, json!("clients.create"), settings)).await;
    server.ok("clients.create", json!({"name": EVIL, "credit": 12.5})).await;
    let row = server.wait_log(json!({"handlers_id": switch, "status": "success"}), 1).await.remove(0);
    let found = target.rows("SELECT name, credit * 10, active, COALESCE(notes, 'none') FROM names").remove(0);
    assert_eq!((found[0].as_str(), found[1].parse(), found[2].as_str(), found[3].as_str()), (EVIL, Ok(125.0), "1", "none"));
    let told = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await;
    let told: Value = told["response"].as_str().unwrap().parse().unwrap();
    assert_eq!(told["applied"], true);
    assert_eq!((&told["statements"][0]["values"][1], &told["statements"][0]["rows"]), (&json!(EVIL), &json!(1)));
    // A trial does it all, and leaves nothing.
    let tried = server.ok("provisioning.handlers.test", json!({"id": switch, "events_id": "clients.create"})).await;
    assert_eq!(tried["verdict"], "delivered", "{tried}");
    assert!(tried["response"].as_str().unwrap().contains("rolled back"), "{tried}");
    assert_eq!(target.rows("SELECT COUNT(*) FROM names"), [["1"]]);
}

#[tokio::test]
async fn what_somebody_is_called_is_only_a_value_in_postgres() {
    values_are_only_values(Target::postgres()).await;
}

#[tokio::test]
async fn what_somebody_is_called_is_only_a_value_in_mariadb() {
    values_are_only_values(Target::mariadb()).await;
}

#[tokio::test]
async fn what_somebody_is_called_is_only_a_value_in_a_sqlite_file() {
    values_are_only_values(Target::sqlite()).await;
}

#[tokio::test]
async fn a_handler_that_can_not_work_is_refused_naming_what_is_wrong() {
    let (server, target) = (Server::start().await, Target::sqlite());
    let statement = |text: &str| json!({"settings": {"statements": {"clients.create": ["SELECT 1", text]}}});
    let task = |task: String| json!({"task": task, "settings": {"template": "kamailio", "domain": DOMAIN}});
    let data = server.data();
    for (more, field, words) in [
        (statement("INSERT INTO t VALUES ({{client.name}})"), "settings", "clients.create, number 2"),
        (statement("INSERT INTO t VALUES ('{{object.name}}')"), "settings", "leave the quotes out"),
        (statement("DELETE FROM t; DELETE FROM u"), "settings", "one statement"),
        (statement("COMMIT"), "settings", "must begin with one of"),
        (statement("CREATE TABLE t (a INT)"), "settings", "must begin with one of"),
        (json!({"settings": {"statements": {"clients.accounts.create": ["SELECT 1"]}}}), "settings", "does not take"),
        (json!({"settings": {}}), "settings", "template"),
        (json!({"settings": {"template": "kamailio"}}), "settings", "domain"),
        (json!({"settings": {"template": "yate", "domain": "x"}}), "settings", "kamailio, opensips, freeradius, asterisk"),
        (json!({"settings": {"template": "kamailio", "domain": DOMAIN}, "passwords": false}), "passwords", "digests"),
        (task("sql://u@h/d".to_owned()), "task", "which engine"),
        (task("sql://u:p@h/d?engine=mysql".to_owned()), "task", "settings.password"),
        (task("sql://u@169.254.169.254/d?engine=mysql".to_owned()), "task", "never called"),
        (task(format!("sql://{}/x.db?engine=sqlite", data.display())), "task", "own data folder"),
        (json!({"type": "before"}), "type", "told, never asked"),
        (json!({"task": "http://127.0.0.1:1/"}), "settings", "ready-made kinds"),
    ] {
        let fields = with(handler(&target, json!("clients.create"), json!({"template": "kamailio", "domain": DOMAIN})), more);
        let refusal = server.refused("provisioning.handlers.create", fields.clone()).await;
        assert!(refusal.fields().contains(&field.to_owned()), "{fields}: {refusal:?}");
        assert!(format!("{refusal:?}").contains(words), "{words}: {refusal:?}");
    }
}

#[tokio::test]
async fn resellers_reach_neither_files_nor_private_addresses() {
    let (server, target) = (Server::start().await, Target::sqlite());
    let company = server.company("reseller", 1).await;
    let admin = server.user("reseller", "admin", json!(company)).await;
    let settings = json!({"template": "kamailio", "domain": DOMAIN});
    let file = admin.refused("provisioning.handlers.create", handler(&target, json!("clients.*"), settings.clone())).await;
    assert_eq!(file.word(), "access-denied", "{file:?}");
    let near = json!({"name": "near", "event": "clients.*", "task": "sql://u@127.0.0.1/d?engine=postgres", "settings": settings});
    assert_eq!(admin.refused("provisioning.handlers.create", near).await.fields(), ["task"]);
    let named = json!({"name": "named", "event": "clients.*", "task": "sql://u@localhost/d?engine=mysql", "retries": [],
        "settings": {"template": "kamailio", "domain": DOMAIN}});
    let switch = admin.handler(named).await;
    admin.client("Acme").await;
    let row = server.wait_log(json!({"handlers_id": switch, "status": "failed"}), 1).await.remove(0);
    assert!(row["error"].as_str().unwrap().contains("must be at a public address"), "{row}");
}

#[tokio::test]
async fn the_password_is_shown_nowhere_and_comes_back_masked() {
    let (server, target) = (Server::start().await, Target::postgres());
    target.run(&super::schemas::kamailio(&target));
    let password = target.password().unwrap();
    let settings = json!({"template": "kamailio", "domain": DOMAIN, "tls": "prefer"});
    let switch = server.handler(handler(&target, json!("clients.*"), settings)).await;
    let shown = server.ok("provisioning.handlers.get", json!({"id": switch})).await;
    assert_eq!(shown["settings"]["password"], "********");
    // Sent back as it was shown, with a change beside it.
    let changed = with(shown["settings"].clone(), json!({"domain": "other.example.net"}));
    server.ok("provisioning.handlers.update", json!({"id": switch, "settings": changed})).await;
    let client = server.client("Acme").await;
    server.account(client, "alice").await;
    target.wait("SELECT domain FROM subscriber", &[&["other.example.net"]]).await;
    // By value, wherever it occurs: also where a client is called so. Digests are as good as passwords.
    server.ok("clients.update", json!({"id": client, "name": format!("It is {password}")})).await;
    server.wait_all_delivered().await;
    for row in server.wait_log(json!({"handlers_id": switch}), 3).await {
        let told = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await.to_string();
        let digest = target.rows("SELECT ha1 FROM subscriber").remove(0).remove(0);
        for secret in [password, "s3cret-s3cret", &digest] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
    }
}
