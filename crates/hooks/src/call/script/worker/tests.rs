//! With real workers, in Python and in sh, started directly.
use std::{fs, sync::Arc};

use hookswitch_model::handler::Handler;
use serde_json::{Value, json};

use super::*;
use crate::call::{
    Caller, STDERR_BYTES_MAX,
    fixture::{LONG, call, handler, options},
    script::{
        starter::{Place, Starter},
        tests::{Scripts, ended, gone},
    },
};

/// A Python worker: these lines for each request.
fn python(lines: &str) -> String {
    let head = "#!/usr/bin/env python3\nimport json, os, subprocess, sys, time\n\
        def answer(**more):\n    print(json.dumps({'call': request['call'], **more}), flush=True)\n\
        for line in sys.stdin:\n    request = json.loads(line)\n";
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("{head}{lines}")
}

const PID: &str = "answer(reply={'pid': os.getpid()})";

struct Workers {
    scripts: Scripts,
    handler: Handler,
}

impl Workers {
    fn new(lines: &str) -> Self {
        Self::with(&python(lines), json!({}))
    }

    fn with(content: &str, more: Value) -> Self {
        let scripts = Scripts::new();
        scripts.write("script", content);
        let mut handler = handler("script://script", json!({"mode": "worker"}));
        let Value::Object(more) = more else { panic!("an object") };
        handler.apply(&more).unwrap();
        Self { scripts, handler }
    }

    async fn call_with(&self, call: &Call) -> Result<Reply, CallError> {
        self.scripts.caller.call(&self.handler, call).await.result
    }

    async fn call(&self) -> Result<Reply, CallError> {
        self.call_with(&call()).await
    }

    async fn reply(&self) -> Value {
        serde_json::from_slice(&self.call().await.unwrap().body).unwrap()
    }

    async fn pid(&self) -> String {
        self.reply().await["pid"].to_string()
    }

    async fn failure(&self) -> String {
        let error = self.call().await.unwrap_err();
        assert_eq!((error.reason, error.status), (FailureReason::Script, None), "{error}");
        error.message
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.scripts.path(name)).unwrap_or_default()
    }

    async fn until_there_is(&self, name: &str) {
        let there = async {
            while !self.scripts.path(name).exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, there).await.expect(name);
    }
}

#[tokio::test]
async fn one_process_takes_one_call_after_another() {
    let workers = Workers::new("answer(reply={'pid': os.getpid(), 'seen': request})");
    let first = workers.reply().await;
    let second = workers.reply().await;
    assert_eq!(first["pid"], second["pid"]);
    assert_eq!((&first["seen"]["call"], &second["seen"]["call"]), (&json!(1), &json!(2)));
    assert_eq!(second["seen"]["payload"], json!({"event": {}, "data": {"name": "Zoë"}}));
    assert_eq!(second["seen"]["env"]["HOOKSWITCH_CAUSE"], "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11.7.abc");
}

