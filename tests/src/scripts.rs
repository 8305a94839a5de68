//! Scripts under `script://` (`provisioning.md`, section 6).
use std::os::unix::fs::symlink;

use hookswitch_testkit::{Server, Value, assert_has, json, wait_until, with};

fn before(name: &str) -> Value {
    json!({"name": name, "event": "clients.create", "type": "before", "task": format!("script://{name}")})
}

fn after(name: &str) -> Value {
    with(before(name), json!({"type": "after"}))
}

#[tokio::test]
async fn exit_status_0_means_that_standard_output_is_the_reply() {
    let server = Server::start().await;
    let scripts = server.scripts();
    scripts.shell("ok.sh", "exit 0");
    scripts.shell("echo.sh", "cat");
    scripts.shell("change.sh", r#"cat >/dev/null; echo '{"data":{"notes":"by script"},"warnings":["w"]}'"#);
    for (name, notes) in [("ok.sh", json!(null)), ("echo.sh", json!(null)), ("change.sh", json!("by script"))] {
        let handler = server.handler(before(name)).await;
        let answer = server.whole("clients.create", json!({"name": name})).await;
        assert_eq!(answer["result"]["notes"], notes, "{answer}");
        server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    }
    scripts.shell("forbid.sh", r#"echo '{"verdict":"forbid","message":"by verdict"}'"#);
    server.handler(before("forbid.sh")).await;
    let refusal = server.refused("clients.create", json!({"name": "x"})).await;
    assert_has(&refusal.data, &json!({"code": "forbidden_by_handler", "message": "by verdict"}));
}

#[tokio::test]
async fn exit_status_3_forbids_with_the_first_line_of_standard_error() {
    let server = Server::start().await;
    server.scripts().shell("no.sh", "echo 'prefix not ours' >&2; echo second >&2; exit 3");
    server.handler(before("no.sh")).await;
    let refusal = server.refused("clients.create", json!({"name": "x"})).await;
    assert_has(&refusal.data, &json!({"code": "forbidden_by_handler", "message": "prefix not ours"}));
    let row = server.wait_log(json!({"status": "forbidden"}), 1).await.remove(0);
    assert_eq!(row["response_status"], json!(3));
}

#[tokio::test]
async fn any_other_end_is_a_failure() {
    let server = Server::start().await;
    let scripts = server.scripts();
    for (name, lines, reason) in [
        ("one.sh", "exit 1", "script"),
        ("four.sh", "exit 4", "script"),
        ("killed.sh", "kill -9 $$", "script"),
        ("text.sh", "echo OK", "bad_reply"),
        ("slow.sh", "while :; do :; done", "timeout"),
        ("flood.sh", "exec yes 'a flood of output'", "script"),
    ] {
        scripts.shell(name, lines);
        let handler = server.handler(with(before(name), json!({"timeout_ms": 2000}))).await;
        let refusal = server.refused("clients.create", json!({"name": name})).await;
        let found = refusal.data["reason"].as_str().unwrap_or_default().to_owned();
        assert_has(&refusal.data, &json!({"code": "handler_failed", "handler": {"id": handler, "name": name}}));
        assert!(found == reason || (name == "flood.sh" && found == "bad_reply"), "{name}: {found}");
        server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    }
    assert_eq!(server.ok("clients.search", json!({})).await, json!([]));
}

#[tokio::test]
async fn an_interpreter_that_is_not_there_is_a_failure_of_the_script() {
    let server = Server::start().await;
    server.scripts().add("odd.sh", "#!/no/such/interpreter\n");
    server.handler(before("odd.sh")).await;
    let refusal = server.refused("clients.create", json!({"name": "x"})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "script"}));
}

#[tokio::test]
async fn standard_error_ends_up_in_the_log_its_last_4_kib() {
    let server = Server::start().await;
    server.scripts().shell("wordy.sh", "i=0; while [ $i -lt 2000 ]; do echo \"line $i\" >&2; i=$((i+1)); done; exit 1");
    server.handler(before("wordy.sh")).await;
    server.refused("clients.create", json!({"name": "x"})).await;
    let row = server.wait_log(json!({"status": "failed"}), 1).await.remove(0);
    let whole = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await.to_string();
    assert!(whole.contains("line 1999") && !whole.contains("line 100\\n"), "{whole}");
}

