//! Roles over every method: what a role may not do is refused as such, what it may do is not.
use hookswitch_testkit::{Server, json};

use super::{
    methods,
    objects::{Objects, PASSWORD, server},
    table::{Does, Role, Row},
};

#[tokio::test]
async fn every_method_asks_for_its_role() {
    let (server, gone) = server().await;
    let objects = Objects::make(&server, 1, json!(null), "walked", &gone).await;
    for role in Role::ALL {
        let user = server.user(&format!("the-{}", role.word()), role.word(), json!(null)).await;
        for method in methods() {
            let row = Row::find(method.name);
            let refusal = user.call(method.name, (row.params)(&objects)).await.err();
            let denied = refusal.as_ref().is_some_and(|refusal| refusal.code == -32003);
            assert_eq!(denied, role < row.role, "{} as {}: {refusal:?}", method.name, role.word());
            if denied {
                let refusal = refusal.unwrap();
                assert_eq!(refusal.word(), "access-denied", "{refusal:?}");
                assert!(refusal.message.starts_with("access-denied: "), "{refusal:?}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_not_do_it_learns_nothing_of_what_he_sent() {
    let server = Server::start().await;
    let reader = server.user("eye", "readonly", json!(null)).await;
    for method in methods().filter(|method| Row::find(method.name).role > Role::Readonly) {
        let right = reader.refused(method.name, (Row::find(method.name).params)(&Objects::nowhere())).await;
        let wrong = reader.refused(method.name, json!({"id": "x", "zzz": 1})).await;
        assert_eq!(right, wrong, "{}", method.name);
    }
}

#[tokio::test]
async fn readonly_sees_the_password_of_an_account_nowhere() {
    let (server, gone) = server().await;
    for kind in ["clients.accounts.create", "clients.accounts.update"] {
        server.handler(json!({"name": kind, "event": kind, "task": gone.url()})).await;
    }
    let objects = Objects::make(&server, 1, json!(null), "walked", &gone).await;
    server.ok("clients.accounts.update", json!({"id": objects.account, "password": PASSWORD.to_uppercase()})).await;
    server.ok("clients.accounts.update", json!({"id": objects.account, "password": PASSWORD})).await;
    super::objects::settled(&server).await;
    let reader = server.user("eye", "readonly", json!(null)).await;
    let mut events: Vec<_> = all_ids(&reader, "provisioning.events.search").await;
    events.push(json!(objects.event));
    let executions = all_ids(&reader, "provisioning.executions.search").await;
    assert!(events.len() > 4 && executions.len() > 3, "{events:?} {executions:?}");
    for method in methods().filter(|method| Row::find(method.name).does == Does::Reads) {
        if Row::find(method.name).role > Role::Readonly {
            continue;
        }
        let mut asked = vec![(Row::find(method.name).params)(&objects)];
        match method.name {
            "provisioning.events.get" => asked.extend(events.iter().map(|id| json!({"id": id}))),
            "provisioning.executions.get" => asked.extend(executions.iter().map(|id| json!({"id": id}))),
            name if name.ends_with(".search") => asked.push(json!({"limit": 1000})),
            _ => {}
        }
        for params in asked {
            let shown = reader.ok(method.name, params.clone()).await.to_string().to_lowercase();
            assert!(!shown.contains(PASSWORD), "{} {params}: {shown}", method.name);
        }
        if method.name.ends_with(".search") {
            let filters = json!({"q": format!("*{PASSWORD}*"), "clients_id": objects.client});
            if let Ok(found) = reader.call(method.name, filters).await {
                assert_eq!(found, json!([]), "{}: found by what may not be seen", method.name);
            }
        }
    }
    let shown = server.ok("clients.accounts.get", json!({"id": objects.account})).await;
    assert_eq!(shown["password"], PASSWORD, "an admin sees it");
}

async fn all_ids(reader: &hookswitch_testkit::Api, search: &str) -> Vec<hookswitch_testkit::Value> {
    let rows = reader.ok(search, json!({"limit": 1000})).await;
    rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
}
