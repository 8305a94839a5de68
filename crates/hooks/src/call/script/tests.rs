//! With real scripts, started directly: what [`sandbox`] adds is tested from outside (`tests/src/scripts.rs`), because
//! it needs a program that becomes the script.
use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::call::{
    Caller, STDERR_BYTES_MAX,
    fixture::{LONG, call, handler, options},
};

/// A scripts folder, and what calls the scripts in it.
pub(super) struct Scripts {
    pub(super) folder: tempfile::TempDir,
    pub(super) caller: Caller,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let caller = Caller::new(options(folder.path()));
        Self { folder, caller }
    }

    /// With one script, `script`.
    fn with(lines: &str) -> Self {
        let scripts = Self::new();
        scripts.write("script", &format!("#!/bin/sh\n{lines}\n"));
        scripts
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Written by another process: if we held it open for writing while another test starts a script, that script would
    /// have it open too for a moment, and this one could not be started.
    pub(super) fn write(&self, name: &str, content: &str) {
        let write = r#"printf %s "$1" > "$0" && chmod 755 "$0""#;
        assert!(Command::new("/bin/sh").arg("-c").arg(write).arg(self.path(name)).arg(content).status().unwrap().success());
    }

    async fn call_with(&self, more: Value, call: &Call) -> Result<Reply, CallError> {
        self.caller.call(&handler("script://script", more), call).await.result
    }

    async fn call(&self) -> Result<Reply, CallError> {
        self.call_with(json!({}), &call()).await
    }

    async fn output(&self) -> String {
        String::from_utf8(self.call().await.unwrap().body).unwrap()
    }

    async fn failure(&self) -> String {
        let error = self.call().await.unwrap_err();
        assert_eq!((error.reason, error.status), (FailureReason::Script, None), "{error}");
        error.message
    }
}

/// Waits until there is no such process, nor its remains.
pub(super) async fn gone(pid: &str) {
    let entry = Path::new("/proc").join(pid.trim().parse::<u32>().unwrap().to_string());
    let gone = async {
        while entry.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, gone).await.expect("it still runs");
}

/// Waits until it runs no more; who has to bury it may be another.
pub(super) async fn ended(pid: &str) {
    let stat = Path::new("/proc").join(pid.trim().parse::<u32>().unwrap().to_string()).join("stat");
    let ended = async {
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, ended).await.expect("it still runs");
}

#[tokio::test]
async fn any_exit_status_is_a_reply() {
    for status in [0, 1, 3, 126, 127, 255] {
        let scripts = Scripts::with(&format!("echo out; echo no credit >&2; echo more >&2; exit {status}"));
        let reply = scripts.call().await.unwrap();
        assert_eq!((reply.kind, reply.status, reply.body.as_slice()), (Kind::Script, status, &b"out\n"[..]));
        assert_eq!((reply.first_line.as_str(), reply.stderr.as_str()), ("no credit", "no credit\nmore\n"));
        assert_eq!(reply.retry_after, None);
    }
}

#[tokio::test]
async fn an_end_by_a_signal_is_a_failure() {
    let scripts = Scripts::with("echo out; echo why >&2; kill -9 $$");
    let error = scripts.call().await.unwrap_err();
    assert_eq!((error.reason, error.message.as_str()), (FailureReason::Script, "the script was ended by SIGKILL"));
    assert_eq!((error.body.as_slice(), error.stderr.as_str()), (&b"out\n"[..], "why\n"));
    assert_eq!(Scripts::with("kill -XCPU $$").failure().await, "the script used more processor time than it may");
}

#[tokio::test]
async fn the_payload_comes_on_standard_input_whole() {
    // More than fits into pipes: both are moved along at once.
    let body: bytes::Bytes = "\0é\n".repeat(250_000).into();
    let reply = Scripts::with("exec cat").call_with(json!({}), &Call { body: body.clone(), ..call() }).await.unwrap();
    assert!(reply.body == body);
}

