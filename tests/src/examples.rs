//! The handlers of `examples/handlers` are run as an integrator would run them.
use hookswitch_testkit::{
    Companion, Server, Value,
    api::id,
    assert_has,
    companion::{python, repository},
    json, wait_until, with,
};

/// A task that nobody is called at yet: the program that answers needs the secret which the handler's creation returns.
const SOON: &str = "http://127.0.0.1:9/";

/// Saves a handler, starts its program with the secret, and points the handler at it.
async fn save_and_start(server: &Server, fields: Value, program: &str, args: &[&str], env: &[(&str, &str)]) -> Companion {
    let handler = server
        .ok("provisioning.handlers.create", with(json!({"name": "example", "task": SOON, "timeout_ms": 9000}), fields))
        .await;
    let secret = handler["secret"].as_str().unwrap();
    let env: Vec<_> = env.iter().copied().chain([("HOOKSWITCH_SECRET", secret)]).collect();
    let running = Companion::start(program, args, &env).await;
    server.ok("provisioning.handlers.update", json!({"id": id(&handler), "task": running.url("/")})).await;
    running
}

/// What every `decide` example promises.
async fn assert_decides(server: &Server) {
    let refusal = server.refused("clients.create", json!({"name": "Test client"})).await;
    assert_has(&refusal.data, &json!({"code": "forbidden_by_handler", "message": "test clients are not made here"}));
    for (name, credit, stored) in [("Small", json!(10), 10), ("Big", json!(1000.01), 1000), ("Unlimited", json!(null), 1000)] {
        let answer = server.whole("clients.create", json!({"name": name, "credit": credit})).await;
        assert_eq!(answer["result"]["credit"], json!(stored), "{name}: {answer}");
        let warned = answer["warnings"] == json!(["credit was cut to 1000"]);
        assert_eq!(warned, name != "Small", "{answer}");
    }
    let client = server.ok("clients.search", json!({"name": "Small"})).await;
    server.ok("clients.update", json!({"id": client[0]["id"], "credit": 5000})).await;
}

fn decide() -> Value {
    json!({"type": "before", "event": ["clients.create", "clients.update"]})
}

#[tokio::test]
async fn decide_with_flask() {
    let server = Server::start().await;
    let _running =
        save_and_start(&server, decide(), python().to_str().unwrap(), &["examples/handlers/decide_flask.py"], &[]).await;
    assert_decides(&server).await;
}

#[tokio::test]
async fn decide_with_the_kit_for_python() {
    let server = Server::start().await;
    let kit = repository().join("kits/python");
    let (env, app) = ([("PYTHONPATH", kit.to_str().unwrap())], ["examples/handlers/decide_kit.py"]);
    let _running = save_and_start(&server, decide(), python().to_str().unwrap(), &app, &env).await;
    assert_decides(&server).await;
}

#[tokio::test]
async fn decide_with_php() {
    let server = Server::start().await;
    // PHP's own server wants its port as an argument, so a shell passes it on.
    let args = ["-c", "exec php -S 127.0.0.1:$PORT examples/handlers/decide.php"];
    let _running = save_and_start(&server, decide(), "sh", &args, &[]).await;
    assert_decides(&server).await;
}

#[tokio::test]
async fn decide_with_go() {
    let server = Server::start().await;
    let cache = repository().join("target/go-cache");
    let binary = tempfile::tempdir().unwrap();
    let built = tokio::process::Command::new("go")
        .args(["build", "-o"])
        .arg(binary.path().join("decide"))
        .arg(repository().join("examples/handlers/decide.go"))
        .env("GOCACHE", cache)
        .status()
        .await
        .expect("go is there: ./test installs what the tests need");
    assert!(built.success());
    let _running = save_and_start(&server, decide(), binary.path().join("decide").to_str().unwrap(), &[], &[]).await;
    assert_decides(&server).await;
}

#[tokio::test]
async fn decide_with_a_shell_script() {
    let server = Server::start().await;
    let text = std::fs::read_to_string(repository().join("examples/handlers/decide.sh")).unwrap();
    server.scripts().add("decide.sh", &text);
    server.handler(with(decide(), json!({"name": "decide.sh", "task": "script://decide.sh", "timeout_ms": 9000}))).await;
    assert_decides(&server).await;
}

#[tokio::test]
async fn decide_with_a_python_worker() {
    let server = Server::start().await;
    let text = std::fs::read_to_string(repository().join("examples/handlers/decide_worker.py")).unwrap();
    server.scripts().add("decide_worker.py", &text);
    let worker = json!({"name": "worker", "task": "script://decide_worker.py", "mode": "worker", "timeout_ms": 9000});
    server.handler(with(decide(), worker)).await;
    assert_decides(&server).await;
}

