//! What a reseller asks about the objects of others is answered as if they weren't there: the whole answer is the same as for ids
//! that never were.
use hookswitch_testkit::{Api, Value, json};

use super::{
    dump::dump,
    methods,
    objects::{Objects, Tree},
    table::Row,
};

/// Every way in which this method can be asked about something of another's.
fn asked(row: &Row, own: &Objects, other: &Objects) -> Vec<Value> {
    let about = (row.about)(own, other);
    if about.is_empty() { vec![(row.params)(other)] } else { about }
}

/// What differs between two requests of one shape: ids and names, as texts.
fn differences(one: &Value, other: &Value, found: &mut Vec<(String, String)>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for ((left, one), (right, other)) in one.iter().zip(other) {
                differences(&json!(left), &json!(right), found);
                differences(one, other, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).for_each(|(one, other)| differences(one, other, found));
        }
        (one, other) if one != other => found.push((plain(one), plain(other))),
        _ => {}
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The text with whole words replaced: an id is no part of another number.
fn with_words(text: &str, words: &[(String, String)]) -> String {
    let is_of_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    let mut said = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character| !is_of_word(character)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        said.push_str(words.iter().find(|(from, _)| from == word).map_or(word, |(_, to)| to));
        let end = behind.find(is_of_word).unwrap_or(behind.len());
        said.push_str(&behind[..end]);
        rest = &behind[end..];
    }
    said
}

async fn answer(api: &Api, method: &str, params: &Value) -> String {
    match api.call(method, params.clone()).await {
        Ok(result) => format!("result: {result}"),
        Err(error) => format!("error: {} {} {}", error.code, error.message, error.data),
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_as_if_it_were_not_there() {
    let tree = Tree::grow().await;
    let (own, nowhere) = (&tree.own, Objects::nowhere());
    let before = dump(&tree.server, own).await;
    // These name no object; `hours` has a test of what is counted for whom.
    let names_objects = |name: &str| !matches!(name, "provisioning.events.list" | "provisioning.events.hours" | "system.status");
    for method in methods().filter(|method| names_objects(method.name)) {
        let row = Row::find(method.name);
        for other in tree.strangers() {
            for (here, absent) in asked(row, own, other).iter().zip(&asked(row, own, &nowhere)) {
                if is_told(method.name, &tree, here) {
                    continue;
                }
                let mut words = Vec::new();
                differences(here, absent, &mut words);
                let here_said = with_words(&answer(&tree.admin, method.name, here).await, &words);
                let absent_said = answer(&tree.admin, method.name, absent).await;
                assert_eq!(here_said, absent_said, "{} {here}", method.name);
                assert!(!is_success(&absent_said), "{} {here}: {here_said}", method.name);
            }
        }
    }
    assert_eq!(dump(&tree.server, own).await, before, "nothing was changed by asking");
}

/// What the contract lets a reseller know of others: id and name of a system handler, the keys of the fields that its
/// clients and packages have.
fn is_told(method: &str, tree: &Tree, params: &Value) -> bool {
    let of_system_handler = method == "provisioning.handlers.get" && params["id"] == json!(tree.system.handler);
    let has_key = |objects: &Objects| params.get(&objects.key).is_some() && params["id"] == json!(tree.own.client);
    let of_own_package = params["id"] == json!(tree.own.package) || params["companies_id"] == json!(tree.own.company);
    let has_key_of_packages = |objects: &Objects| params["custom_fields"].get(&objects.key).is_some() && of_own_package;
    let own_field_from_above = match method {
        "clients.custom_fields.update" => has_key(&tree.upper) || has_key(&tree.system),
        "packages.create" | "packages.update" => has_key_of_packages(&tree.upper) || has_key_of_packages(&tree.system),
        _ => false,
    };
    of_system_handler || own_field_from_above
}

/// An answer that is neither a refusal nor *nothing found*.
fn is_success(answer: &str) -> bool {
    let nothing =
        ["result: []", r#"result: {"resent":0,"overtaken":0}"#, r#"result: {"discarded":0}"#, r#"result: {"resent":0}"#];
    !answer.starts_with("error: ") && !nothing.contains(&answer)
}

#[tokio::test]
async fn of_a_system_handler_and_of_the_status_only_what_the_contract_says_is_told() {
    let tree = Tree::grow().await;
    let shown = tree.admin.ok("provisioning.handlers.get", json!({"id": tree.system.handler})).await;
    assert_eq!(shown, json!({"id": tree.system.handler, "name": "handler of system"}));
    let status = tree.admin.ok("system.status", json!({})).await;
    let keys: Vec<&String> = status.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["version", "dt", "database"], "nothing of anybody's handlers");
    assert_eq!(
        tree.admin.ok("provisioning.events.list", json!({})).await,
        tree.server.ok("provisioning.events.list", json!({})).await
    );
}

#[tokio::test]
async fn that_a_name_is_in_use_is_all_that_may_be_inferred() {
    let tree = Tree::grow().await;
    for other in tree.strangers() {
        let account =
            json!({"clients_id": tree.own.client, "name": "a", "auth_type": "name", "accname": format!("account-{}", other.key)});
        let user = json!({"login": format!("user-{}", other.key), "role": "operator", "password": "a long enough password"});
        for (method, params, field) in [("clients.accounts.create", account, "accname"), ("users.create", user, "login")] {
            assert_eq!(tree.admin.refused(method, params).await.data, json!({field: "is already in use"}));
        }
        let company = json!({"name": format!("Below of {}", other.key)});
        assert_eq!(tree.admin.refused("companies.create", company).await.data, json!({"name": "is already in use"}));
        // Names of clients are unique within a reseller: those of others don't matter.
        tree.admin.ok("clients.create", json!({"name": format!("Client of {}", other.key), "dry_run": true})).await;
    }
}
