//! The command line for people (`docs/cli.md`): the real program against a real server.
mod import;
mod objects;
mod page;
mod watching;

use std::process::Output;

use hookswitch_testkit::{Api, Reply, Server, json, program};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command said on standard output, which ended with this status.
#[track_caller]
fn said(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command through a server, which it finds by the environment.
async fn run(server: &Server, args: &[&str]) -> Output {
    program::run(server.home(), args, &environment(server)).await
}

fn environment(api: &Api) -> [(&'static str, &str); 2] {
    [("HOOKSWITCH_URL", api.base()), ("HOOKSWITCH_KEY", api.key())]
}

/// A command that goes on until it is stopped; both of what it says can be read.
fn begun(server: &Server, args: &[&str]) -> tokio::process::Child {
    use std::process::Stdio;
    let mut command = program::command(server.home());
    command.args(args).envs(environment(server)).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What a handler says that forbids.
fn forbidding(message: &str) -> Reply {
    Reply::text(403, json!({"message": message}).to_string())
}
