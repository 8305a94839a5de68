//! E-mail, to a mail server of its own for each test.
use std::{fs, path::PathBuf};

use hookswitch_testkit::{
    Companion, Peer, Server, Value,
    companion::{python, repository},
    json, wait_for, with,
};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::last_call;

/// A certificate for `localhost` and `127.0.0.1`, and the root that it is by.
const CERTIFICATES: &str = "crates/hooks/src/call/http/tests/test_certificate";

/// A mail server, and what it has got.
struct Sink {
    companion: Companion,
    folder: TempDir,
}

impl Sink {
    async fn start(more: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let out = folder.path().join("out");
        let env: Vec<(&str, &str)> = [("OUT", out.to_str().unwrap())].into_iter().chain(more.iter().copied()).collect();
        Self { companion: Companion::start(python(), &["tests/mail/sink.py"], &env).await, folder }
    }

    fn port(&self) -> String {
        self.companion.url("").rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap()
    }

    async fn wait(&self, count: usize) -> Vec<Value> {
        let out = self.folder.path().join("out");
        wait_for(&format!("{count} messages"), || async {
            let messages: Vec<Value> =
                fs::read_to_string(&out).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
            (messages.len() >= count).then_some(messages)
        })
        .await
    }
}

fn certificate(name: &str) -> PathBuf {
    repository().join(CERTIFICATES).join(name)
}

fn handler(task: String, settings: Value) -> Value {
    let usual = json!({"from": "Billing <billing@example.net>", "to": ["noc@example.net"]});
    json!({"name": "mail", "event": ["clients.*"], "task": task, "settings": with(usual, settings), "retries": [1, 1, 1], "timeout_ms": 20_000})
}

