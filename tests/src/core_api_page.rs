//! The examples of `docs/core-api.md` are run in their order against one server, and give what the page says they give.
use std::{fs, process::Stdio};

use hookswitch_testkit::{ADMIN_KEY, Server, Value, assert_has, companion::repository};
use tokio::process::Command;

/// The page's blocks of this language, each with the block that follows it.
fn examples(page: &str) -> Vec<(String, Option<Value>)> {
    let blocks: Vec<(&str, &str)> = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect();
    let answer = |index: usize| blocks.get(index + 1).filter(|(language, _)| *language == "json");
    let shell = blocks.iter().enumerate().filter(|(_, (language, _))| *language == "sh");
    shell.map(|(index, (_, code))| ((*code).to_owned(), answer(index).map(|(_, text)| text.parse().unwrap()))).collect()
}

#[tokio::test]
async fn every_example_runs_and_gives_what_the_page_says() {
    let server = Server::start().await;
    let page = fs::read_to_string(repository().join("docs/core-api.md")).unwrap();
    let examples = examples(&page);
    assert!(examples.len() > 8, "the examples were not found");
    for (code, expected) in examples {
        let code = code.replace("http://127.0.0.1:3080", server.base());
        let mut shell = Command::new("sh");
        // Each answer on a line of its own.
        shell
            .args(["-euc", &format!("curl() {{ command curl \"$@\"; echo; }}\n{code}")])
            .env("KEY", ADMIN_KEY)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = shell.output().await.expect("sh and curl: ./test installs what the tests need");
        assert!(output.status.success(), "{code}\n{output:?}");
        let answers = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = answers.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{line}"))).collect();
        let is_refused = code.contains("4711") || code.contains("colour");
        for answer in &answers {
            assert_eq!(answer.to_string().contains("\"error\""), is_refused, "{code}\n{answer}");
        }
        if let Some(expected) = expected {
            assert_has(answers.last().unwrap(), &expected);
        }
    }
}
