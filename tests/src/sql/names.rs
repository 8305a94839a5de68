//! One name, several accounts: it goes from one client's account to another's while the database hears of both in any order, and
//! MySQL takes names for equal that are none.
use hookswitch_testkit::{Server, json};

use super::{DOMAIN, handler, md5, schemas, target::Target};

const PASSWORD: &str = "s3cret-s3cret";
const MOVES: usize = 12;
const RADIUS: &str = "SELECT username, value FROM radcheck ORDER BY username";

async fn switch(server: &Server, target: &Target) -> i64 {
    target.run(&schemas::freeradius(target));
    let settings = json!({"template": "freeradius", "domain": DOMAIN});
    server.handler(handler(target, json!(["clients.*", "provisioning.resync_done"]), settings)).await
}

fn digest(name: &str, password: &str) -> String {
    md5(&format!("{name}:{DOMAIN}:{password}"))
}

/// Everything is told at once, each client in a lane of its own.
async fn names_go_from_one_client_to_another(target: Target) {
    let server = Server::start().await;
    let switch = switch(&server, &target).await;
    let (old, new) = (server.client("Old").await, server.client("New").await);
    server.ok("provisioning.handlers.pause", json!({"id": switch})).await;
    for number in 0..MOVES {
        let name = format!("mover{number:02}");
        let account = server.account(old, &name).await;
        server.ok("clients.accounts.update", json!({"id": account, "password": "old-secret"})).await;
        server.ok("clients.accounts.delete", json!({"id": account})).await;
        server.account(new, &name).await;
    }
    server.ok("provisioning.handlers.resume", json!({"id": switch})).await;
    server.wait_all_delivered().await;
    let names = (0..MOVES).map(|number| format!("mover{number:02}"));
    let wanted: Vec<Vec<String>> = names.map(|name| vec![name.clone(), digest(&name, PASSWORD)]).collect();
    assert_eq!(target.rows(RADIUS), wanted);
}

#[tokio::test]
async fn names_go_from_one_client_to_another_in_postgres() {
    names_go_from_one_client_to_another(Target::postgres()).await;
}

#[tokio::test]
async fn names_go_from_one_client_to_another_in_mariadb() {
    names_go_from_one_client_to_another(Target::mariadb()).await;
}

#[tokio::test]
async fn names_go_from_one_client_to_another_in_a_sqlite_file() {
    names_go_from_one_client_to_another(Target::sqlite()).await;
}

#[tokio::test]
async fn another_spelling_takes_no_name_away_in_mariadb() {
    let (server, target) = (Server::start().await, Target::mariadb());
    switch(&server, &target).await;
    let (one, two) = (server.client("One").await, server.client("Two").await);
    server.account(one, "erin").await;
    server.wait_all_delivered().await;
    let other = server.account(two, "ERIN").await;
    server.wait_all_delivered().await;
    let first = [["erin".to_owned(), digest("erin", PASSWORD)]];
    assert_eq!(target.rows(RADIUS), first, "the first one stays");
    server.pay(two, "5").await;
    server.pay(two, "-5").await;
    server.pay(two, "5").await;
    server.ok("clients.accounts.update", json!({"id": other, "password": "another-one"})).await;
    server.wait_all_delivered().await;
    assert_eq!(target.rows(RADIUS), first);
    server.ok("clients.accounts.delete", json!({"id": other})).await;
    server.wait_all_delivered().await;
    assert_eq!(target.rows(RADIUS), first);
}