#[tokio::test]
async fn its_own_environment_is_what_never_changes() {
    let lines = "answer(reply={'env': open('/proc/self/environ').read(), 'args': sys.argv[1:], 'cwd': os.getcwd()})";
    let workers = Workers::with(&python(lines), json!({"args": ["--realm", "a b; *"]}));
    let reply = workers.reply().await;
    let mut environment: Vec<_> = reply["env"].as_str().unwrap().split_terminator('\0').collect();
    environment.sort_unstable();
    assert_eq!(environment, ["LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
    assert_eq!(reply["args"], json!(["--realm", "a b; *"]));
    assert_eq!(reply["cwd"], workers.scripts.folder.path().canonicalize().unwrap().to_str().unwrap());
}

#[tokio::test]
async fn an_answer_is_what_a_one_shot_script_says_with_its_end() {
    let lines = "print('heard', file=sys.stderr)\nanswer(exit=3, reply={'x': 1}, error='no credit\\nmore')";
    let reply = Workers::new(lines).call().await.unwrap();
    assert_eq!((reply.kind, reply.status, reply.body.as_slice()), (Kind::Script, 3, &br#"{"x": 1}"#[..]));
    assert_eq!((reply.first_line.as_str(), reply.stderr.as_str()), ("no credit", "no credit\nmore\nheard\n"));
    let reply = Workers::new("print(' why ', file=sys.stderr)\nanswer(exit=1)").call().await.unwrap();
    assert_eq!((reply.status, reply.body.len(), reply.first_line.as_str()), (1, 0, "why"));
}

#[tokio::test]
async fn a_worker_may_be_a_shell_script() {
    let lines =
        "#!/bin/sh\nn=0\nwhile read -r line; do n=$((n+1)); echo \"{\\\"call\\\":$n,\\\"reply\\\":{\\\"pid\\\":$$}}\"; done\n";
    let workers = Workers::with(lines, json!({}));
    assert_eq!(workers.pid().await, workers.pid().await);
}

#[tokio::test]
async fn calls_at_once_have_a_process_each() {
    let lines = "open('here.' + str(os.getpid()), 'w').close()\n\
        while len([name for name in os.listdir('.') if name.startswith('here.')]) < 2: time.sleep(0.005)\n\
        answer(reply={'pid': os.getpid()})";
    let workers = Arc::new(Workers::new(lines));
    let (one, other) = tokio::join!(workers.pid(), workers.pid());
    assert_ne!(one, other);
}

#[tokio::test]
async fn there_are_never_more_processes_than_concurrency_says() {
    let workers = Arc::new(Workers::with(&python(PID), json!({"concurrency": 3})));
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move { workers.pid().await })
        })
        .collect();
    let mut pids = Vec::new();
    for call in calls {
        pids.push(call.await.unwrap());
    }
    pids.sort_unstable();
    pids.dedup();
    assert!((1..=3).contains(&pids.len()), "{pids:?}");
}

#[tokio::test]
async fn whoever_waits_for_a_place_too_long_is_told_so() {
    let workers = Workers::with(&python("open('begun', 'w').close()\ntime.sleep(600)"), json!({"concurrency": 1}));
    let short = Call { timeout: Duration::from_millis(50), ..call() };
    let long = call();
    tokio::select! {
        result = workers.call_with(&long) => panic!("{result:?}"),
        error = async {
            workers.until_there_is("begun").await;
            workers.call_with(&short).await.unwrap_err()
        } => assert_eq!(error.reason, FailureReason::Busy),
    }
}

#[tokio::test]
async fn a_worker_that_crashes_fails_its_own_call_only() {
    let workers = Workers::new(&format!("if request['call'] == 2: sys.exit('why\\nnot')\n{PID}"));
    let first = workers.pid().await;
    let error = workers.call().await.unwrap_err();
    assert_eq!(error.message, "the worker ended with the exit status 1 before it answered: why");
    assert_eq!((error.reason, error.stderr.as_str()), (FailureReason::Script, "why\nnot\n"));
    assert_ne!(workers.pid().await, first);
    let killed = Workers::new("os.kill(os.getpid(), 9)");
    assert_eq!(killed.failure().await, "the worker was ended by SIGKILL before it answered");
}

#[tokio::test]
async fn a_worker_that_hangs_is_killed_with_its_group_at_the_time_limit() {
    let lines = "child = subprocess.Popen(['sleep', '600'])\n\
        open('pids.new', 'w').write(f'{os.getpid()} {child.pid}')\nos.rename('pids.new', 'pids')\ntime.sleep(600)";
    let workers = Workers::new(lines);
    // A longer limit where the machine was too busy for the short one.
    for timeout_ms in [400, 1_600, 6_400] {
        let error = workers.call_with(&Call { timeout: Duration::from_millis(timeout_ms), ..call() }).await.unwrap_err();
        assert_eq!(error.reason, FailureReason::Timeout);
        assert_eq!(error.message, format!("the worker did not answer within {timeout_ms} ms"));
        if let [first, child] = workers.read("pids").split_whitespace().collect::<Vec<_>>()[..] {
            gone(first).await;
            ended(child).await;
            return;
        }
    }
    panic!("too slow");
}

#[tokio::test]
async fn a_worker_whose_call_is_given_up_is_killed() {
    let workers = Workers::new("open('pid.new', 'w').write(str(os.getpid()))\nos.rename('pid.new', 'pid')\ntime.sleep(600)");
    let call = call();
    tokio::select! {
        result = workers.call_with(&call) => panic!("{result:?}"),
        () = workers.until_there_is("pid") => {}
    }
    gone(&workers.read("pid")).await;
}

#[tokio::test]
async fn what_is_no_answer_fails_the_call_and_ends_the_process() {
    for (lines, words) in [
        ("print('ready', flush=True)", "the worker wrote a line that is no answer: "),
        ("answer(verdict='forbid')", "the worker wrote a line that is no answer: unknown field `verdict`"),
        ("request['call'] += 1; answer()", "the worker answered call 2 when it was asked call 1"),
        ("os.close(1); time.sleep(600)", "the worker closed its standard output before it answered"),
        ("print('x' * (2 << 20), flush=True)", "the worker's answer is longer than 1 MiB"),
        ("print('x' * (2 << 20), end='', flush=True); time.sleep(600)", "the worker's answer is longer than 1 MiB"),
    ] {
        let workers = Workers::new(&format!("open('pid', 'w').write(str(os.getpid()))\n{lines}"));
        let failure = workers.failure().await;
        assert!(failure.starts_with(words), "{lines}: {failure}");
        gone(&workers.read("pid")).await;
    }
}

#[tokio::test]
async fn what_nobody_asked_for_ends_the_process_but_fails_no_call() {
    let workers = Workers::new(&format!("{PID}\nprint('and more', flush=True)"));
    let mut pids = Vec::new();
    for _ in 0..5 {
        pids.push(workers.pid().await);
        gone(pids.last().unwrap()).await;
    }
}

#[tokio::test]
async fn a_worker_may_end_after_any_answer() {
    let workers = Workers::new(&format!("{PID}\nsys.exit(0)"));
    let mut pids = std::collections::BTreeSet::new();
    for _ in 0..30 {
        pids.insert(workers.pid().await);
    }
    assert_eq!(pids.len(), 30);
}

#[tokio::test]
async fn a_worker_that_leaves_a_child_behind_is_seen_to_end() {
    let workers = Workers::new("subprocess.Popen(['sleep', '600'])\nsys.exit(4)");
    assert_eq!(workers.failure().await, "the worker ended with the exit status 4 before it answered");
}

#[tokio::test]
async fn a_long_payload_and_a_long_answer_pass_whole() {
    let workers = Workers::new("answer(reply={'data': request['payload']['data']})");
    let body = json!({"data": "é\n".repeat(90_000)}).to_string();
    let reply = workers.call_with(&Call { body: body.clone().into(), ..call() }).await.unwrap();
    let same: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(same.to_string(), body);
    workers.call().await.unwrap();
}

#[tokio::test]
async fn standard_error_may_be_flooded() {
    let workers = Workers::new("for n in range(100000): print(f'line {n}', file=sys.stderr)\nanswer()");
    for _ in 0..2 {
        let reply = workers.call().await.unwrap();
        assert!(reply.stderr.ends_with("line 99999\n") && reply.stderr.len() <= 2 * STDERR_BYTES_MAX);
        assert_eq!(reply.first_line, "line 0");
    }
}

#[tokio::test]
async fn what_is_written_to_standard_error_between_calls_is_in_no_log() {
    let workers = Workers::new("answer()\nif request['call'] == 1: print('late', file=sys.stderr)\nopen('late', 'w').close()");
    workers.call().await.unwrap();
    workers.until_there_is("late").await;
    assert_eq!(workers.call().await.unwrap().stderr, "");
}

#[tokio::test]
async fn a_script_that_was_changed_is_started_anew() {
    let workers = Workers::new(PID);
    let first = workers.pid().await;
    workers.scripts.write("script", &python(&format!("#changed\n{PID}")));
    assert_ne!(workers.pid().await, first);
    gone(&first).await;
    fs::remove_file(workers.scripts.path("script")).unwrap();
    assert_eq!(workers.failure().await, "the script script: there is no script script in the scripts folder");
    workers.scripts.write("script", &python(PID));
    workers.pid().await;
    fs::set_permissions(workers.scripts.path("script"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(workers.failure().await, "the script script: script may be written by others (chmod go-w)");
}

#[tokio::test]
async fn a_handler_that_is_saved_anew_has_new_processes_and_the_call_under_way_ends_in_peace() {
    let lines = "open('begun', 'w').close()\n\
        while not os.path.exists('go'): time.sleep(0.005)\nanswer(reply={'pid': os.getpid()})";
    let workers = Workers::new(lines);
    let saved = Handler { version: 2, ..workers.handler.clone() };
    let under_way = async { (workers.pid().await, ()) };
    let save = async {
        workers.until_there_is("begun").await;
        workers.scripts.caller.keep_only(|_| Some(&saved));
        fs::write(workers.scripts.path("go"), "").unwrap();
    };
    let ((old, ()), ()) = tokio::join!(under_way, save);
    gone(&old).await;
    let new = workers.scripts.caller.call(&saved, &call()).await.result.unwrap();
    assert_ne!(serde_json::from_slice::<Value>(&new.body).unwrap()["pid"].to_string(), old);
}

#[tokio::test]
async fn at_the_end_workers_hear_it_and_nothing_is_left() {
    let polite = "child = subprocess.Popen(['sleep', '600'])\nanswer(reply={'pid': os.getpid(), 'child': child.pid})";
    let workers = Workers::with(&format!("{}open('bye', 'w').close()\n", python(polite)), json!({}));
    let deaf = Workers::with(&format!("{}time.sleep(600)\n", python(PID)), json!({}));
    let (reply, deaf_pid) = (workers.reply().await, deaf.pid().await);
    workers.scripts.caller.stop().await;
    assert!(workers.scripts.path("bye").exists(), "its standard input was closed");
    gone(&reply["pid"].to_string()).await;
    ended(&reply["child"].to_string()).await;
    deaf.scripts.caller.stop().await;
    gone(&deaf_pid).await;
}

#[tokio::test]
async fn a_script_that_never_starts_is_left_alone_until_it_is_changed() {
    let broken = "#!/bin/sh\necho start >> starts\necho no module named billing >&2; exit 1\n";
    let workers = Workers::with(broken, json!({}));
    let mut failures = Vec::new();
    for _ in 0..20 {
        failures.push(workers.failure().await);
    }
    assert_eq!(failures[0], "the worker ended with the exit status 1 before it answered: no module named billing");
    assert!(failures.iter().any(|words| words.starts_with("the script script: it is not started for now")), "{failures:?}");
    assert!(workers.read("starts").lines().count() < 20);
    workers.scripts.write("script", &python(PID));
    workers.pid().await;
}

/// A pool of its own pace.
fn pool(scripts: &Scripts, pace: Pace) -> Pool {
    let Caller { .. } = &scripts.caller;
    let options = options(scripts.folder.path());
    let place =
        Place { scripts_dir: options.scripts_dir, data_dir: options.data_dir, program: None, limits: options.script_limits };
    Pool::with_pace(pace, "script", &[], 4, Starter::new(place), Leaving::default())
}

async fn pid(pool: &Pool) -> String {
    serde_json::from_slice::<Value>(&pool.call(&call()).await.unwrap().body).unwrap()["pid"].to_string()
}

#[tokio::test]
async fn a_process_is_recycled_after_so_many_calls_and_when_it_is_old() {
    let scripts = Scripts::new();
    scripts.write("script", &python(PID));
    let of_two = pool(&scripts, Pace { calls_max: 2, ..PACE });
    let pids = [pid(&of_two).await, pid(&of_two).await, pid(&of_two).await, pid(&of_two).await];
    assert!(pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3], "{pids:?}");
    let of_a_moment = pool(&scripts, Pace { lifetime: Duration::ZERO, ..PACE });
    assert_ne!(pid(&of_a_moment).await, pid(&of_a_moment).await);
}

#[tokio::test]
async fn of_idle_processes_one_is_kept_and_none_beyond_its_life() {
    let lines = format!(
        "open('here.' + str(os.getpid()), 'w').close()\n\
        while len([name for name in os.listdir('.') if name.startswith('here.')]) < 3: time.sleep(0.005)\n{PID}"
    );
    let scripts = Scripts::new();
    scripts.write("script", &python(&lines));
    let pool = pool(&scripts, Pace { idle: Duration::from_millis(40), ..PACE });
    let _pids = tokio::join!(pid(&pool), pid(&pool), pid(&pool));
    let until = |count: usize| {
        let pool = &pool;
        async move {
            while pool.idle_count() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(LONG, until(1)).await.expect("the surplus is ended");
    assert!(!pid(&pool).await.is_empty());
}
