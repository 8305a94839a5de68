//! The web section, in Debian's Chromium: each walk is a script in `tests/browser`, against a server of its own.
use std::{path::Path, process::Stdio};

use hookswitch_testkit::{ADMIN_KEY, ADMIN_PASSWORD, Server, companion::repository};
use tokio::process::Command;

use crate::sql::{schemas, target::Target};

/// Runs a walk; `more` is said to it by further variables.
pub(crate) async fn walk(server: &Server, script: &str, more: &[(&str, &str)]) {
    let root = repository();
    let writes = std::env::var_os("HOOKSWITCH_WRITE_SCREENSHOTS").is_some();
    let pictures = root.join(if writes { "docs/pages" } else { "target/pages" });
    let output = Command::new("node")
        .arg(root.join("tests/browser").join(script))
        .env("MODULES", root.join("target/browser"))
        .env("PICTURES", pictures)
        .env("BASE", server.base())
        .env("KEY", ADMIN_KEY)
        .env("PASSWORD", ADMIN_PASSWORD)
        .env("SCRIPTS", server.scripts().path(""))
        .envs(more.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}\n{said}\n{}", Path::new(script).display(), server.stderr());
}

#[tokio::test]
async fn the_door() {
    walk(&Server::start().await, "first.mjs", &[]).await;
}

#[tokio::test]
async fn the_overview() {
    walk(&Server::start().await, "overview.mjs", &[]).await;
}

#[tokio::test]
async fn handlers() {
    let server = Server::start().await;
    server.scripts().shell("tariff.sh", "echo '{}'");
    walk(&server, "handlers.mjs", &[]).await;
}

#[tokio::test]
async fn handlers_at_work() {
    let server = Server::start().await;
    server.scripts().shell("tariff.sh", "echo '{}'");
    walk(&server, "handlers-at-work.mjs", &[]).await;
}

/// The form of what is ready made, from its boxes to a row in the database that it names.
#[tokio::test]
async fn ready_made_handlers() {
    let target = Target::sqlite();
    target.run(&schemas::kamailio(&target));
    let server = Server::start().await;
    let file = target.task().trim_start_matches("sql://").trim_end_matches("?engine=sqlite").to_owned();
    walk(&server, "kinds.mjs", &[("FILE", &file)]).await;
    target.wait("SELECT count(*) FROM hookswitch_accounts", &[&["2"]]).await;
}

#[tokio::test]
async fn what_handlers_were_sent_and_what_waits_for_them() {
    walk(&Server::start().await, "logs.mjs", &[]).await;
}

#[tokio::test]
async fn billing() {
    walk(&Server::start().await, "billing.mjs", &[]).await;
}

/// A picture without a place in the docs is seen by nobody. (That each that they show is there, `docs` looks.)
#[test]
fn every_picture_is_shown_in_the_docs() {
    let folder = repository().join("docs/pages");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || page.contains(&format!("]({name})")), "{name}");
    }
}
