//! The newest state wins: what is sent again, and what a crash leaves to be sent again, overwrites nothing.
use hookswitch_testkit::{Chance, Server, api::id, assert_has, json, with};

use super::{DOMAIN, handler, target::Target};

#[tokio::test]
async fn an_old_event_that_is_sent_again_changes_nothing() {
    let (server, target) = (Server::start().await, Target::postgres());
    let settings =
        json!({"statements": {"clients.update": ["UPDATE client_names SET name = {{object.name}} WHERE id = {{object.id}}"]}});
    let fields = with(handler(&target, json!("clients.update"), settings), json!({"retries": []}));
    let switch = server.handler(fields).await;
    let client = server.client("first").await;
    // The table is not there yet: this one is given up.
    server.ok("clients.update", json!({"id": client, "name": "second"})).await;
    let failed = server.wait_log(json!({"handlers_id": switch, "status": "failed"}), 1).await.remove(0);
    assert!(failed["error"].as_str().unwrap().contains("client_names"), "{failed}");
    target.run(&[
        "CREATE TABLE client_names (id INT PRIMARY KEY, name VARCHAR(255))".to_owned(),
        format!("INSERT INTO client_names VALUES ({client}, 'none')"),
    ]);
    server.ok("clients.update", json!({"id": client, "name": "third"})).await;
    target.wait("SELECT name FROM client_names", &[&["third"]]).await;
    let dead = server.ok("provisioning.deliveries.search", json!({"handlers_id": switch, "state": "dead"})).await;
    let delivery = id(&dead[0]);
    server.ok("provisioning.deliveries.resend", json!({"id": delivery, "force": true})).await;
    let rows = server.wait_log(json!({"handlers_id": switch, "status": "success"}), 2).await;
    let told = server.ok("provisioning.executions.get", json!({"id": rows[1]["id"]})).await;
    assert!(told["response"].as_str().unwrap().contains("a newer one of the object, was applied before"), "{told}");
    assert_eq!(target.rows("SELECT name FROM client_names"), [["third"]]);
}

/// Each event once, the last one last, whatever was killed meanwhile.
async fn through_crashes(target: Target) {
    let mut chance = Chance::seeded();
    let mut server = Server::start().await;
    target.run(&["CREATE TABLE heard (id INT NOT NULL, seq INT NOT NULL, name VARCHAR(255) NOT NULL)".to_owned()]);
    let insert = "INSERT INTO heard (id, seq, name) VALUES ({{object.id}}, {{event.seq}}, {{object.name}})";
    let settings = json!({"statements": {"clients.update": [insert]}});
    server.handler(handler(&target, json!("clients.update"), settings)).await;
    let mut clients = Vec::new();
    for name in ["a", "b", "c", "d"] {
        clients.push(server.client(name).await);
    }
    let mut last = vec![String::new(); clients.len()];
    for round in 0..4 {
        for step in 0..chance.between(10, 60) {
            let at = usize::try_from(step).unwrap() % clients.len();
            last[at] = format!("{round}-{step}");
            server.ok("clients.update", json!({"id": clients[at], "name": last[at]})).await;
        }
        server.kill9().await;
        server.start_again().await;
    }
    server.wait_all_delivered().await;
    assert_eq!(target.rows("SELECT id, seq FROM heard GROUP BY id, seq HAVING COUNT(*) > 1"), Vec::<Vec<String>>::new());
    for (client, name) in clients.iter().zip(last) {
        let heard = target.rows(&format!("SELECT name FROM heard WHERE id = {client} ORDER BY seq DESC LIMIT 1"));
        assert_eq!(heard, [[name]]);
        let told = target.rows(&format!("SELECT seq FROM heard WHERE id = {client}"));
        let updates = server.journal(*client).await.into_iter().filter(|(name, _)| name == "clients.update").count();
        assert_eq!(told.len(), updates, "each is there");
    }
}

#[tokio::test]
async fn each_event_is_applied_once_however_often_the_server_is_killed_in_postgres() {
    through_crashes(Target::postgres()).await;
}

#[tokio::test]
async fn each_event_is_applied_once_however_often_the_server_is_killed_in_mariadb() {
    through_crashes(Target::mariadb()).await;
}

#[tokio::test]
async fn each_event_is_applied_once_however_often_the_server_is_killed_in_a_sqlite_file() {
    through_crashes(Target::sqlite()).await;
}

#[tokio::test]
async fn a_database_that_was_away_has_everything_when_it_is_back() {
    let server = Server::start().await;
    let target = Target::sqlite();
    target.run(&super::schemas::kamailio(&target));
    let settings = json!({"template": "kamailio", "domain": DOMAIN});
    let switch = server.handler(handler(&target, json!("clients.*"), settings)).await;
    target.rows("ALTER TABLE subscriber RENAME TO away");
    let client = server.client("Acme").await;
    server.account(client, "alice").await;
    server
        .wait_log(json!({"handlers_id": switch, "events_id": "clients.accounts.create", "status": "failed", "limit": 1}), 1)
        .await;
    target.rows("ALTER TABLE away RENAME TO subscriber");
    target.wait("SELECT username FROM subscriber", &[&["alice"]]).await;
    let shown = server.ok("provisioning.handlers.get", json!({"id": switch})).await;
    assert_has(&shown, &json!({"concurrency": 16}));
}
