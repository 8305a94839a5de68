//! Scripts that stay: `mode: worker` (`docs/handlers.md`, "Workers"). What they may be up to in one call is tested nearer by,
//! with the processes themselves; here is what an operator and an integrator see of it.
use std::path::Path;

use hookswitch_testkit::{Server, Value, api::id, assert_has, json, wait_for, wait_until, with};

/// A Python worker: these lines for each `request`; `answer` answers it.
fn python(lines: &str) -> String {
    let head = "#!/usr/bin/env python3\nimport json, os, subprocess, sys, time\n\
        def answer(**more):\n    print(json.dumps({'call': request['call'], **more}), flush=True)\n\
        for line in sys.stdin:\n    request = json.loads(line)\n    payload = request['payload']\n";
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("{head}{lines}")
}

const TELL_PID: &str = "answer(reply={'data': {'notes': str(os.getpid())}})";

fn worker(kind: &str, name: &str) -> Value {
    let task = format!("script://{name}");
    json!({"name": name, "event": "clients.create", "type": kind, "task": task, "mode": "worker", "timeout_ms": 9000})
}

/// A server with one before worker.
async fn with_before(lines: &str, more: Value) -> (Server, i64) {
    let server = Server::start().await;
    server.scripts().add("worker.py", &python(lines));
    let handler = server.handler(with(worker("before", "worker.py"), more)).await;
    (server, handler)
}

/// The process that a before worker with [`TELL_PID`] had the client asked in.
async fn pid(server: &Server, name: &str) -> String {
    server.ok("clients.create", json!({"name": name})).await["notes"].as_str().unwrap().to_owned()
}

fn gone(pid: &str) -> bool {
    assert!(pid.parse::<u32>().is_ok(), "a process id, not {pid:?}");
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

async fn until_gone(pid: &str) {
    wait_until("the process is gone", || async { gone(pid) }).await;
}

#[tokio::test]
async fn a_before_worker_changes_forbids_and_fails_as_a_script_does() {
    let lines = "name = payload['data']['name']\n\
        if name == 'change': answer(reply={'data': {'notes': 'by worker'}, 'warnings': ['w']})\n\
        elif name == 'forbid': answer(reply={'verdict': 'forbid', 'message': 'by verdict', 'field': 'name'})\n\
        elif name == 'three': answer(exit=3, error='prefix not ours\\nmore')\n\
        elif name == 'one': answer(exit=1, error='why')\n\
        elif name == 'odd': answer(reply='OK')\n\
        elif name == 'bad': answer(reply={'data': {'nonsense': 1}})\n\
        else: answer()";
    let (server, handler) = with_before(lines, json!({})).await;
    let changed = server.whole("clients.create", json!({"name": "change"})).await;
    assert_has(&changed, &json!({"result": {"notes": "by worker"}, "warnings": ["w"]}));
    assert_eq!(server.ok("clients.create", json!({"name": "allow"})).await["notes"], json!(null));
    for (name, expected) in [
        ("forbid", json!({"code": "forbidden_by_handler", "message": "by verdict", "field": "name"})),
        ("three", json!({"code": "forbidden_by_handler", "message": "prefix not ours"})),
        ("one", json!({"code": "handler_failed", "reason": "script"})),
        ("odd", json!({"code": "handler_failed", "reason": "bad_reply"})),
        ("bad", json!({"code": "handler_failed", "reason": "bad_reply"})),
    ] {
        assert_has(&server.refused("clients.create", json!({"name": name})).await.data, &expected);
    }
    let row = server.wait_log(json!({"handlers_id": handler, "error": "prefix not ours"}), 1).await.remove(0);
    assert_eq!(row["response_status"], 3);
    let row = server.ok("provisioning.executions.get", json!({"id": row["id"]})).await;
    assert_eq!(row["response"], "[standard error]\nprefix not ours\nmore");
}

#[tokio::test]
async fn an_after_worker_gets_a_clients_events_in_order_and_one_process_takes_them() {
    let server = Server::start().await;
    let scripts = server.scripts();
    let lines = "with open('got.txt', 'a') as got:\n\
        \x20   print(payload['event']['seq'], payload['event']['stage'], request['env']['HOOKSWITCH_EVENT'], os.getpid(), file=got)\n\
        answer()";
    scripts.add("worker.py", &python(lines));
    server.handler(with(worker("after", "worker.py"), json!({"event": ["clients.create", "clients.update"]}))).await;
    let client = server.client("Acme").await;
    for n in 0..9 {
        server.ok("clients.update", json!({"id": client, "notes": format!("{n}")})).await;
    }
    server.wait_all_delivered().await;
    let got = scripts.read("got.txt");
    let rows: Vec<Vec<&str>> = got.lines().map(|line| line.split(' ').collect()).collect();
    let seqs: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(seqs, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert!(rows.iter().all(|row| row[1] == "after" && row[3] == rows[0][3]), "{got}");
    assert_eq!((rows[0][2], rows[1][2]), ("clients.create", "clients.update"));
}

#[tokio::test]
async fn after_exit_3_is_dead_at_once_and_the_rest_is_tried_again() {
    let server = Server::start().await;
    let scripts = server.scripts();
    for (name, lines) in
        [("ok.py", "answer(exit=0)"), ("dead.py", "answer(exit=3, error='no such realm')"), ("again.py", "sys.exit(9)")]
    {
        scripts.add(name, &python(lines));
        server.handler(worker("after", name)).await;
    }
    let client = server.client("Acme").await;
    let rows = server.wait_log(json!({"clients_id": client}), 3).await;
    let mut outcomes: Vec<_> =
        rows.iter().map(|row| (row["handlers_name"].as_str().unwrap(), row["status"].as_str().unwrap())).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [("again.py", "failed"), ("dead.py", "failed"), ("ok.py", "success")]);
    let deliveries = wait_for("one dead, one to be tried again", || async {
        let rows = server.ok("provisioning.deliveries.search", json!({"order": ["handlers_id"]})).await;
        (rows.as_array().unwrap().len() == 2).then_some(rows)
    })
    .await;
    assert_has(&deliveries[0], &json!({"state": "dead", "error": "script: it ended with the exit status 3: no such realm"}));
    assert_has(
        &deliveries[1],
        &json!({"state": "retrying", "error": "script: the worker ended with the exit status 9 before it answered"}),
    );
}

#[tokio::test]
async fn whatever_a_worker_does_wrong_is_about_one_call() {
    let lines = format!(
        "name = payload['data']['name']\n\
        if name == 'crash': sys.exit('crashed')\n\
        elif name == 'garbage': print('no JSON', flush=True)\n\
        elif name == 'number': request['call'] += 1\n\
        elif name == 'flood': print('x' * (2 << 20), flush=True)\n\
        elif name == 'close': os.close(1); time.sleep(600)\n\
        elif name == 'errors': print('e\\n' * (1 << 20), file=sys.stderr)\n{TELL_PID}"
    );
    let (server, handler) = with_before(&lines, json!({})).await;
    let mut last = pid(&server, "first").await;
    for name in ["crash", "garbage", "number", "flood", "close"] {
        let refusal = server.refused("clients.create", json!({"name": name})).await;
        assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "script", "handler": {"id": handler}}));
        until_gone(&last).await;
        last = pid(&server, &format!("after {name}")).await;
    }
    assert_eq!(pid(&server, "errors").await, last, "standard error is read all the time");
}

