//! The examples of `docs/cli.md` are run in their order against one server.
use std::{fs, process::Stdio};

use hookswitch_testkit::{Server, companion::repository, program::binary};
use tokio::process::Command;

use super::environment;

#[tokio::test]
async fn every_example_of_the_page_runs() {
    let server = Server::start().await;
    let page = fs::read_to_string(repository().join("docs/cli.md")).unwrap();
    let examples: Vec<&str> =
        page.split("\n```sh\n").skip(1).filter_map(|rest| rest.split_once("\n```")).map(|(code, _)| code).collect();
    assert!(examples.len() > 7, "the examples were not found");
    for code in examples {
        let code = code.replace("http://127.0.0.1:3080", server.base());
        let mut shell = Command::new("bash");
        // What goes on until Ctrl-C is given two seconds, and its good end.
        let functions = format!(
            "hookswitch() {{ case \"$1 $2\" in 'events tail'|'listen '*) timeout --preserve-status -s INT 2 {0} \"$@\";; *) {0} \"$@\";; esac; }}",
            binary().display()
        );
        shell.args(["-euc", &format!("{functions}\n{code}")]).envs(environment(&server)).current_dir(server.home());
        let output = shell.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        assert!(output.status.success(), "{code}\n{output:?}");
    }
}
