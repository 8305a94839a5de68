//! Against real sockets on the loopback interface, in the test's own runtime.
use std::{path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    sync::{Barrier, mpsc},
};

use super::*;
use crate::call::{
    Caller, CallerOptions,
    fixture::{LONG, SECRET, call, caller, handler, options},
};

mod https;
mod receiver;

use receiver::{Heard, Receiver, closed, converse, hear, stay};

const OLD_SECRET: &str = "whsec_/////////////////////////////////////////w==";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/// HMAC by its definition (RFC 2104), so that the signature is not checked by the code that makes it.
fn signature(secret: &str, message: &[u8]) -> String {
    let mut key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    key.resize(64, 0);
    let pad = |mask: u8| key.iter().map(|byte| byte ^ mask).collect::<Vec<_>>();
    let inner = Sha256::digest([&pad(0x36), message].concat());
    format!("v1,{}", STANDARD.encode(Sha256::digest([&pad(0x5c), &inner[..]].concat())))
}

fn signed(heard: &Heard) -> Vec<u8> {
    let head = format!("{}.{}.", heard.headers["webhook-id"], heard.headers["webhook-timestamp"]);
    [head.as_bytes(), &heard.body].concat()
}

#[tokio::test]
async fn every_header_of_the_contract_arrives_and_the_signature_verifies() {
    let mut receiver = Receiver::answering(OK).await;
    let call = call();
    let reply = receiver.call(&call).await.unwrap();
    assert_eq!((reply.kind, reply.status, reply.body.as_slice()), (Kind::Http, 200, &b"{}"[..]));
    let heard = receiver.heard.recv().await.unwrap();
    assert_eq!((heard.line.as_str(), &heard.body), ("POST /api HTTP/1.1", &call.body.to_vec()));
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", "hookswitch/1.2.3"),
        ("hookswitch-event", "clients.update"),
        ("hookswitch-stage", "before"),
        ("hookswitch-attempt", "2"),
        ("hookswitch-deadline-ms", "2900"),
        ("hookswitch-cause", &call.cause_header),
        ("traceparent", &call.trace.header()),
        ("webhook-id", "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11"),
        ("webhook-timestamp", "1795468447"),
        ("webhook-signature", &signature(SECRET, &signed(&heard))),
    ] {
        assert_eq!(heard.header(name), Some(value), "{name}");
    }
    for name in ["hookswitch-resend", "authorization", "referer", "accept-encoding"] {
        assert_eq!(heard.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn an_after_handler_is_told_no_deadline_and_of_a_resend() {
    let mut receiver = Receiver::answering(OK).await;
    let call = Call { stage: hookswitch_model::event::Stage::After, deadline_ms: None, resend: true, ..call() };
    receiver.call(&call).await.unwrap();
    let heard = receiver.heard.recv().await.unwrap();
    let told = ["hookswitch-stage", "hookswitch-deadline-ms", "hookswitch-resend"].map(|name| heard.header(name));
    assert_eq!(told, [Some("after"), None, Some("true")]);
}

#[tokio::test]
async fn both_secrets_sign_while_the_old_one_lives() {
    let mut receiver = Receiver::answering(OK).await;
    let (caller, call) = (caller(), call());
    for (lives_ms, count) in [(1, 2), (0, 1)] {
        let mut handler = receiver.handler(json!({}));
        handler.old_secret = Some((OLD_SECRET.to_owned(), call.now.plus_millis(lives_ms)));
        caller.call(&handler, &call).await.result.unwrap();
        let heard = receiver.heard.recv().await.unwrap();
        let expected: Vec<_> = [SECRET, OLD_SECRET].iter().map(|secret| signature(secret, &signed(&heard))).take(count).collect();
        assert_eq!(heard.header("webhook-signature"), Some(expected.join(" ").as_str()));
    }
}

#[tokio::test]
async fn what_is_changed_about_a_handler_counts_from_the_next_call_on() {
    let mut receiver = Receiver::answering(OK).await;
    let (caller, call, mut handler) = (caller(), call(), receiver.handler(json!({"headers": {"X-Realm": "one"}})));
    caller.call(&handler, &call).await.result.unwrap();
    handler.secret = OLD_SECRET.to_owned();
    handler.headers[0].1 = "two".to_owned();
    caller.call(&handler, &call).await.result.unwrap();
    let heard = [receiver.heard.recv().await.unwrap(), receiver.heard.recv().await.unwrap()];
    assert_eq!(heard.each_ref().map(|heard| heard.header("x-realm")), [Some("one"), Some("two")]);
    assert_eq!(heard[1].header("webhook-signature"), Some(signature(OLD_SECRET, &signed(&heard[1])).as_str()));
}

#[tokio::test]
async fn user_and_password_of_the_url_become_authorization() {
    let mut receiver = Receiver::answering(OK).await;
    let caller = caller();
    let url = receiver.url("/api?x=1").replace("http://", "http://crm:s%3Acret%40@");
    for (headers, expected) in [
        (json!({}), format!("Basic {}", STANDARD.encode("crm:s:cret@"))),
        (json!({"Authorization": "Bearer own", "X-Api-Key": "k"}), "Bearer own".to_owned()),
    ] {
        caller.call(&handler(&url, json!({"headers": headers})), &call()).await.result.unwrap();
        let heard = receiver.heard.recv().await.unwrap();
        assert_eq!(heard.header("authorization"), Some(expected.as_str()));
        assert_eq!(heard.header("x-api-key"), headers.get("X-Api-Key").and_then(Value::as_str));
        assert_eq!(heard.line, "POST /api?x=1 HTTP/1.1");
        assert_eq!(heard.header("host"), Some(format!("127.0.0.1:{}", receiver.port).as_str()));
    }
}

#[tokio::test]
async fn the_method_is_the_handlers() {
    let mut receiver = Receiver::answering(OK).await;
    for method in ["POST", "PUT", "PATCH"] {
        caller().call(&receiver.handler(json!({"method": method})), &call()).await.result.unwrap();
        let heard = receiver.heard.recv().await.unwrap();
        assert_eq!((heard.line, heard.body), (format!("{method} /api HTTP/1.1"), call().body.to_vec()));
    }
}

#[tokio::test]
async fn any_status_is_a_reply_and_no_redirect_is_followed() {
    let elsewhere = Receiver::answering(OK).await;
    let to = elsewhere.url("/");
    for (status, head) in [
        (204, String::new()),
        (302, format!("Location: {to}\r\nContent-Length: 0\r\n")),
        (307, format!("Location: {to}\r\nContent-Length: 0\r\n")),
        (404, "Content-Length: 0\r\n".to_owned()),
        (500, "Content-Length: 0\r\n".to_owned()),
    ] {
        let receiver = Receiver::answering(format!("HTTP/1.1 {status} X\r\n{head}\r\n")).await;
        let reply = receiver.call(&call()).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (status, 0));
        assert_eq!(receiver.connections(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn what_comes_before_the_final_status_is_skipped() {
    let answer = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n{OK}");
    let reply = Receiver::answering(answer).await.call(&call()).await.unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"{}"[..]));
}

#[tokio::test]
async fn a_body_may_have_1_mib_and_not_a_byte_more() {
    for (bytes, long) in [(BODY_BYTES_MAX, false), (BODY_BYTES_MAX + 1, true), (BODY_BYTES_MAX * 4, true)] {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").into_bytes();
        answer.resize(answer.len() + bytes, b'x');
        let result = Receiver::answering(answer).await.call(&call()).await;
        let kept = match result {
            Ok(reply) if !long => reply.body,
            Err(error) if long => {
                assert_eq!(error.message, "the reply is longer than 1 MiB");
                assert_eq!((error.reason, error.status), (FailureReason::BadReply, Some(200)));
                error.body
            }
            other => panic!("{bytes}: {:?}", other.map(|reply| reply.status)),
        };
        assert!(kept.len() == BODY_BYTES_MAX && kept.iter().all(|byte| *byte == b'x'), "what came is kept");
    }
}

#[tokio::test]
async fn an_endless_body_is_not_read_for_ever() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let receiver =
        Receiver::after(head, |mut stream| async move { while stream.write_all(b"4\r\nmore\r\n").await.is_ok() {} }).await;
    let error = receiver.call(&call()).await.unwrap_err();
    assert_eq!((error.reason, error.status, error.body.len()), (FailureReason::BadReply, Some(200), BODY_BYTES_MAX));
}

/// Calls with a short time limit, and with a longer one where the machine was too busy for the short one.
async fn late(receiver: &Receiver, enough: impl Fn(&CallError) -> bool) -> (CallError, u64) {
    for timeout_ms in [100, 400, 1_600, 6_400] {
        let call = Call { timeout: Duration::from_millis(timeout_ms), ..call() };
        let error = receiver.call(&call).await.unwrap_err();
        if enough(&error) {
            return (error, timeout_ms);
        }
    }
    panic!("too slow");
}

#[tokio::test]
async fn a_reply_that_does_not_come_in_time_is_given_up_with_its_connection() {
    let (closes, mut closed_by_us) = mpsc::unbounded_channel();
    let mut receiver = Receiver::start(move |mut stream, hears| {
        let closes = closes.clone();
        async move {
            let _kept = hears.send(hear(&mut stream).await.unwrap());
            closed(stream).await;
            let _kept = closes.send(());
        }
    })
    .await;
    let (error, timeout_ms) = late(&receiver, |_| receiver.connections() > 0).await;
    assert_eq!((error.reason, error.status, error.body.len()), (FailureReason::Timeout, None, 0));
    assert_eq!(error.message, format!("no reply within {timeout_ms} ms"));
    receiver.heard.recv().await.unwrap();
    tokio::time::timeout(LONG, closed_by_us.recv()).await.expect("nothing is left behind");
}

#[tokio::test]
async fn a_reply_that_stops_half_way_is_given_up_and_what_came_is_kept() {
    let receiver = Receiver::after("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf a", stay).await;
    let (error, timeout_ms) = late(&receiver, |error| !error.body.is_empty()).await;
    assert_eq!((error.reason, error.status, error.body.as_slice()), (FailureReason::Timeout, Some(201), &b"half a"[..]));
    assert_eq!(error.message, format!("the reply did not end within {timeout_ms} ms"));
}

/// The error of a call to this port, by a URL with a secret in it.
async fn failing(port: u16) -> CallError {
    let task = format!("http://crm:s3cret@127.0.0.1:{port}/token/t0ken");
    let error = caller().call(&handler(&task, json!({})), &call()).await.result.unwrap_err();
    for secret in ["s3cret", "t0ken", "127.0.0.1", &port.to_string()] {
        assert!(!error.message.contains(secret), "{}", error.message);
    }
    error
}

#[tokio::test]
async fn where_nothing_listens_the_connection_is_refused() {
    // Bound, so that nobody else gets the port; but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = failing(socket.local_addr().unwrap().port()).await;
    assert_eq!((error.reason, error.status), (FailureReason::Refused, None));
    assert_eq!(error.message, "the connection was refused: nothing listens there");
}

#[tokio::test]
async fn a_connection_that_ends_too_early_has_its_words() {
    let reset = |stream: TcpStream| async move { stream.set_zero_linger().unwrap() };
    let close = |stream: TcpStream| async move { drop(stream) };
    let closed = "the connection was closed before the whole reply had come";
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf a";
    let error = failing(Receiver::after("", close).await.port).await;
    assert_eq!((error.reason, error.status, error.message.as_str()), (FailureReason::Refused, None, closed));
    let error = failing(Receiver::after("", reset).await.port).await;
    assert_eq!((error.reason, error.message.as_str()), (FailureReason::Refused, "the connection was reset"));
    let error = failing(Receiver::after(half, close).await.port).await;
    assert_eq!((error.reason, error.status, error.body.as_slice()), (FailureReason::Refused, Some(200), &b"half a"[..]));
    assert_eq!(error.message, "within the reply, the connection was closed");
}

#[tokio::test]
async fn what_is_not_http_is_a_bad_reply() {
    for answer in ["SSH-2.0-OpenSSH_9.9\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\x01\x02\x03\r\n\r\n", "{\"data\":{}}\r\n\r\n"] {
        let error = failing(Receiver::answering(answer).await.port).await;
        assert_eq!((error.reason, error.message.as_str()), (FailureReason::BadReply, "the reply is not HTTP"), "{answer}");
    }
    let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n";
    let error = failing(Receiver::answering(broken).await.port).await;
    assert_eq!((error.reason, error.status), (FailureReason::BadReply, Some(200)));
    assert_eq!(error.message, "within the reply, what came is not HTTP");
}

#[tokio::test]
async fn a_name_that_is_not_found_is_told_in_plain_words() {
    let task = "http://crm:s3cret@nobody.invalid/t0ken";
    let error = caller().call(&handler(task, json!({})), &call()).await.result.unwrap_err();
    assert_eq!((error.reason, error.message.as_str()), (FailureReason::Refused, "the name nobody.invalid could not be found"));
}

#[tokio::test]
async fn a_handler_says_when_it_wants_to_hear_again() {
    for (value, seconds) in [
        ("7", Some(7)),
        (" 120 ", Some(120)),
        ("86400000000", Some(86_400_000_000)),
        ("Mon, 23 Nov 2026 21:15:07 GMT", Some(60)),
        ("Mon, 23 Nov 2026 21:13:07 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
        ("", None),
    ] {
        let answer = format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        let call = Call { now: Moment::parse("2026-11-23T21:14:07Z").unwrap(), ..call() };
        let reply = Receiver::answering(answer).await.call(&call).await.unwrap();
        assert_eq!((reply.status, reply.retry_after), (503, seconds.map(Duration::from_secs)), "{value:?}");
    }
}

#[tokio::test]
async fn connections_are_kept_as_many_as_calls_may_be_in_flight() {
    const CONCURRENCY: usize = 4;
    // Each reply waits until all calls of a round have come: so each needs a connection of its own.
    let round = Arc::new(Barrier::new(CONCURRENCY));
    let receiver = Receiver::start(move |mut stream, _| {
        let round = round.clone();
        async move {
            while hear(&mut stream).await.is_some() {
                round.wait().await;
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let caller = caller();
    let handler = receiver.handler(json!({"concurrency": CONCURRENCY}));
    for _ in 0..3 {
        let calls: Vec<_> = (0..CONCURRENCY)
            .map(|_| {
                let (caller, handler) = (caller.clone(), handler.clone());
                tokio::spawn(async move { caller.call(&handler, &call()).await.result.unwrap().status })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 200);
        }
        // The connections go back to the pool in tasks of their own.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(receiver.connections(), CONCURRENCY);
}

#[tokio::test]
async fn each_handler_has_connections_of_its_own_until_it_is_forgotten() {
    let (closes, mut closed_by_us) = mpsc::unbounded_channel();
    let receiver = Receiver::start(move |stream, hears| {
        let closes = closes.clone();
        async move {
            converse(stream, OK.as_bytes().into(), hears).await;
            let _kept = closes.send(());
        }
    })
    .await;
    let caller = caller();
    let handlers = [1, 2, 3].map(|id| Handler { id, ..receiver.handler(json!({})) });
    for handler in &handlers {
        caller.call(handler, &call()).await.result.unwrap();
    }
    assert_eq!(receiver.connections(), 3);
    caller.keep_only(|id| handlers.iter().find(|handler| handler.id == id && id == 2));
    for _ in [1, 3] {
        tokio::time::timeout(LONG, closed_by_us.recv()).await.expect("closed").unwrap();
    }
    assert!(closed_by_us.try_recv().is_err(), "the other one is kept");
}

#[tokio::test]
async fn what_may_not_be_called_is_never_dialled() {
    let receiver = Receiver::answering(OK).await;
    let forbidden = "the handler's address is not allowed";
    for (task, reseller_bound) in [
        ("http://169.254.169.254/latest/meta-data/".to_owned(), false),
        (format!("http://0.0.0.0:{}/", receiver.port), false),
        (format!("http://[::ffff:169.254.169.254]:{}/", receiver.port), false),
        (receiver.url("/"), true),
        (format!("http://0x7f.1:{}/", receiver.port), true),
        (format!("http://localhost:{}/", receiver.port), true),
    ] {
        let call = Call { reseller_bound, ..call() };
        let error = caller().call(&handler(&task, json!({})), &call).await.result.unwrap_err();
        assert_eq!((error.reason, error.message.starts_with(forbidden)), (FailureReason::Refused, true), "{task}: {error}");
        assert!(!error.message.contains("127.0.0.1") && !error.message.contains("169.254"), "{error}");
    }
    assert_eq!(receiver.connections(), 0);
    let by_name = handler(&format!("http://localhost:{}/", receiver.port), json!({}));
    assert_eq!(caller().call(&by_name, &call()).await.result.unwrap().status, 200, "the system's handler may be here");
}

#[tokio::test]
async fn a_resellers_handler_may_be_in_the_networks_that_are_open_to_resellers() {
    let receiver = Receiver::answering(OK).await;
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let caller = Caller::new(CallerOptions { reseller_networks: networks, ..options(Path::new("/nowhere")) });
    let call = Call { reseller_bound: true, ..call() };
    assert_eq!(caller.call(&receiver.handler(json!({})), &call).await.result.unwrap().status, 200);
}

#[tokio::test]
async fn a_handler_that_cannot_be_called_says_what_to_do() {
    let mut handler = handler("http://127.0.0.1:1/", json!({}));
    handler.secret = "not a secret".to_owned();
    let error = caller().call(&handler, &call()).await.result.unwrap_err();
    assert_eq!(error.message, "the signing secret can't be read: rotate it");
}
