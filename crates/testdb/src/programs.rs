//! PostgreSQL's programs. They refuse to be run by root, so for root they are run by somebody else.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use nix::unistd::{Uid, User, chown};

/// Where Debian's packages put each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs it for root: PostgreSQL's own user, or whoever is surely there.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// Runs one of them to its end.
///
/// # Panics
/// When it is not installed, or fails.
pub(crate) fn run(name: &str, args: &[&str]) -> Output {
    let output = try_run(name, args);
    assert!(output.status.success(), "{name} {args:?}: {}", said(&output));
    output
}

/// The same, for what may fail.
pub(crate) fn try_run(name: &str, args: &[&str]) -> Output {
    let program = folder().join(name);
    let mut command = match somebody() {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={}", user.uid)).arg(format!("--regid={}", user.gid)).arg("--clear-groups").arg(program);
            command
        }
        None => Command::new(program),
    };
    // Settings of whoever runs the tests are not meant for this.
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(variable);
    }
    command.args(args).current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("{name} can't be run ({error})"))
}

/// What it wrote.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The major version.
pub(crate) fn version() -> u32 {
    let said = said(&run("postgres", &["--version"]));
    // As in: postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    let number = said.split_whitespace().nth(2).and_then(|number| number.split('.').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no version: {said}"))
}

/// Gives a file or folder to whoever runs PostgreSQL.
pub(crate) fn give(path: &Path) {
    if let Some(user) = somebody() {
        chown(path, Some(user.uid), Some(user.gid)).expect("root may give files away");
    }
}

/// The newest version's folder of programs.
///
/// # Panics
/// When there is none.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
        let newest = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path()))).max();
        let debian = newest.map(|(_, path)| path.join("bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = debian.into_iter().chain(std::env::split_paths(&path));
        places.find(|folder| folder.join("initdb").is_file()).expect("PostgreSQL is not installed: ./test installs it")
    })
}

/// Who runs it, if not we.
fn somebody() -> Option<&'static User> {
    static SOMEBODY: OnceLock<Option<User>> = OnceLock::new();
    let find = || USERS.iter().find_map(|name| User::from_name(name).ok().flatten()).expect("a user who is not root");
    SOMEBODY.get_or_init(|| Uid::effective().is_root().then(find)).as_ref()
}