#[tokio::test]
async fn at_its_time_limit_the_whole_process_group_is_killed() {
    let server = Server::start().await;
    let scripts = server.scripts();
    scripts.shell("forks.sh", "(while :; do :; done) &\necho $! > child.pid\nwait");
    server.handler(with(before("forks.sh"), json!({"timeout_ms": 400}))).await;
    let refusal = server.refused("clients.create", json!({"name": "x"})).await;
    assert_eq!(refusal.data["reason"], "timeout");
    let child = scripts.read("child.pid");
    wait_until("the child is gone", || async { gone(child.trim()) }).await;
}

#[tokio::test]
async fn when_the_first_process_ends_the_rest_of_its_group_is_killed() {
    let server = Server::start().await;
    let scripts = server.scripts();
    scripts.shell("leaves.sh", "(while :; do :; done) &\necho $! > child.pid\necho '{\"data\":{\"notes\":\"read\"}}'");
    server.handler(with(before("leaves.sh"), json!({"timeout_ms": 9000}))).await;
    let client = server.ok("clients.create", json!({"name": "x"})).await;
    assert_eq!(client["notes"], "read", "what is in the pipes is read");
    let child = scripts.read("child.pid");
    wait_until("the child is gone", || async { gone(child.trim()) }).await;
}

/// True if no such process runs (a zombie does not run).
fn gone(pid: &str) -> bool {
    assert!(pid.parse::<u32>().is_ok(), "a process id, not {pid:?}");
    std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

#[tokio::test]
async fn a_script_learns_nothing_of_the_servers_process() {
    let server = Server::setup().env("SECRET_OF_THE_SERVER", "a-secret-value").start().await;
    let scripts = server.scripts();
    scripts.shell("look.sh", "cat /proc/$PPID/environ /proc/$PPID/maps > seen.txt 2> why.txt; exit 0");
    server.handler(before("look.sh")).await;
    server.client("Acme").await;
    assert_eq!(scripts.read("seen.txt"), "");
    assert!(scripts.read("why.txt").contains("enied"), "{}", scripts.read("why.txt"));
}

#[tokio::test]
async fn a_script_gets_its_arguments_without_a_shell_and_an_environment_of_its_own() {
    let server = Server::setup().env("SECRET_OF_THE_SERVER", "x").start().await;
    let scripts = server.scripts();
    scripts.shell("show.sh", "env > env.txt; printf '%s|' \"$@\" > args.txt; pwd > pwd.txt; cat > stdin.json");
    server.handler(with(before("show.sh"), json!({"args": ["--realm", "a b; rm -rf $HOME", "*"]}))).await;
    let client = server.client("Acme").await;
    assert_eq!(scripts.read("args.txt"), "--realm|a b; rm -rf $HOME|*|");
    assert_eq!(std::fs::canonicalize(scripts.read("pwd.txt").trim()).unwrap(), std::fs::canonicalize(scripts.path("")).unwrap());
    let payload: Value = serde(&scripts.read("stdin.json"));
    assert_has(&payload, &json!({"event": {"object_id": client, "stage": "before"}, "data": {"name": "Acme"}}));
    let environment = scripts.read("env.txt");
    let mut names: Vec<_> = environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name)); // the shell's own
    names.sort_unstable();
    let expected = [
        "HOOKSWITCH_ATTEMPT",
        "HOOKSWITCH_CAUSE",
        "HOOKSWITCH_DEADLINE_MS",
        "HOOKSWITCH_EVENT",
        "HOOKSWITCH_EVENT_ID",
        "HOOKSWITCH_OBJECT_ID",
        "HOOKSWITCH_STAGE",
        "LANG",
        "PATH",
    ];
    assert_eq!(names, expected, "{environment}");
    for line in [
        "HOOKSWITCH_EVENT=clients.create".to_owned(),
        "HOOKSWITCH_STAGE=before".to_owned(),
        "HOOKSWITCH_ATTEMPT=1".to_owned(),
        format!("HOOKSWITCH_OBJECT_ID={client}"),
        format!("HOOKSWITCH_EVENT_ID={}", payload["event"]["id"].as_str().unwrap()),
    ] {
        assert!(environment.lines().any(|found| found == line), "{line} in {environment}");
    }
}

fn serde(text: &str) -> Value {
    text.parse().unwrap_or_else(|error| panic!("JSON, not {text:?}: {error}"))
}