#[tokio::test]
async fn a_script_need_not_read_what_it_is_sent() {
    let call = Call { body: vec![b'x'; BODY_BYTES_MAX].into(), ..call() };
    for lines in ["echo ok", "exec <&-; echo ok", "head -c 10 >/dev/null; exec <&-; sleep 0.05; echo ok"] {
        assert_eq!(Scripts::with(lines).call_with(json!({}), &call).await.unwrap().body, b"ok\n", "{lines}");
    }
}

#[tokio::test]
async fn the_environment_is_the_contracts_and_nothing_else() {
    let scripts = Scripts::new();
    // Not by a shell, which has variables of its own.
    let copied = Command::new("cp").arg("/usr/bin/env").arg(scripts.path("env")).status().unwrap();
    assert!(copied.success());
    let handler = handler("script://env", json!({"timeout_ms": 1_000}));
    for (deadline_ms, told) in [(Some(2_900), 2_900), (None, 60_000)] {
        let reply = scripts.caller.call(&handler, &Call { deadline_ms, ..call() }).await.result.unwrap();
        let told = format!("HOOKSWITCH_DEADLINE_MS={told}");
        let mut lines: Vec<_> = str::from_utf8(&reply.body).unwrap().lines().collect();
        lines.sort_unstable();
        let expected = [
            "HOOKSWITCH_ATTEMPT=2",
            "HOOKSWITCH_CAUSE=019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11.7.abc",
            &told,
            "HOOKSWITCH_EVENT=clients.update",
            "HOOKSWITCH_EVENT_ID=019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11",
            "HOOKSWITCH_OBJECT_ID=12",
            "HOOKSWITCH_STAGE=before",
            "LANG=C.UTF-8",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ];
        assert_eq!(lines, expected);
    }
}

#[tokio::test]
async fn arguments_pass_no_shell() {
    let args = ["--realm", "a b; rm -rf $HOME", "*", "", "é'\""];
    let reply = Scripts::with(r#"printf '%s|' "$@""#).call_with(json!({"args": args}), &call()).await.unwrap();
    assert_eq!(str::from_utf8(&reply.body).unwrap(), format!("{}|", args.join("|")));
}

#[tokio::test]
async fn a_script_runs_in_the_scripts_folder_in_a_group_of_its_own() {
    let scripts = Scripts::with("pwd -P; echo $$; cut -d' ' -f5 /proc/$$/stat");
    let output = scripts.output().await;
    let [folder, pid, group] = output.lines().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(Path::new(folder), scripts.folder.path().canonicalize().unwrap());
    assert_eq!(pid, group);
}

#[tokio::test]
async fn at_its_time_limit_the_whole_group_is_killed() {
    let scripts = Scripts::with("sleep 600 & echo $$ $!; echo why >&2; wait");
    // A longer limit where the machine was too busy for the short one.
    for timeout_ms in [100, 400, 1_600, 6_400] {
        let call = Call { timeout: Duration::from_millis(timeout_ms), ..call() };
        let error = scripts.call_with(json!({}), &call).await.unwrap_err();
        assert_eq!(error.reason, FailureReason::Timeout);
        assert_eq!(error.message, format!("the script did not end within {timeout_ms} ms"));
        if let [first, child] = String::from_utf8(error.body).unwrap().split_whitespace().collect::<Vec<_>>()[..] {
            gone(first).await;
            ended(child).await;
            return;
        }
    }
    panic!("too slow");
}

#[tokio::test]
async fn a_script_whose_call_is_given_up_is_killed() {
    let scripts = Scripts::with("echo $$ > pid.new; mv pid.new pid; exec sleep 600");
    let (handler, call) = (handler("script://script", json!({})), call());
    let begun = async {
        while !scripts.path("pid").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        called = scripts.caller.call(&handler, &call) => panic!("{called:?}"),
        () = begun => {}
    }
    gone(&fs::read_to_string(scripts.path("pid")).unwrap()).await;
}

#[tokio::test]
async fn when_the_first_process_ends_the_rest_is_killed_and_what_is_in_the_pipes_is_read() {
    // The child holds the pipes open.
    let output = Scripts::with("sleep 600 & echo $$ $!").output().await;
    let [first, child] = output.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
    gone(first).await;
    ended(child).await;
}

#[tokio::test]
async fn nothing_is_left_of_many_scripts_at_once() {
    let scripts = Scripts::with("echo $$");
    let handler = handler("script://script", json!({}));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (caller, handler) = (scripts.caller.clone(), handler.clone());
            tokio::spawn(async move { caller.call(&handler, &call()).await.result.unwrap().body })
        })
        .collect();
    for call in calls {
        gone(str::from_utf8(&call.await.unwrap()).unwrap()).await;
    }
}

