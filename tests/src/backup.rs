//! `hookswitch backup`, `restore` and `check`: what operators and receivers may rely on after the worst day.
use std::{
    path::{Path, PathBuf},
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hookswitch_testkit::{
    Api, Call, Recorder, Reply, Server, Setup, after, assert_has, before, json,
    program::{assert_ended, run},
    wait_until, with,
};

/// A backup of a running server.
async fn back_up(server: &Server, name: &str) -> PathBuf {
    let output = run(server.home(), &["backup", "--to", name, "--data", "data"], &[]).await;
    assert_ended(&output, 0, "The key file");
    server.home().join(name)
}

fn key_of(server: &Server) -> String {
    server.data().join("master.key").display().to_string()
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

async fn restore(server: &Server, backup: &Path, to: &Path) -> Output {
    let (from, to, key) = (backup.display().to_string(), url(to), key_of(server));
    run(server.home(), &["restore", "--from", &from, "--data", "restored", "--database", &to, "--key-file", &key], &[]).await
}

async fn check(server: &Server, file: &Path) -> Output {
    let (database, key) = (url(file), key_of(server));
    run(server.home(), &["check", "--database", &database, "--data", "restored", "--key-file", &key], &[]).await
}

/// A new server on the restored database of an old one.
async fn serve(file: &Path, key_file: &str) -> Server {
    Setup::default().arg("--database").arg(url(file)).arg("--key-file").arg(key_file).start().await
}

/// The era that a restore says it began.
#[track_caller]
fn begun(output: &Output) -> i64 {
    let said = assert_ended(output, 0, "; era ");
    let era = said.lines().find_map(|line| line.split_once("; era ")).unwrap().1.parse().unwrap();
    assert!(era > 0, "{said}");
    era
}

fn era(call: &Call) -> Option<i64> {
    call.event("era").as_i64()
}

/// Does to a stopped server's database what no program of ours would do.
fn spoil(server: &Server, statements: &[&str]) {
    const RUN: &str = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nfor s in sys.argv[2:]: c.execute(s)\nc.commit()";
    match server.database().postgres() {
        Some(database) => statements.iter().for_each(|sql| drop(database.rows(sql))),
        None => spoil_file(&server.data().join("hookswitch.db"), RUN, statements),
    }
}

fn spoil_file(file: &Path, program: &str, statements: &[&str]) {
    let ended = std::process::Command::new("python3").args(["-c", program]).arg(file).args(statements).status().unwrap();
    assert!(ended.success());
}

/// Keeps a server busy until it is told to stop.
async fn load(api: Api, client: i64, stop: Arc<AtomicBool>) -> u32 {
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        api.pay(client, "1").await;
        api.ok("clients.update", json!({"id": client, "notes": format!("note {done}")})).await;
        done += 1;
    }
    done
}

#[tokio::test]
async fn under_load_a_backup_is_whole_and_after_its_restore_the_story_goes_on_in_a_new_era() {
    let (server, told, asked) = (Server::start().await, Recorder::start().await, Recorder::start().await);
    told.answer(|_| Reply::status(200));
    let handler = server.handler(with(after("clients.*", &told), json!({"name": "crm"}))).await;
    let fraud = server.handler(with(before("clients.create", &asked), json!({"name": "fraud", "on_failure": "forbid"}))).await;
    let mut clients = Vec::new();
    for n in 0..4 {
        clients.push(server.client(&format!("Client {n}")).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> =
        clients.iter().map(|client| tokio::spawn(load(server.with_key(server.key()), *client, Arc::clone(&stop)))).collect();
    wait_until("it is busy", async || told.calls().len() > 20).await;
    let backup = back_up(&server, "backup.db").await;
    stop.store(true, Ordering::Relaxed);
    for one in busy {
        assert!(one.await.unwrap() > 0);
    }
    assert!(told.calls().iter().all(|call| era(call).is_none()), "there is no era before the first restore");
    // Lost: it came after the backup.
    for n in 0..3 {
        server.ok("clients.update", json!({"id": clients[0], "notes": format!("lost {n}")})).await;
    }
    server.wait_all_delivered().await;
    let of_client = |call: &&Call| call.clients_id() == clients[0];
    let heard = told.calls().iter().filter(of_client).map(Call::seq).max().unwrap();
    let said = assert_ended(&check(&server, &backup).await, 0, "no id is given twice");
    assert!(!said.contains("BROKEN"), "{said}");
    let key = key_of(&server);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("new.db");
    let ended = restore(&server, &backup, &file).await;
    let (new_era, said) = (begun(&ended), String::from_utf8_lossy(&ended.stdout).into_owned());
    assert!(said.contains("handler 1 crm (after)") && said.contains("handler 2 fraud (before)"), "{said}");
    assert_ended(&check(&server, &file).await, 0, "every balance is the sum of its transactions");

    told.forget();
    asked.forget();
    let restored = serve(&file, &key).await;
    for id in [handler, fraud] {
        let shown = restored.ok("provisioning.handlers.get", json!({"id": id})).await;
        assert_has(&shown["paused"], &json!({"by": "restore"}));
        assert!(shown["paused"]["reason"].as_str().unwrap().contains("restored from a backup of 20"), "{shown}");
    }
    let refused = restored.refused("clients.create", json!({"name": "Too early"})).await;
    assert!(format!("{refused:?}").contains("paused"), "a before handler counts as failed: {refused:?}");
    restored.ok("clients.update", json!({"id": clients[0], "notes": "after the restore"})).await;
    assert!(told.calls().is_empty() && asked.calls().is_empty(), "nobody is called before he is resumed");
    let discard = json!({"handlers_id": handler, "reason": "restored"});
    restored.ok("provisioning.deliveries.discard", discard).await;
    for id in [handler, fraud] {
        restored.ok("provisioning.handlers.resume", json!({"id": id})).await;
    }
    let new = restored.client("Another").await;
    restored.ok("clients.update", json!({"id": clients[0], "notes": "told again"})).await;
    wait_until("both are told", async || told.calls().len() >= 2).await;
    let asked = asked.wait_exactly(1).await;
    assert_eq!((era(&asked[0]), asked[0].event("seq").as_i64()), (Some(new_era), None));
    let created = told.calls().into_iter().find(|call| call.events_id() == "clients.create").unwrap();
    assert_eq!((era(&created), created.seq(), created.clients_id()), (Some(new_era), 1, new));
    let updated = told.calls().into_iter().find(|call| call.events_id() == "clients.update").unwrap();
    assert_eq!(era(&updated), Some(new_era));
    assert!(updated.seq() <= heard, "{} was given before, which is what the era is for: {heard} was", updated.seq());
    let tested = restored.ok("provisioning.handlers.test", json!({"id": handler})).await;
    assert!(tested["request"].as_str().unwrap_or_default().contains(&format!(r#""era":{new_era},"#)), "{tested}");

    // Told anew how things stand.
    told.forget();
    let resync = restored.ok("provisioning.handlers.resync", json!({"id": handler})).await;
    assert!(resync["total"].as_i64().is_none_or(|total| total >= 5), "{resync}");
    wait_until("all clients are told", async || told.calls().len() >= 5).await;
    assert!(told.calls().iter().all(|call| era(call) == Some(new_era)), "a resync, too");
}

#[tokio::test]
async fn what_waited_is_shown_and_sent_as_it_was_written_when_the_handler_is_resumed() {
    let (server, told) = (Server::start().await, Recorder::answering(|_| Reply::status(503)).await);
    let handler = server.handler(after("clients.create", &told)).await;
    for n in 0..3 {
        server.client(&format!("Client {n}")).await;
    }
    told.wait(3).await;
    let backup = back_up(&server, "backup.db").await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("new.db");
    let said = assert_ended(&restore(&server, &backup, &file).await, 0, "; era ");
    let counts: Vec<i64> = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("handler 1 after (after): "))
        .unwrap()
        .split(", ")
        .map(|part| part.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(counts[0] + counts[1], 3, "{said}");
    told.forget();
    told.answer(|_| Reply::status(200));
    let restored = serve(&file, &key_of(&server)).await;
    restored.ok("provisioning.handlers.resume", json!({"id": handler})).await;
    restored.ok("provisioning.deliveries.resend", json!({"handlers_id": handler})).await;
    restored.wait_all_delivered().await;
    let of_restored: Vec<Call> = told.calls().into_iter().collect();
    assert!(of_restored.iter().all(|call| era(call).is_none()), "written in the old era, and told as it was written");
}

#[tokio::test]
async fn each_restore_begins_a_higher_era_also_of_the_same_backup_and_a_backup_is_never_overwritten_unasked() {
    let server = Server::start().await;
    server.client("Acme").await;
    let backup = back_up(&server, "backup.db").await;
    let before = std::fs::read(&backup).unwrap();
    let again = run(server.home(), &["backup", "--to", "backup.db", "--data", "data"], &[]).await;
    assert_ended(&again, 2, "--force");
    assert_eq!(std::fs::read(&backup).unwrap(), before);
    let forced = run(server.home(), &["backup", "--to", "backup.db", "--data", "data", "--force"], &[]).await;
    assert_ended(&forced, 0, "1 clients");
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (home.path().join("first.db"), home.path().join("second.db"));
    let of_the_first = begun(&restore(&server, &backup, &first).await);
    let (database, key, to) = (url(&first), key_of(&server), home.path().join("of-first.db"));
    let of_first = to.display().to_string();
    let args = ["backup", "--to", &of_first, "--data", "restored", "--database", &database, "--key-file", &key];
    assert_ended(&run(server.home(), &args, &[]).await, 0, "1 clients");
    let of_the_second = begun(&restore(&server, &to, &second).await);
    assert!(of_the_second > of_the_first, "of a backup of what was restored: {of_the_first}, then {of_the_second}");
    let since_1970 = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    wait_until("the clock is past both", async || since_1970() > of_the_second.cast_unsigned()).await;
    let of_the_third = begun(&restore(&server, &backup, &home.path().join("third.db")).await);
    assert!(of_the_third > of_the_second, "of the first backup once more: {of_the_second}, then {of_the_third}");
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
}

#[tokio::test]
async fn what_can_not_be_restored_is_refused_and_nothing_is_left_behind() {
    let server = Server::start().await;
    server.client("Acme").await;
    let backup = back_up(&server, "backup.db").await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("new.db");
    let (from, to, key) = (backup.display().to_string(), url(&file), key_of(&server));
    let other_key = home.path().join("other.key");
    std::fs::write(&other_key, "0".repeat(64)).unwrap();
    let (other, missing) = (other_key.display().to_string(), home.path().join("no.key").display().to_string());
    let with_key =
        |key: &str| ["restore", "--from", &from, "--data", "restored", "--database", &to, "--key-file", key].map(str::to_owned);
    for (args, words) in [(with_key(&other), "the key file is not the one"), (with_key(&missing), "is missing")] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        assert_ended(&run(server.home(), &args, &[]).await, 3, words);
    }
    // Cut, no database at all, and a database that is no backup.
    let whole = std::fs::read(&backup).unwrap();
    let cut = home.path().join("cut.db");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert_ended(&restore(&server, &cut, &file).await, 3, "damaged");
    let garbled = home.path().join("garbled.db");
    std::fs::write(&garbled, "nothing of ours").unwrap();
    assert_ended(&restore(&server, &garbled, &file).await, 3, "damaged");
    assert_ended(&restore(&server, &home.path().join("absent.db"), &file).await, 3, "there is no backup");
    assert!(!file.exists());
    // Into what is there already; and a running server has its own.
    assert_ended(&restore(&server, &backup, &file).await, 0, "; era ");
    let of_file = std::fs::read(&file).unwrap();
    assert_ended(&restore(&server, &backup, &file).await, 3, "is there already");
    assert_eq!(std::fs::read(&file).unwrap(), of_file);
    assert_ended(&restore(&server, &file, &home.path().join("newer.db")).await, 3, "is no backup");
    let running = run(server.home(), &["restore", "--from", &from, "--data", "data", "--key-file", &key], &[]).await;
    assert_ended(&running, 3, "locked");
    let names: Vec<String> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().all(|name| !name.contains("partial")), "{names:?}");
}

#[tokio::test]
async fn a_backup_is_not_served_and_a_newer_one_not_read() {
    let server = Server::start().await;
    let backup = back_up(&server, "backup.db").await;
    let (database, key) = (url(&backup), key_of(&server));
    let args = ["serve", "--data", "other", "--database", &database, "--key-file", &key, "--listen", "127.0.0.1:0"];
    assert_ended(&run(server.home(), &args, &[]).await, 3, "this is a backup");
    const RUN: &str = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute(sys.argv[2])\nc.commit()";
    spoil_file(&backup, RUN, &["INSERT INTO migrations (number, name, hash, dt) VALUES (999, 'x', 'y', 0)"]);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("new.db");
    assert_ended(&restore(&server, &backup, &file).await, 3, "newer version");
    assert!(!file.exists());
    assert_ended(&check(&server, &backup).await, 3, "newer version");
}

#[tokio::test]
async fn check_says_in_words_what_is_wrong_and_a_broken_backup_is_restored_only_on_demand() {
    let (mut server, told) = (Server::start().await, Recorder::answering(|_| Reply::status(503)).await);
    server.handler(after("clients.create", &told)).await;
    let client = server.client("Acme").await;
    server.pay(client, "5").await;
    server.terminate().await;
    spoil(
        &server,
        &[
            "UPDATE clients SET balance = 7",
            "UPDATE deliveries SET seq = 99",
            "UPDATE id_blocks SET next = 1 WHERE name = 'clients'",
            "INSERT INTO told VALUES (1, 1, 50, 0, 1, 0)",
        ],
    );
    let said = assert_ended(&run(server.home(), &["check", "--data", "data"], &[]).await, 1, "promises are broken");
    for words in [
        "client 1: the balance is 7 millionths, its transactions make 5000000",
        "is not of the event in row",
        "clients: id 1 is there, and the next that would be given is 1",
        "client 1: a handler has heard event 50, the last one is",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let backup = back_up(&server, "backup.db").await;
    assert_ended(&check(&server, &backup).await, 1, "its transactions make 5000000");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("new.db");
    assert_ended(&restore(&server, &backup, &file).await, 1, "its transactions make 5000000");
    assert!(!file.exists());
    let (from, to, key) = (backup.display().to_string(), url(&file), key_of(&server));
    let args = ["restore", "--even-if-broken", "--from", &from, "--data", "restored", "--database", &to, "--key-file", &key];
    assert_ended(&run(server.home(), &args, &[]).await, 0, "; era ");
}

#[tokio::test]
async fn a_backup_of_either_engine_is_restored_into_a_server_s_new_database() {
    let (server, told) = (Server::start().await, Recorder::start().await);
    server.handler(after("clients.create", &told)).await;
    let client = server.client("Acme").await;
    server.pay(client, "5").await;
    // What still waited would be told first, as of the old era.
    server.wait_all_delivered().await;
    let backup = back_up(&server, "backup.db").await;
    let fresh = hookswitch_testkit::postgres::Fresh::make();
    let (from, key) = (backup.display().to_string(), key_of(&server));
    let args = ["restore", "--from", &from, "--data", "restored", "--database", fresh.url(), "--key-file", &key];
    let new_era = begun(&run(server.home(), &args, &[]).await);
    assert_ended(&run(server.home(), &args, &[]).await, 3, "in use");
    let args = ["check", "--data", "restored", "--database", fresh.url(), "--key-file", &key];
    assert_ended(&run(server.home(), &args, &[]).await, 0, "no id is given twice");
    let restored = Setup::default().arg("--database").arg(fresh.url()).arg("--key-file").arg(&key).start().await;
    assert_eq!(restored.ok("clients.get", json!({"id": client})).await["balance"], json!(5));
    told.forget();
    restored.ok("provisioning.handlers.resume", json!({"id": 1})).await;
    restored.client("Next").await;
    assert_eq!(era(&told.wait(1).await[0]), Some(new_era));
    let left: Vec<_> =
        std::fs::read_dir(server.home().join("restored")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
    // And back, while it runs.
    let back = server.home().join("back.db").display().to_string();
    let args = ["backup", "--to", &back, "--data", "restored", "--database", fresh.url(), "--key-file", &key];
    assert_ended(&run(server.home(), &args, &[]).await, 0, "2 clients");
}