#[tokio::test]
async fn a_worker_that_hangs_is_killed_with_all_that_it_started() {
    let lines = "child = subprocess.Popen(['sleep', '600'])\n\
        open('pids.new', 'w').write(f'{os.getpid()} {child.pid}')\nos.rename('pids.new', 'pids.txt')\ntime.sleep(600)";
    let (server, _) = with_before(lines, json!({"timeout_ms": 1500})).await;
    let refusal = server.refused("clients.create", json!({"name": "x"})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "timeout"}));
    for pid in server.scripts().read("pids.txt").split(' ') {
        until_gone(pid).await;
    }
}

#[tokio::test]
async fn calls_at_once_have_a_process_each() {
    let lines = format!(
        "open('here.' + str(os.getpid()), 'w').close()\n\
        while len([name for name in os.listdir('.') if name.startswith('here.')]) < 2: time.sleep(0.005)\n{TELL_PID}"
    );
    let (server, _) = with_before(&lines, json!({})).await;
    let (one, other) = tokio::join!(pid(&server, "one"), pid(&server, "other"));
    assert_ne!(one, other);
}

#[tokio::test]
async fn saving_the_handler_or_changing_the_script_starts_anew() {
    let (server, handler) = with_before(TELL_PID, json!({})).await;
    let first = pid(&server, "one").await;
    assert_eq!(pid(&server, "two").await, first);
    server.ok("provisioning.handlers.update", json!({"id": handler, "notes": "saved"})).await;
    until_gone(&first).await;
    let second = pid(&server, "three").await;
    server.scripts().add("worker.py", &python(&format!("# another\n{TELL_PID}")));
    let third = pid(&server, "four").await;
    assert_ne!(second, third);
    until_gone(&second).await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    until_gone(&third).await;
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "enabled"})).await;
    let fourth = pid(&server, "five").await;
    server.ok("provisioning.handlers.delete", json!({"id": handler})).await;
    until_gone(&fourth).await;
}

#[tokio::test]
async fn a_shadow_keeps_its_process_when_another_handler_is_saved() {
    let lines = "print(os.getpid(), file=open('pids.txt', 'a'))\nanswer()";
    let (server, handler) = with_before(lines, json!({"status": "shadow"})).await;
    let other = server.handler(with(worker("before", "worker.py"), json!({"event": "clients.delete"}))).await;
    server.client("one").await;
    server.wait_log(json!({"handlers_id": handler}), 1).await;
    server.ok("provisioning.handlers.update", json!({"id": other, "notes": "saved"})).await;
    server.client("two").await;
    server.wait_log(json!({"handlers_id": handler}), 2).await;
    let pids = server.scripts().read("pids.txt");
    let pids: Vec<&str> = pids.lines().collect();
    assert_eq!(pids, [pids[0], pids[0]], "one process for both");
    server.ok("provisioning.handlers.update", json!({"id": handler, "status": "disabled"})).await;
    until_gone(pids[0]).await;
}

