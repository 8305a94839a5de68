//! `import` and `export`: nothing twice and nothing lost, whatever happens in the middle; every refused line with its reason.
use std::{fmt::Write as _, fs, time::Duration};

use hookswitch_testkit::{Recorder, Server, after, before, json, wait_until};

use super::{begun, forbidding, run, said, text};

const MAP: &str = "name=Company,credit=Limit,account.accname=SIP user";

/// Clients with two accounts each.
fn file(server: &Server, clients: usize) {
    let mut lines = "Company,Limit,SIP user,Remarks\n".to_owned();
    for number in 0..clients {
        for account in ["a", "b"] {
            writeln!(lines, "Carrier {number},{}.50,sip{number}{account},x", number % 100).unwrap();
        }
    }
    fs::write(server.home().join("clients.csv"), lines).unwrap();
}

async fn total(server: &Server, method: &str) -> i64 {
    server.ok(method, json!({"with_total": true, "limit": 1})).await["total"].as_i64().unwrap()
}

async fn totals(server: &Server) -> [i64; 3] {
    [
        total(server, "clients.search").await,
        total(server, "clients.accounts.search").await,
        total(server, "provisioning.events.search").await,
    ]
}

#[tokio::test]
async fn a_dry_run_looks_at_every_line_and_changes_nothing_then_all_but_the_refused_are_made() {
    let server = Server::start().await;
    server.client("Taken").await;
    let lines = "Company,Limit,SIP user\nAcme,10,acme1\nAcme,10,acme2\nBad,much,bad1\nshort\nTaken,1,taken1\nBeta,,acme1\n";
    fs::write(server.home().join("clients.csv"), lines).unwrap();
    let refused = server.home().join("clients.csv.refused.csv");
    let output = run(&server, &["import", "clients.csv", "--map", MAP, "--dry-run"]).await;
    assert!(said(&output, 1).contains("nothing was changed"));
    let report = fs::read_to_string(&refused).unwrap();
    for (line, why) in
        [(4, "credit must be a number"), (5, "columns"), (6, "name is already in use"), (7, "the same as in line 2")]
    {
        let told = report.lines().any(|row| row.starts_with(&format!("{line},")) && row.contains(why));
        assert!(told, "{line} {why}: {report}");
    }
    assert_eq!(totals(&server).await, [1, 0, 1]);
    let output = run(&server, &["import", "clients.csv", "--map", MAP]).await;
    assert!(said(&output, 1).starts_with("2 clients, 2 accounts made"), "{output:?}");
    assert!(text(&output.stderr).contains("4 lines were refused"));
    let events = server.ok("provisioning.events.search", json!({"limit": 1})).await;
    assert_eq!(events[0]["actor"]["type"], "import");
    // Put right in the report, they are imported in their turn.
    let put_right = fs::read_to_string(&refused).unwrap().replace("much", "5").replace(",acme1", ",beta1");
    let put_right: Vec<&str> = put_right.lines().filter(|line| !line.contains("short")).collect();
    fs::write(server.home().join("right.csv"), put_right.join("\n").replace("Beta,,", "Gamma,,")).unwrap();
    let output = run(&server, &["import", "right.csv", "--map", MAP, "--into-existing"]).await;
    assert!(said(&output, 0).starts_with("2 clients, 3 accounts made"), "{output:?}");
    let taken = server.ok("clients.accounts.search", json!({"accname": "taken1"})).await;
    assert_eq!(taken[0]["clients_id"], json!(1), "the client that was there has the account");
}

#[tokio::test]
async fn killed_in_the_middle_and_run_again_it_makes_nothing_twice_and_loses_nothing() {
    const CLIENTS: usize = 1_500;
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    file(&server, CLIENTS);
    for done_before_killed in [200, 700] {
        let mut child = begun(&server, &["import", "clients.csv", "--map", MAP, "--connections", "4"]);
        wait_until("it is in the middle", || async { total(&server, "clients.search").await >= done_before_killed }).await;
        child.kill().await.unwrap();
    }
    let output = run(&server, &["import", "clients.csv", "--map", MAP]).await;
    assert!(said(&output, 0).starts_with("1500 clients, 3000 accounts made"), "{output:?}");
    assert_eq!(totals(&server).await, [1_500, 3_000, 4_500]);
    recorder.wait_exactly(CLIENTS).await;
    let output = run(&server, &["import", "clients.csv", "--map", MAP]).await;
    said(&output, 0);
    assert_eq!(totals(&server).await, [1_500, 3_000, 4_500], "again, and nothing new");
}

