//! `hookswitch demo` tells its story to the end, and leaves nothing behind.
use std::process::Stdio;

use hookswitch_testkit::program::command;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

fn is_empty(folder: &std::path::Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[tokio::test]
async fn the_demo_tells_its_story_and_ends_with_0() {
    let home = tempfile::tempdir().unwrap();
    let output = command(home.path()).args(["demo", "--once"]).env("TMPDIR", home.path()).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for told in ["credit 50", "forbidden_by_handler", "clients.balance_zero", "clients.balance_notzero"] {
        assert!(text.contains(told), "{told} is missing: {text}");
    }
    assert!(!text.contains('\x1b'), "no colours where there is no terminal: {text}");
    assert!(is_empty(home.path()), "its temporary folder is gone");
}

#[tokio::test]
async fn a_signal_ends_the_demo_with_0_and_removes_its_folder() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let home = tempfile::tempdir().unwrap();
        let mut child = command(home.path()).arg("demo").env("TMPDIR", home.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("Ctrl-C ends it") {
                break;
            }
        }
        assert!(!is_empty(home.path()), "it goes on running");
        kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), signal).unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(0), "{signal}");
        assert!(is_empty(home.path()), "{signal}: its temporary folder is gone");
    }
}