#[tokio::test]
async fn nothing_of_a_worker_is_left_when_the_server_ends() {
    let lines = "child = subprocess.Popen(['sleep', '600'])\nanswer(reply={'data': {'notes': f'{os.getpid()} {child.pid}'}})";
    let (mut server, _) = with_before(lines, json!({})).await;
    let notes = pid(&server, "one").await;
    let (status, _) = server.terminate().await;
    assert!(status.success());
    for pid in notes.split(' ') {
        until_gone(pid).await;
    }
}

#[tokio::test]
async fn a_worker_dies_with_a_server_that_is_killed() {
    let (mut server, _) = with_before(TELL_PID, json!({})).await;
    let first = pid(&server, "one").await;
    server.kill9().await;
    until_gone(&first).await;
}

#[tokio::test]
async fn the_data_folder_and_the_servers_environment_are_closed_to_a_worker() {
    let server = Server::setup().env("SECRET_OF_THE_SERVER", "a-secret-value").start().await;
    let lines = "seen = {'env': sorted(os.environ)}\n\
        for name, path in [('key', '../master.key'), ('environ', f'/proc/{os.getppid()}/environ')]:\n\
        \x20   try: seen[name] = open(path).read()\n\
        \x20   except OSError: seen[name] = 'closed'\n\
        answer(reply={'data': {'notes': json.dumps(seen)}})";
    server.scripts().add("worker.py", &python(lines));
    server.handler(worker("before", "worker.py")).await;
    let notes = pid(&server, "one").await;
    let seen: Value = notes.parse().unwrap();
    assert_has(&seen, &json!({"env": ["LANG", "PATH"], "key": "closed", "environ": "closed"}));
}

#[tokio::test]
async fn its_limits_are_a_scripts_but_for_processor_time_which_grows_with_its_life() {
    let lines = "import resource\n\
        limits = [resource.getrlimit(x)[0] for x in (resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE)]\n\
        answer(reply={'data': {'notes': json.dumps(limits)}})";
    let (server, _) = with_before(lines, json!({})).await;
    let limits: Vec<i64> = serde(&pid(&server, "one").await);
    assert!(limits[0] >= 3_660 && limits[1] == 1 << 30 && limits[2] <= 1_024 && limits[3] == 256 << 20, "{limits:?}");
}

fn serde(text: &str) -> Vec<i64> {
    let list: Value = text.parse().unwrap();
    list.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_script_that_never_starts_does_not_start_without_end() {
    let server = Server::start().await;
    server.scripts().shell("worker.sh", "echo start >> starts.txt; echo 'no module named billing' >&2; exit 1");
    server.handler(worker("before", "worker.sh")).await;
    let mut last = Value::Null;
    for n in 0..20 {
        last = server.refused("clients.create", json!({"name": format!("{n}")})).await.data;
        assert_has(&last, &json!({"code": "handler_failed", "reason": "script"}));
    }
    assert!(last["message"].as_str().unwrap().contains("no module named billing"), "{last}");
    assert!(server.scripts().read("starts.txt").lines().count() < 20);
    server.scripts().shell("worker.sh", "while read -r line; do echo '{\"call\":1}'; done");
    server.client("Acme").await;
}

#[tokio::test]
async fn mode_is_for_scripts_only_and_goes_when_the_task_becomes_a_url() {
    let (server, handler) = with_before(TELL_PID, json!({})).await;
    let url = json!({"name": "x", "event": "clients.create", "task": "http://127.0.0.1:9/", "mode": "worker"});
    assert_eq!(server.refused("provisioning.handlers.create", url).await.fields(), ["mode"]);
    let saved = server.ok("provisioning.handlers.update", json!({"id": handler, "task": "http://127.0.0.1:9/"})).await;
    assert_eq!(saved["mode"], "once");
    let once =
        server.ok("provisioning.handlers.create", json!({"name": "x", "event": "clients.create", "task": "script://worker.py"}));
    let once = once.await;
    assert_eq!(once["mode"], "once");
    assert!(id(&once) > handler);
}

#[tokio::test]
async fn a_test_call_has_a_process_of_its_own_that_ends_with_it() {
    let (server, handler) = with_before(TELL_PID, json!({})).await;
    let serving = pid(&server, "one").await;
    let tried = server.ok("provisioning.handlers.test", json!({"id": handler, "events_id": "clients.create"})).await;
    let trial = tried["changes"]["notes"]["new"].as_str().unwrap();
    assert_ne!(trial, serving);
    until_gone(trial).await;
    assert_eq!(pid(&server, "two").await, serving);
}