#[tokio::test]
async fn a_server_that_does_not_answer_for_a_while_is_waited_for() {
    let server = Server::start().await;
    file(&server, 600);
    let child = begun(&server, &["import", "clients.csv", "--map", MAP, "--connections", "2"]);
    wait_until("it is in the middle", || async { total(&server, "clients.search").await >= 100 }).await;
    server.freeze();
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.thaw();
    let output = child.wait_with_output().await.unwrap();
    assert!(said(&output, 0).starts_with("600 clients, 1200 accounts made"), "{output:?}");
    assert_eq!(totals(&server).await, [600, 1_200, 1_800]);
}

#[tokio::test]
async fn an_admin_may_leave_out_before_handlers_and_the_log_says_so() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    recorder.answer(|_| forbidding("never"));
    server.handler(before("clients.create", &recorder)).await;
    file(&server, 3);
    let output = run(&server, &["import", "clients.csv", "--map", MAP]).await;
    assert!(said(&output, 1).starts_with("0 clients, 0 accounts"), "{output:?}");
    assert!(fs::read_to_string(server.home().join("clients.csv.refused.csv")).unwrap().contains("never"));
    let asked = recorder.calls().len();
    let output = run(&server, &["import", "clients.csv", "--map", MAP, "--skip-before"]).await;
    assert!(said(&output, 0).starts_with("3 clients, 6 accounts made"), "{output:?}");
    assert_eq!(recorder.calls().len(), asked, "nobody was asked");
    let skipped = server.wait_log(json!({"status": "skipped"}), 3).await;
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    assert!(skipped[0]["error"].as_str().unwrap().contains("an admin imports without asking"), "{skipped:?}");
    let events = server.ok("provisioning.events.search", json!({"events_id": "clients.create"})).await;
    assert_eq!(events[0]["actor"], json!({"type": "import", "id": 1, "login": "admin"}));
}

#[tokio::test]
async fn nobody_else_may_leave_them_out_and_nothing_else_is_done_without_asking() {
    let server = Server::start().await;
    let of_reseller = server.user("reseller", "admin", json!(1)).await;
    let operator = server.user("operator", "operator", json!(null)).await;
    let header = [("hookswitch-import", "skip-before")];
    for other in [&of_reseller, &operator] {
        let refused = other.call_with(&header, "clients.create", json!({"name": "Acme"})).await.unwrap_err();
        assert_eq!(refused.code, -32003, "{refused:?}");
    }
    server.client("Acme").await;
    for (method, params) in [("clients.delete", json!({"id": 1})), ("clients.update", json!({"id": 1, "credit": 5}))] {
        assert_eq!(server.call_with(&header, method, params).await.unwrap_err().code, -32003, "{method}");
    }
    let wrong = server.call_with(&[("hookswitch-import", "yes")], "clients.create", json!({"name": "B"})).await.unwrap_err();
    assert_eq!(wrong.code, -32602);
    // An import by somebody else is one in his own name, and handlers are asked.
    file(&server, 2);
    let output = hookswitch_testkit::program::run(
        server.home(),
        &["import", "clients.csv", "--map", MAP],
        &[("HOOKSWITCH_URL", server.base()), ("HOOKSWITCH_KEY", operator.key())],
    )
    .await;
    said(&output, 0);
    let events = server.ok("provisioning.events.search", json!({"limit": 1})).await;
    assert_eq!(events[0]["actor"]["login"], "operator");
    assert_eq!(events[0]["actor"]["type"], "user");
}

#[tokio::test]
async fn a_list_goes_out_whole_and_comes_in_again() {
    let server = Server::start().await;
    file(&server, 1_100);
    said(&run(&server, &["import", "clients.csv", "--map", MAP]).await, 0);
    let one = server.ok("clients.update", json!({"id": 1, "notes": "=1+1"})).await;
    said(&run(&server, &["export", "clients", "--to", "out.csv", "--columns", "name,credit,notes"]).await, 0);
    let out = fs::read_to_string(server.home().join("out.csv")).unwrap();
    assert_eq!(out.lines().count(), 1_101);
    assert!(out.starts_with("name,credit,notes\n") && out.contains(",'=1+1\n"), "{}", &out[..200]);
    let some = said(&run(&server, &["export", "accounts", "--where", "accname=sip7a", "--columns", "accname"]).await, 0);
    assert_eq!(some, "accname\nsip7a\n");
    let other = Server::start().await;
    fs::copy(server.home().join("out.csv"), other.home().join("in.csv")).unwrap();
    said(&run(&other, &["import", "in.csv"]).await, 0);
    assert_eq!(total(&other, "clients.search").await, 1_100);
    assert_eq!(total(&other, "clients.search").await, total(&server, "clients.search").await);
    let formula = other.ok("clients.search", json!({"name": one["name"]})).await;
    assert_eq!(formula[0]["notes"], "=1+1", "the apostrophe is gone again");
}
