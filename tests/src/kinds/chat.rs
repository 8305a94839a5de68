//! Chat: one text a message, nobody's bell is rung by a name, and neither the webhook's secret nor a password is told.
use hookswitch_testkit::{Recorder, Reply, Server, json, with};

use super::{last_call, response};

#[tokio::test]
async fn a_room_hears_what_happened_in_words() {
    let (server, room) = (Server::start().await, Recorder::start().await);
    let task = format!("chat+http://127.0.0.1:{}/base", room.port());
    let settings = json!({"secret": "/services/T0/B0/xyzzy-secret", "username": "Hookswitch",
        "messages": {"clients.balance_zero": "{{object.name}} has no money left"}});
    let fields = json!({"name": "noc", "event": ["clients.*"], "task": task, "settings": settings, "retries": [1]});
    let chat = server.handler(fields.clone()).await;
    let client = server.client("A & <!channel>").await;
    let first = room.wait(1).await.remove(0);
    assert_eq!((first.path.as_str(), &first.body["username"]), ("/base/services/T0/B0/xyzzy-secret", &json!("Hookswitch")));
    let text = first.body["text"].as_str().unwrap();
    assert!(text.contains("A &amp; &lt;!channel&gt;") && text.contains(&format!("({client})")), "{text}");
    // Its own words for one event; the password of an account never comes along, whatever is asked for.
    server.ok("clients.update", json!({"id": client, "name": "Acme"})).await;
    server
        .ok("clients.accounts.create", json!({"clients_id": client, "name": "a", "accname": "a", "password": "s3cret-pass"}))
        .await;
    room.wait(3).await;
    server.pay(client, "5").await;
    server.pay(client, "-5").await;
    server.wait_all_delivered().await;
    let calls = room.wait_exactly(4).await;
    assert!(calls.iter().any(|call| call.body["text"] == "Acme has no money left"), "{calls:#?}");
    assert!(calls.iter().all(|call| !String::from_utf8_lossy(&call.raw).contains("s3cret-pass")));
    let shown = server.ok("provisioning.handlers.get", json!({"id": chat})).await;
    assert_eq!((&shown["settings"]["secret"], &shown["passwords"]), (&json!("********"), &json!(false)));
    let row = last_call(&server, chat, 4).await;
    assert!(!row.to_string().contains("xyzzy") && response(&row)["applied"] == true, "{row}");
    // A repeat of everything would be a flood.
    let refusal = server.refused("provisioning.handlers.resync", json!({"id": chat})).await;
    assert!(format!("{refusal:?}").contains("for people"), "{refusal:?}");
}

#[tokio::test]
async fn what_the_room_does_not_take_is_told_again_when_it_says() {
    let (server, room) = (Server::start().await, Recorder::start().await);
    room.answer(
        |call| if call.body["text"] == "Acme" { Reply::text(429, "slow down").header("Retry-After", "1") } else { Reply::ok() },
    );
    let task = format!("chat+http://127.0.0.1:{}", room.port());
    let chat = server
        .handler(json!({"name": "noc", "event": "clients.create", "task": task, "settings": {"text": "{{object.name}}"}, "retries": [1, 1]}))
        .await;
    server.client("Acme").await;
    let row = last_call(&server, chat, 1).await;
    assert_eq!((&row["response_status"], &row["status"]), (&json!(429), &json!("failed")));
    room.answer(|_| Reply::ok());
    server.wait_log(json!({"handlers_id": chat, "status": "success"}), 1).await;
    let tried = server.ok("provisioning.handlers.test", json!({"id": chat, "events_id": "clients.create"})).await;
    assert_eq!(tried["verdict"], "delivered", "{tried}");
    assert!(room.calls().last().unwrap().body["text"].as_str().unwrap().starts_with("Test: "));
}

#[tokio::test]
async fn what_can_not_work_is_refused_naming_the_field() {
    let server = Server::start().await;
    let usual = json!({"name": "noc", "event": "clients.create", "task": "chat+https://hooks.example.net"});
    for (more, field, words) in [
        (json!({"passwords": true}), "passwords", "never get passwords"),
        (json!({"type": "before"}), "type", "told, never asked"),
        (json!({"settings": {"text": "{{ha1('a', 'b', 'c')}}"}}), "settings", "people never get"),
        (json!({"settings": {"text": "{{client.name}}"}}), "settings", "client.name"),
        (json!({"settings": {"messages": {"clients.update": "x"}}}), "settings", "does not take"),
        (json!({"settings": {"secret": "https://hooks.example.net/services/x"}}), "settings", "what follows the host"),
        (
            json!({"settings": {"secret": ":81/x"}, "task": "chat+https://hooks.example.net?a=1"}),
            "settings",
            "what follows the host",
        ),
        (json!({"task": "chat+https://169.254.169.254/x"}), "task", "never called"),
        (json!({"task": "chat://hooks.example.net/x"}), "task", "chat+https://"),
    ] {
        let refusal = server.refused("provisioning.handlers.create", with(usual.clone(), more.clone())).await;
        assert!(refusal.fields().contains(&field.to_owned()), "{more}: {refusal:?}");
        assert!(format!("{refusal:?}").contains(words), "{words}: {refusal:?}");
    }
}