#[tokio::test]
async fn the_data_folder_is_closed_to_scripts_all_but_the_scripts_folder() {
    let server = Server::start().await;
    let scripts = server.scripts();
    let lines = "ls .. > ls.txt 2>&1; cat ../master.key > key.txt 2>/dev/null && echo read > leaked.txt\n\
        cat ../*.db ../*.sqlite* > db.txt 2>/dev/null; touch ../planted; echo kept > own.txt; cat own.txt > copy.txt";
    scripts.shell("spy.sh", &format!("{lines}\nexit 0"));
    server.handler(before("spy.sh")).await;
    server.client("Acme").await;
    assert_eq!(scripts.read("copy.txt"), "kept\n", "there it may read, execute and write");
    assert_eq!(
        (scripts.read("leaked.txt"), scripts.read("key.txt"), scripts.read("db.txt")),
        (String::new(), String::new(), String::new())
    );
    assert!(!server.data().join("planted").exists());
}

#[tokio::test]
async fn after_a_script_0_is_delivered_and_3_is_dead_at_once_and_the_rest_is_tried_again() {
    let server = Server::start().await;
    let scripts = server.scripts();
    for (name, lines) in [("ok.sh", "cat > got.json"), ("dead.sh", "exit 3"), ("again.sh", "exit 1")] {
        scripts.shell(name, lines);
        server.handler(after(name)).await;
    }
    let client = server.client("Acme").await;
    let rows = server.wait_log(json!({"clients_id": client}), 3).await;
    let mut outcomes: Vec<_> =
        rows.iter().map(|row| (row["handlers_name"].as_str().unwrap(), row["status"].as_str().unwrap())).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [("again.sh", "failed"), ("dead.sh", "failed"), ("ok.sh", "success")]);
    assert_has(&serde(&scripts.read("got.json")), &json!({"event": {"stage": "after", "seq": 1}}));
    wait_until("one is dead, one is tried again", || async {
        let rows = server.ok("provisioning.deliveries.search", json!({"order": ["handlers_id"]})).await;
        let states: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect();
        states == ["dead", "retrying"]
    })
    .await;
}

#[tokio::test]
async fn what_is_no_script_of_the_folder_is_refused_when_saved() {
    let server = Server::start().await;
    let scripts = server.scripts();
    scripts.add_with_mode("plain.txt", "#!/bin/sh\n", 0o644);
    scripts.add_with_mode("open.sh", "#!/bin/sh\n", 0o777);
    std::fs::create_dir(scripts.path("folder")).unwrap();
    symlink("/bin/sh", scripts.path("link.sh")).unwrap();
    for name in [
        "plain.txt",
        "open.sh",
        "folder",
        "link.sh",
        "absent.sh",
        "../master.key",
        "/bin/sh",
        "a/b.sh",
        "..",
        ".",
        "",
        "x\u{0}.sh",
        "a%2fb",
    ] {
        let handler = with(before(name), json!({"name": "script"}));
        let refusal = server.refused("provisioning.handlers.create", handler).await;
        assert_eq!(refusal.fields(), ["task"], "{name}");
        assert!(!refusal.data.to_string().contains("hookswitch-test-"), "a message never shows a path: {refusal:?}");
    }
}

#[tokio::test]
async fn a_script_is_checked_again_at_every_start() {
    let server = Server::start().await;
    let scripts = server.scripts();
    scripts.shell("good.sh", "exit 0");
    server.handler(before("good.sh")).await;
    server.client("One").await;
    std::fs::remove_file(scripts.path("good.sh")).unwrap();
    symlink("/bin/true", scripts.path("good.sh")).unwrap();
    assert_has(
        &server.refused("clients.create", json!({"name": "Two"})).await.data,
        &json!({"code": "handler_failed", "reason": "script"}),
    );
    std::fs::remove_file(scripts.path("good.sh")).unwrap();
    scripts.add_with_mode("good.sh", "#!/bin/sh\n", 0o777);
    assert_eq!(server.refused("clients.create", json!({"name": "Two"})).await.data["reason"], "script");
}

#[tokio::test]
async fn a_script_is_limited_in_what_it_may_use() {
    let server = Server::start().await;
    let scripts = server.scripts();
    scripts.shell("limits.sh", "ulimit -t > cpu.txt; ulimit -d > memory.txt; ulimit -n > files.txt; ulimit -f > size.txt");
    server.handler(before("limits.sh")).await;
    server.client("Acme").await;
    for name in ["cpu.txt", "memory.txt", "files.txt", "size.txt"] {
        let limit = scripts.read(name);
        assert!(limit.trim().parse::<u64>().is_ok(), "{name}: {limit:?}");
    }
}
