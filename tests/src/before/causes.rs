//! `Hookswitch-Cause`: what a handler does in reaction is known as such, and does not come back to it.
use hookswitch_testkit::{Recorder, Server, after, before, json, with};

#[tokio::test]
async fn a_reaction_carries_its_cause_and_does_not_come_back_to_the_handler_that_reacted() {
    let server = Server::start().await;
    let (mine, mine_before, other) = (Recorder::start().await, Recorder::start().await, Recorder::start().await);
    let events = json!(["clients.create", "clients.update"]);
    let handler = server.handler(with(after(events.clone(), &mine), json!({"name": "mine"}))).await;
    server.handler(with(before(events.clone(), &mine_before), json!({"name": "asked"}))).await;
    server.handler(with(after(events, &other), json!({"name": "other"}))).await;
    let client = server.client("Acme").await;
    let call = mine.wait_exactly(1).await.remove(0);
    let cause = call.header("hookswitch-cause").unwrap().to_owned();
    assert!(cause.starts_with(&format!("{}.{handler}.", call.event("id").as_str().unwrap())), "{cause}");
    server
        .call_with(&[("hookswitch-cause", &cause)], "clients.update", json!({"id": client, "notes": "reaction"}))
        .await
        .unwrap();
    server.ok("clients.update", json!({"id": client, "notes": "no reaction"})).await;
    let told = other.wait_exactly(3).await;
    assert_eq!(told[1].event("cause"), call.event("id"));
    assert_eq!(told[2].event("cause"), &json!(null));
    let calls = mine.wait_exactly(2).await;
    assert_eq!(calls[1].body["data"]["notes"], "no reaction");
    assert_eq!(mine_before.calls().len(), 3, "another handler is asked all the same");
    let row = server.ok("provisioning.events.search", json!({"clients_id": client, "order": ["seq"]})).await;
    assert_eq!(row[1]["cause"], *call.event("id"));
}

#[tokio::test]
async fn a_before_handlers_reaction_does_not_come_back_to_it_either() {
    let server = Server::start().await;
    let (asked, told) = (Recorder::start().await, Recorder::start().await);
    server.handler(before(json!(["clients.create", "clients.update"]), &asked)).await;
    server.handler(after("clients.update", &told)).await;
    let client = server.client("Acme").await;
    let cause = asked.wait_exactly(1).await[0].header("hookswitch-cause").unwrap().to_owned();
    server.call_with(&[("hookswitch-cause", &cause)], "clients.update", json!({"id": client, "notes": "n"})).await.unwrap();
    told.wait_exactly(1).await;
    assert_eq!(asked.calls().len(), 1);
}

#[tokio::test]
async fn a_false_cause_is_ignored() {
    let server = Server::start().await;
    let told = Recorder::start().await;
    server.handler(after(json!(["clients.create", "clients.update"]), &told)).await;
    let client = server.client("Acme").await;
    let cause = told.wait_exactly(1).await[0].header("hookswitch-cause").unwrap().to_owned();
    let (event, rest) = cause.split_once('.').unwrap();
    let flipped: String =
        cause.chars().rev().enumerate().map(|(at, c)| if at == 3 { if c == '0' { '1' } else { '0' } } else { c }).collect();
    let flipped: String = flipped.chars().rev().collect();
    let mut other_event = event.to_owned();
    other_event.replace_range(..1, if event.starts_with('1') { "0" } else { "1" });
    let mut expected = 1;
    for wrong in
        ["x", "", "..", "1.2.3", &flipped, &format!("{other_event}.{rest}"), &cause[..cause.len() - 1], &format!("{cause}0")]
    {
        expected += 1;
        let headers = [("hookswitch-cause", wrong)];
        server.call_with(&headers, "clients.update", json!({"id": client, "notes": format!("n{expected}")})).await.unwrap();
        let calls = told.wait_exactly(expected).await;
        assert_eq!(calls.last().unwrap().event("cause"), &json!(null), "{wrong}");
    }
}

#[tokio::test]
async fn at_a_depth_of_8_the_action_is_refused() {
    let server = Server::start().await;
    let mut chain = Vec::new();
    for number in 0..9 {
        let recorder = Recorder::start().await;
        server.handler(with(after("clients.update", &recorder), json!({"name": format!("link {number}")}))).await;
        chain.push(recorder);
    }
    let client = server.client("Acme").await;
    server.ok("clients.update", json!({"id": client, "notes": "0"})).await;
    for (depth, link) in (1..).zip(&chain) {
        let calls = link.wait(depth).await;
        let cause = calls[depth - 1].header("hookswitch-cause").unwrap().to_owned();
        let params = json!({"id": client, "notes": format!("{depth}")});
        let answer = server.call_with(&[("hookswitch-cause", &cause)], "clients.update", params).await;
        if depth == 8 {
            let refusal = answer.unwrap_err();
            assert_eq!((refusal.code, refusal.word()), (-32022, "cause_too_deep"));
            assert_eq!(server.ok("clients.get", json!({"id": client})).await["notes"], "7");
            return;
        }
        answer.unwrap_or_else(|refusal| panic!("depth {depth}: {refusal:?}"));
    }
}