#[tokio::test]
async fn people_are_written_to_in_words_without_passwords() {
    let (server, sink) = (Server::start().await, Sink::start(&[]).await);
    let to = json!(["noc@example.net, Second <two@example.net>", "{{object.notes}}"]);
    let messages = json!({"clients.accounts.create": {"subject": "New: {{object.accname}}", "text": "Password {{object.password}}.\n.\nEnd"}});
    let mail =
        server.handler(handler(format!("smtp://127.0.0.1:{}", sink.port()), json!({"to": to, "messages": messages}))).await;
    let client = server.ok("clients.create", json!({"name": "Zoë GmbH", "notes": "zoe@example.org"})).await;
    let first = sink.wait(1).await.remove(0);
    assert_eq!(
        (&first["from"], &first["to"]),
        (&json!("billing@example.net"), &json!(["noc@example.net", "two@example.net", "zoe@example.org"]))
    );
    let headers = &first["headers"];
    assert!(headers["subject"].as_str().unwrap().contains(&format!("Zoë GmbH ({})", client["id"])), "{headers}");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    let row = last_call(&server, mail, 1).await;
    assert_eq!(headers["message-id"], format!("<{}.{mail}@hookswitch>", row["event_id"].as_str().unwrap()));
    assert!(first["text"].as_str().unwrap().contains("Event: clients.create"), "{first}");
    let account = json!({"clients_id": client["id"], "name": "a", "accname": "alice", "password": "s3cret-pass"});
    server.ok("clients.accounts.create", account).await;
    let second = sink.wait(2).await.remove(1);
    assert_eq!(second["headers"]["subject"], "New: alice");
    assert_eq!(second["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), "Password ********.\n.\nEnd");
    let row = last_call(&server, mail, 2).await;
    assert_eq!((&row["status"], &row["response_status"]), (&json!("success"), &json!(250)));
    assert!(!row.to_string().contains("s3cret-pass"), "{row}");
    let tried = server.ok("provisioning.handlers.test", json!({"id": mail, "events_id": "clients.create"})).await;
    assert_eq!(tried["verdict"], "delivered", "{tried}");
    assert!(sink.wait(3).await[2]["headers"]["subject"].as_str().unwrap().starts_with("Test: "));
}

#[tokio::test]
async fn a_password_goes_over_an_encrypted_connection_to_a_server_that_is_who_it_says() {
    let server = Server::start().await;
    let server_pem = certificate("server.pem");
    let login = [("CERTIFICATE", server_pem.to_str().unwrap()), ("USER_NAME", "hookswitch"), ("PASSWORD", "mail-pass-1")];
    let root = fs::read_to_string(certificate("root.pem")).unwrap();
    let starttls = Sink::start(&login).await;
    let smtps = Sink::start(&[&login[..], &[("SMTPS", "1")]].concat()).await;
    let settings = json!({"user": "hookswitch", "password": "mail-pass-1", "tls": "verify", "ca": root});
    let tasks =
        [(format!("smtp://localhost:{}", starttls.port()), &starttls), (format!("smtps://127.0.0.1:{}", smtps.port()), &smtps)];
    for (index, (task, sink)) in tasks.into_iter().enumerate() {
        let mail = server.handler(with(handler(task, settings.clone()), json!({"name": format!("mail {index}")}))).await;
        server.client(&format!("Client {index}")).await;
        let message = sink.wait(1).await.remove(0);
        assert_eq!((&message["encrypted"], &message["signed_in"]), (&json!(true), &json!(true)), "{message}");
        server.ok("provisioning.handlers.delete", json!({"id": mail, "force": true})).await;
    }
    // Without the root it is nobody's; whoever answers is enough for `require`.
    let public = json!({"user": "hookswitch", "password": "mail-pass-1", "tls": "verify"});
    let mail = server.handler(handler(format!("smtp://localhost:{}", starttls.port()), public)).await;
    server.client("Other").await;
    let row = last_call(&server, mail, 1).await;
    assert!(row["error"].as_str().unwrap().contains("certificate"), "{row}");
    server
        .ok(
            "provisioning.handlers.update",
            json!({"id": mail, "settings": with(handler(String::new(), json!({}))["settings"].clone(),
        json!({"user": "hookswitch", "password": "********", "tls": "require"}))}),
        )
        .await;
    assert_eq!(starttls.wait(2).await[1]["encrypted"], true);
}

/// A mail server that says what it is told to, and nothing more.
async fn scripted(answers: &'static [&'static str]) -> Peer {
    Peer::start(move |stream| async move {
        let mut stream = BufReader::new(stream);
        for answer in answers {
            stream.write_all(answer.as_bytes()).await?;
            let mut line = String::new();
            // A message ends with a dot alone on its line.
            let is_message = answer.starts_with("354");
            while stream.read_line(&mut line).await? > 0 && is_message && !line.ends_with("\r\n.\r\n") {}
        }
        std::future::pending().await
    })
    .await
}

fn smtp(peer: &Peer) -> String {
    peer.url().replace("http://", "smtp://").trim_end_matches("/hook").to_owned()
}

const TAKEN: &[&str] = &["220 hello\r\n", "250 mail\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n", "250 queued\r\n"];
const REFUSED: &[&str] = &["220 hello\r\n", "250 mail\r\n", "250 ok\r\n", "550 nobody of that name\r\n"];

#[tokio::test]
async fn a_server_that_takes_no_leave_has_taken_the_message_all_the_same() {
    let server = Server::start().await;
    for (index, (answers, status)) in [(TAKEN, 250), (REFUSED, 550)].into_iter().enumerate() {
        let peer = scripted(answers).await;
        let fields = json!({"name": format!("mail {index}"), "retries": []});
        let mail = server.handler(with(handler(smtp(&peer), json!({})), fields)).await;
        server.client(&format!("Client {index}")).await;
        let row = last_call(&server, mail, 1).await;
        assert_eq!(row["response_status"], status, "{row}");
        server.ok("provisioning.handlers.delete", json!({"id": mail, "force": true})).await;
    }
}

#[tokio::test]
async fn an_answer_without_end_takes_no_memory() {
    let server = Server::start().await;
    let peer = Peer::start(|mut stream| async move {
        loop {
            stream.write_all(&[b'2'; 64 << 10]).await?;
        }
    })
    .await;
    let mail = server.handler(with(handler(smtp(&peer), json!({})), json!({"retries": []}))).await;
    server.client("Acme").await;
    let row = last_call(&server, mail, 1).await;
    assert!(row["error"].as_str().unwrap().contains("256 KiB"), "{row}");
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_its_words_and_tried_again() {
    let (server, sink) = (Server::start().await, Sink::start(&[("USER_NAME", "hookswitch"), ("PASSWORD", "mail-pass-1")]).await);
    let task = format!("smtp://127.0.0.1:{}", sink.port());
    let login = json!({"user": "hookswitch", "password": "mail-pass-1"});
    let mail = server.handler(with(handler(task, login.clone()), json!({"retries": vec![1; 20]}))).await;
    server.client("Acme").await;
    // Nothing is encrypted there: a password is not sent so unless that is wanted.
    let row = last_call(&server, mail, 1).await;
    assert!(row["error"].as_str().unwrap().contains("tls is off"), "{row}");
    let update = |more: Value| with(handler(String::new(), with(login.clone(), json!({"tls": "off"})))["settings"].clone(), more);
    server.ok("provisioning.handlers.update", json!({"id": mail, "settings": update(json!({"to": "nobody@example.net"}))})).await;
    let failed = server.wait_log(json!({"handlers_id": mail, "status": "failed", "response_status": 550}), 1).await.remove(0);
    let row = server.ok("provisioning.executions.get", json!({"id": failed["id"]})).await;
    assert!(row["error"].as_str().unwrap().contains("there is nobody of that name"), "{row}");
    server.ok("provisioning.handlers.update", json!({"id": mail, "settings": update(json!({"password": "wrong-pass-2"}))})).await;
    server.wait_log(json!({"handlers_id": mail, "response_status": 535}), 1).await;
    server.ok("provisioning.handlers.update", json!({"id": mail, "settings": update(json!({}))})).await;
    sink.wait(1).await;
}

#[tokio::test]
async fn what_can_not_work_is_refused_naming_the_field() {
    let server = Server::start().await;
    for (task, settings, field, words) in [
        ("smtp://u@mail.example.net", json!({}), "task", "settings"),
        ("smtp://mail.example.net/x", json!({}), "task", "HOST:PORT"),
        ("smtp://mail.example.net", json!({"from": "nobody"}), "settings", "from"),
        ("smtp://mail.example.net", json!({"to": ["a b"]}), "settings", "no address"),
        ("smtp://mail.example.net", json!({"to": []}), "settings", "must have to"),
        ("smtp://mail.example.net", json!({"to": "{{object.name}} <a@example.net>"}), "settings", "single expression"),
        ("smtp://mail.example.net", json!({"user": "x"}), "settings", "password for the user"),
        ("smtp://mail.example.net", json!({"ca": "x", "tls": "verify"}), "settings", "certificate"),
        ("smtp://mail.example.net", json!({"subject": "{{ha1('a', 'b', 'c')}}"}), "settings", "people never get"),
        ("smtp://mail.example.net", json!({"messages": {"clients.create": "x"}}), "settings", "subject, text or both"),
    ] {
        let refusal = server.refused("provisioning.handlers.create", handler(task.to_owned(), settings.clone())).await;
        assert!(refusal.fields().contains(&field.to_owned()), "{settings}: {refusal:?}");
        assert!(format!("{refusal:?}").contains(words), "{words}: {refusal:?}");
    }
}
