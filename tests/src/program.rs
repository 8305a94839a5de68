//! The program (`program.md`): starting, ending, configuration, exit statuses, health.
use std::{fs, os::unix::fs::PermissionsExt as _, process::Output};

use hookswitch_testkit::{
    ADMIN_KEY, Api, Recorder, Reply, Server, after, before, json,
    program::{command, run},
    wait_for, wait_until, with,
};
use nix::sys::signal::Signal;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn it_says_that_it_listens_and_nothing_else_on_standard_output_and_ends_with_0_on_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut server = Server::start().await;
        server.client("Acme").await;
        let began = std::time::Instant::now();
        let (status, rest) = server.end(signal).await;
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""), "{signal}: {}", server.stderr());
        assert!(began.elapsed() < std::time::Duration::from_secs(10));
        server.start_again().await;
        assert_eq!(server.ok("clients.search", json!({})).await[0]["name"], "Acme");
    }
}

#[tokio::test]
async fn it_ends_in_time_although_handlers_hang() {
    let mut server = Server::start().await;
    let (asked, told) = (Recorder::answering(|_| Reply::hang()).await, Recorder::answering(|_| Reply::hang()).await);
    server.client("Acme").await;
    server.handler(with(before("clients.create", &asked), json!({"timeout_ms": 30_000}))).await;
    server.handler(with(after("clients.update", &told), json!({"timeout_ms": 30_000}))).await;
    let api: Api = (*server).clone();
    tokio::spawn(async move { api.try_call("clients.create", json!({"name": "B"})).await });
    server.ok("clients.update", json!({"id": 1, "notes": "n"})).await;
    asked.wait(1).await;
    told.wait(1).await;
    let began = std::time::Instant::now();
    let (status, _) = server.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < std::time::Duration::from_secs(11), "{:?}", began.elapsed());
    told.answer(|_| Reply::ok());
    server.start_again().await;
    server.wait_all_delivered().await;
}

#[tokio::test]
async fn without_any_configuration_it_makes_its_data_folder_and_shows_the_first_login_once() {
    let home = folder();
    let mut child = command(home.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line).await.unwrap();
    let base = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let data = home.path().join("hookswitch-data");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let login = data.join("first-login.txt");
    assert_eq!(mode(&login), 0o600, "standard error is no terminal here");
    assert_eq!(mode(&data.join("master.key")), 0o600);
    let text = fs::read_to_string(login).unwrap();
    let keys: Vec<_> =
        text.split(|c: char| c.is_whitespace() || "'\"".contains(c)).filter(|word| (32..=128).contains(&word.len())).collect();
    let mut worked = false;
    for key in keys {
        worked |= Api::new(&base, key).call("clients.search", json!({})).await.is_ok();
    }
    assert!(worked, "the key works: {text}");
    assert!(text.contains("admin"), "{text}");
}

