//! What the docs tell to send is taken: every `call METHOD '...'` of the pages about ready-made handlers.
use std::fs;

use hookswitch_testkit::{Server, Value, companion::repository};

const PAGES: [&str; 3] = ["docs/ready-made.md", "docs/sql.md", "docs/softswitch.md"];

/// The calls of a page that make something.
fn calls(page: &str) -> Vec<(String, Value)> {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let commands = text.split("\ncall ").skip(1).filter_map(|rest| rest.split_once(" '"));
    let call = |(method, rest): (&str, &str)| {
        let params = rest.split_once("}'").map(|(params, _)| format!("{params}}}"));
        (method.to_owned(), params.unwrap().parse().unwrap_or_else(|error| panic!("{page}: {rest}: {error}")))
    };
    commands.map(call).filter(|(method, _)| method.ends_with(".create")).collect()
}

#[tokio::test]
async fn what_the_docs_tell_to_send_is_taken() {
    let server = Server::start().await;
    for page in PAGES {
        let calls = calls(page);
        assert!(!calls.is_empty(), "{page}: {calls:?}");
        for (method, params) in calls {
            server.ok(&method, params).await;
        }
    }
}