#[tokio::test]
async fn a_call_that_is_not_signed_by_us_is_no_answer() {
    let server = Server::start().await;
    let running =
        save_and_start(&server, decide(), python().to_str().unwrap(), &["examples/handlers/decide_flask.py"], &[]).await;
    let other = json!({"name": "other", "type": "before", "event": "clients.archive", "task": running.url("/")});
    server.handler(other).await;
    let client = server.client("Acme").await;
    let refusal = server.refused("clients.archive", json!({"id": client})).await;
    assert_has(&refusal.data, &json!({"code": "handler_failed", "reason": "status"}));
}

/// Makes some events and a repeat; returns the lines that a `deliver` example must have written.
async fn make_events(server: &Server) -> Vec<String> {
    let client = server.client("Acme").await;
    let account = server.account(client, "acme").await;
    server.ok("clients.update", json!({"id": client, "notes": "n"})).await;
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    server.wait_all_delivered().await;
    let journal = server.journal(client).await;
    let object = |name: &str| if name.starts_with("clients.accounts") { account } else { client };
    journal.iter().map(|(name, seq)| format!("{seq} {name} {}", object(name))).collect()
}

fn deliver() -> Value {
    json!({"type": "after", "event": ["clients.create", "clients.update", "clients.accounts.*"]})
}

#[tokio::test]
async fn deliver_with_pythons_standard_library() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (known, out) = (folder.path().join("known.db"), folder.path().join("out.txt"));
    let script = format!("exec python3 examples/handlers/deliver.py > {}", out.display());
    let _running = save_and_start(&server, deliver(), "sh", &["-c", &script], &[("KNOWN", known.to_str().unwrap())]).await;
    let expected = make_events(&server).await;
    assert_eq!(lines(&out), expected);
}

#[tokio::test]
async fn deliver_with_node() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.txt");
    let script = format!("exec node examples/handlers/deliver.js > {}", out.display());
    let _running = save_and_start(&server, deliver(), "sh", &["-c", &script], &[]).await;
    let expected = make_events(&server).await;
    wait_until("node has written what it printed", async || lines(&out) == expected).await;
}

#[tokio::test]
async fn deliver_with_the_kit_for_node() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (out, modules) = (folder.path().join("out.txt"), folder.path().join("node_modules"));
    std::fs::create_dir(&modules).unwrap();
    std::os::unix::fs::symlink(repository().join("kits/node"), modules.join("hookswitch")).unwrap();
    std::fs::copy(repository().join("examples/handlers/deliver_kit.mjs"), folder.path().join("deliver_kit.mjs")).unwrap();
    let script = format!("cd {} && exec node deliver_kit.mjs > out.txt", folder.path().display());
    let _running = save_and_start(&server, deliver(), "sh", &["-c", &script], &[]).await;
    let expected = make_events(&server).await;
    wait_until("node has written what it printed", async || lines(&out) == expected).await;
}

/// The kits have tests of their own, in their own languages.
#[tokio::test]
async fn the_kits_keep_their_promises() {
    for (program, args) in [
        ("python3", ["-m", "unittest", "discover", "-s", "kits/python/tests"].as_slice()),
        ("node", &["--test", "kits/node/test/"]),
    ] {
        let run = tokio::process::Command::new(program).args(args).current_dir(repository()).output().await.unwrap();
        assert!(
            run.status.success(),
            "{program}: {}{}",
            String::from_utf8_lossy(&run.stdout),
            String::from_utf8_lossy(&run.stderr)
        );
    }
}

fn lines(path: &std::path::Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn deliver_with_a_python_script_which_ignores_a_late_repeat() {
    let server = Server::start().await;
    let scripts = server.scripts();
    let text = std::fs::read_to_string(repository().join("examples/handlers/deliver_script.py")).unwrap();
    scripts.add("deliver_script.py", &text);
    server.handler(with(deliver(), json!({"name": "script", "task": "script://deliver_script.py", "timeout_ms": 9000}))).await;
    let expected = make_events(&server).await;
    assert_eq!(lines(&scripts.path("provisioned.txt")), expected);
    scripts.add("known.json", &scripts.read("known.json").replace("{", r#"{"clients/999999": [0, 1000000], "#));
    let before = scripts.read("provisioned.txt");
    let late = r#"{"event":{"events_id":"clients.update","object_id":999999,"seq":5}}"#;
    let mut child = tokio::process::Command::new("python3")
        .arg(scripts.path("deliver_script.py"))
        .current_dir(scripts.path(""))
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), late.as_bytes()).await.unwrap();
    assert!(child.wait().await.unwrap().success());
    assert_eq!(scripts.read("provisioned.txt"), before);
}

#[tokio::test]
async fn every_example_is_named_in_their_readme_and_run_here() {
    let folder = repository().join("examples/handlers");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let tests = std::fs::read_to_string(repository().join("tests/src/examples.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || (readme.contains(&name) && tests.contains(&name)), "{name}");
    }
}