#[tokio::test]
async fn a_wrong_command_line_or_configuration_ends_with_2_and_one_clear_line() {
    let home = folder();
    fs::write(home.path().join("bad.toml"), "listen = \"127.0.0.1:0\"\nlistenn = 1\n").unwrap();
    fs::write(home.path().join("type.toml"), "retention_days = \"many\"\n").unwrap();
    fs::write(home.path().join("broken.toml"), "listen = \n").unwrap();
    for (args, env, word) in [
        (vec!["serve", "--nonsense"], vec![], "nonsense"),
        (vec!["nonsense"], vec![], "nonsense"),
        (vec!["serve", "--listen", "somewhere"], vec![], "somewhere"),
        (vec!["serve", "--config", "bad.toml"], vec![], "listenn"),
        (vec!["serve", "--config", "type.toml"], vec![], "retention_days"),
        (vec!["serve", "--config", "broken.toml"], vec![], "broken.toml"),
        (vec!["serve", "--config", "absent.toml"], vec![], "absent.toml"),
        (vec!["serve", "--log", "xml"], vec![], "xml"),
        (vec!["serve", "--database", "mysql://x"], vec![], "mysql"),
        (vec!["serve", "--listen", "127.0.0.1:0"], vec![("HOOKSWITCH_ADMIN_KEY", "short")], "HOOKSWITCH_ADMIN_KEY"),
        (vec!["serve", "--listen", "127.0.0.1:0"], vec![("HOOKSWITCH_ADMIN_PASSWORD", "short")], "HOOKSWITCH_ADMIN_PASSWORD"),
        (vec!["serve"], vec![("HOOKSWITCH_LISTEN", "nowhere")], "nowhere"),
    ] {
        let output = run(home.path(), &args, &env).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty() && !stderr(&output).contains("panicked"), "{args:?}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn flags_win_over_environment_and_environment_over_the_file() {
    let home = folder();
    fs::write(home.path().join("hookswitch.toml"), "data = \"from-file\"\nlisten = \"127.0.0.1:1\"\nretention_days = 3\n")
        .unwrap();
    fs::write(home.path().join("other.toml"), "data = \"from-other\"\n").unwrap();
    for (args, env, wins) in [
        (vec!["config"], vec![], "from-file"),
        (vec!["config"], vec![("HOOKSWITCH_DATA", "from-env")], "from-env"),
        (vec!["config", "--data", "from-flag"], vec![("HOOKSWITCH_DATA", "from-env")], "from-flag"),
        (vec!["config", "--config", "other.toml"], vec![], "from-other"),
        (vec!["config"], vec![("HOOKSWITCH_CONFIG", "other.toml")], "from-other"),
    ] {
        let output = run(home.path(), &args, &env).await;
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        let others = ["from-file", "from-env", "from-flag", "from-other"].into_iter().filter(|name| *name != wins);
        assert!(text.contains(wins), "{args:?} {env:?}: {wins} in {text}");
        for other in others {
            assert!(!text.contains(other), "{args:?} {env:?}: {other} in {text}");
        }
    }
    assert!(!home.path().join("from-file").exists(), "config starts nothing");
}

#[tokio::test]
async fn a_second_one_on_the_same_data_ends_with_3() {
    let server = Server::start().await;
    let output = run(server.home(), &["serve", "--listen", "127.0.0.1:0", "--data", "data"], &[]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    server.client("Acme").await;
}

#[tokio::test]
async fn a_port_that_is_taken_ends_with_1() {
    let server = Server::start().await;
    let home = folder();
    let address = server.base().trim_start_matches("http://").to_owned();
    let output = run(home.path(), &["serve", "--listen", &address], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[tokio::test]
async fn a_damaged_database_ends_with_3_and_is_not_touched() {
    let mut server = Server::start().await;
    server.client("Acme").await;
    server.terminate().await;
    let database = fs::read_dir(server.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")))
        .expect("an SQLite file in the data folder");
    let mut bytes = fs::read(&database).unwrap();
    for (at, byte) in bytes.iter_mut().enumerate().skip(100) {
        *byte ^= (at % 251) as u8;
    }
    fs::write(&database, &bytes).unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    let output = run(server.home(), &args, &[]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert_eq!(fs::read(&database).unwrap(), bytes, "nothing touched");
    fs::write(&database, b"this was never a database").unwrap();
    let output = run(server.home(), &args, &[]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_used_is_said_so() {
    let home = folder();
    fs::write(home.path().join("file"), "").unwrap();
    let output = run(home.path(), &["serve", "--listen", "127.0.0.1:0", "--data", "file"], &[]).await;
    assert!([Some(1), Some(2), Some(3)].contains(&output.status.code()), "{:?}", output.status);
    assert!(!stderr(&output).is_empty() && !stderr(&output).contains("panicked"), "{}", stderr(&output));
}

#[tokio::test]
async fn health_and_readiness_need_no_key_and_metrics_are_prometheus_text() {
    let server = Server::start().await;
    let recorder = Recorder::start().await;
    server.handler(after("clients.create", &recorder)).await;
    server.handler(before("clients.create", &recorder)).await;
    server.client("Acme").await;
    server.wait_all_delivered().await;
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 200);
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.status, 200, "the listener is loopback");
    for part in ["# TYPE", "_total", "before", "deliver", "flush"] {
        assert!(metrics.text.contains(part), "{part} in {}", metrics.text);
    }
    for line in metrics.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("hookswitch_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn metrics_need_a_key_where_the_listener_is_not_loopback() {
    let server = Server::setup().listen("0.0.0.0:0").start().await;
    assert_eq!(server.get("/metrics").await.status, 401);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn the_other_commands_have_help_with_an_example() {
    let home = folder();
    for name in ["serve", "demo", "bench", "seed", "check", "config", "token", "copy", "backup", "restore"] {
        let output = run(home.path(), &[name, "--help"], &[]).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        assert!(text.contains(&format!("hookswitch {name}")), "{name}: {text}");
    }
    let output = run(home.path(), &["--version"], &[]).await;
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("hookswitch "));
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn structured_logs_are_one_json_object_a_line_and_show_no_secret() {
    let server = Server::setup().env("HOOKSWITCH_LOG", "json").env("RUST_LOG", "debug").start().await;
    let client = server.client("Acme").await;
    server.account(client, "acme").await;
    server.refused("clients.get", json!({"id": 999})).await;
    wait_until("something is logged", || async { !server.stderr().is_empty() }).await;
    let log = server.stderr();
    for line in log.lines() {
        let row = line.parse::<hookswitch_testkit::Value>();
        assert!(row.is_ok_and(|row| row.is_object()), "{line}");
    }
    for hidden in [ADMIN_KEY, "test admin password", "s3cret-s3cret", "whsec_"] {
        assert!(!log.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_system_says_how_it_is() {
    let server = Server::start().await;
    let status = server.ok("system.status", json!({})).await;
    assert!(status.is_object() && status.to_string().contains(env!("CARGO_PKG_VERSION")), "{status}");
}

#[tokio::test]
async fn the_demo_tells_its_story_and_ends_on_a_signal() {
    let home = folder();
    let mut child = command(home.path())
        .arg("demo")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    let mut story = String::new();
    let base = wait_for("the demo's story and its address", async || {
        let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("the demo ended: {story}"));
        story += &line;
        story.push('\n');
        let found = story.find("http://127.0.0.1:").filter(|_| story.contains("Ctrl-C"))?;
        Some(story[found..].split_whitespace().next().unwrap().trim_end_matches(['/', ',', '.']).to_owned())
    })
    .await;
    for word in ["forbid", "balance", "seq"] {
        assert!(story.to_lowercase().contains(word), "{word} in {story}");
    }
    assert_eq!(Api::new(&base, "x").get("/healthz").await.status, 200, "it is left running to look at");
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGINT).unwrap();
    let status = tokio::time::timeout(std::time::Duration::from_secs(20), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}
