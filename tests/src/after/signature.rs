//! Standard Webhooks: every call is signed, for a day with two secrets after a rotation.
use hookswitch_testkit::{
    Recorder, Server, after, before, json,
    signature::{signatures, valid_signatures},
};

#[tokio::test]
async fn calls_of_both_stages_are_signed_with_the_handlers_own_secret() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    let first = server.ok("provisioning.handlers.create", before("clients.create", &asked)).await;
    let second = server.ok("provisioning.handlers.create", after("clients.create", &told)).await;
    let secret = |handler: &hookswitch_testkit::Value| handler["secret"].as_str().unwrap().to_owned();
    assert_ne!(secret(&first), secret(&second));
    server.client("Ünïcode \u{1f4de}").await;
    for (recorder, handler) in [(&asked, &first), (&told, &second)] {
        let call = recorder.wait_exactly(1).await.remove(0);
        assert_eq!((signatures(&call).len(), valid_signatures(&call, &secret(handler))), (1, 1));
    }
    let shown = server.ok("provisioning.handlers.search", json!({})).await.to_string();
    assert!(!shown.contains(&secret(&first)) && !shown.contains("whsec_"), "returned by create and rotate_secret only");
}

#[tokio::test]
async fn after_a_rotation_the_old_secret_signs_too() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    let handler = server.ok("provisioning.handlers.create", after("clients.create", &told)).await;
    let old = handler["secret"].as_str().unwrap();
    let rotated = server.ok("provisioning.handlers.rotate_secret", json!({"id": handler["id"]})).await;
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(old, new);
    server.client("Acme").await;
    let call = told.wait_exactly(1).await.remove(0);
    assert_eq!((signatures(&call).len(), valid_signatures(&call, old), valid_signatures(&call, new)), (2, 1, 1));
}