#[tokio::test]
async fn standard_output_may_have_1_mib_and_not_a_byte_more() {
    let bytes = |count| Scripts::with(&format!("exec head -c {count} /dev/zero"));
    assert_eq!(bytes(BODY_BYTES_MAX).call().await.unwrap().body.len(), BODY_BYTES_MAX);
    for scripts in [bytes(BODY_BYTES_MAX + 1), Scripts::with("exec yes")] {
        let error = scripts.call().await.unwrap_err();
        assert_eq!((error.reason, error.message.as_str()), (FailureReason::Script, "the script wrote more than 1 MiB"));
        assert_eq!(error.body.len(), BODY_BYTES_MAX);
    }
}

#[tokio::test]
async fn of_standard_error_the_first_line_and_the_end_are_kept() {
    let lines = "echo '  no credit  ' >&2; seq 20000 >&2; exit 3";
    let reply = Scripts::with(lines).call().await.unwrap();
    assert_eq!(reply.first_line, "no credit");
    assert!(reply.stderr.ends_with("\n19999\n20000\n") && !reply.stderr.contains("credit"));
    assert!((STDERR_BYTES_MAX..=4 * STDERR_BYTES_MAX).contains(&reply.stderr.len()), "{}", reply.stderr.len());
}

#[tokio::test]
async fn a_script_is_checked_again_at_every_start() {
    let scripts = Scripts::with("exit 0");
    let path = scripts.path("script");
    let mode = |mode| fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(scripts.call().await.unwrap().status, 0);
    mode(0o644);
    assert_eq!(scripts.failure().await, "the script script: script is not executable (chmod +x)");
    mode(0o777);
    assert_eq!(scripts.failure().await, "the script script: script may be written by others (chmod go-w)");
    fs::remove_file(&path).unwrap();
    assert_eq!(scripts.failure().await, "the script script: there is no script script in the scripts folder");
    symlink("/bin/true", &path).unwrap();
    assert_eq!(scripts.failure().await, "the script script: script is a link out of the scripts folder");
    fs::remove_file(&path).unwrap();
    scripts.write("script", "#!/bin/sh\necho again\n");
    assert_eq!(scripts.output().await, "again\n");
}

#[tokio::test]
async fn a_script_that_cannot_be_started_says_what_to_do() {
    let scripts = Scripts::new();
    for (content, words) in [
        ("#!/no/such/interpreter\n", "the interpreter named in its first line is missing"),
        ("exit 0\n", "it is no program and has no first line such as #!/bin/sh"),
    ] {
        scripts.write("script", content);
        assert_eq!(scripts.failure().await, format!("the script script: it could not be started: {words}"));
    }
    // As the sandbox says it.
    scripts.write("script", "#!/bin/sh\necho 'hookswitch: it could not be started: why' >&2; exit 126\n");
    assert_eq!(scripts.failure().await, "the script script: it could not be started: why");
}

#[tokio::test]
async fn a_resellers_script_is_never_started() {
    let scripts = Scripts::with("touch started");
    let error = scripts.call_with(json!({}), &Call { reseller_bound: true, ..call() }).await.unwrap_err();
    assert_eq!(error.message, "only users of the whole system may configure scripts");
    assert!(!scripts.path("started").exists());
}
