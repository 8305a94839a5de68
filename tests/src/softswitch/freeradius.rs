//! FreeRADIUS with Debian's own configuration and `examples/freeradius/sql`, the tables of its own package, and a port of its own.
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use hookswitch_testdb::Port;
use hookswitch_testkit::companion::repository;

use super::{
    daemon::{Daemon, folder},
    place::{Place, run_file},
};
use crate::sql::target::Target;

/// Where Debian has its configuration.
const DEBIAN: &str = "/etc/freeradius/3.0";
/// Of the client `localhost`, there.
const SECRET: &str = "testing123";

pub(super) struct FreeRadius {
    _daemon: Daemon,
    port: Port,
}

/// What it answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) accepted: bool,
    /// As radclient writes them: one on a line, `Name = value`.
    pub(super) attributes: Vec<String>,
}

impl FreeRadius {
    /// Makes its tables in this database, and starts it there.
    pub(super) async fn start(target: &Target) -> Self {
        let (place, folder, port) = (Place::of(target), folder(), Port::take());
        let dialect = if place.engine == "postgres" { "postgresql" } else { "mysql" };
        run_file(target, &format!("{DEBIAN}/mods-config/sql/main/{dialect}/schema.sql"));
        configure(folder.path(), &place, dialect, port.number);
        let raddb = folder.path().join("raddb").to_str().unwrap().to_owned();
        let daemon = Daemon::start(folder, "freeradius", &["-f", "-l", "stdout", "-d", &raddb]);
        daemon.listens(port.number).await;
        Self { _daemon: daemon, port }
    }

    /// Asks whether somebody is to be let in.
    pub(super) fn ask(&self, request: &str) -> Reply {
        let mut radclient = Command::new("radclient");
        radclient.args(["-x", "-r", "1", "-t", "10"]).arg(format!("127.0.0.1:{}", self.port.number)).args(["auth", SECRET]);
        radclient.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = radclient.spawn().expect("radclient is not installed: ./test installs it");
        child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let (_, answer) = text.split_once("Received Access-").unwrap_or_else(|| panic!("no answer: {output:?}"));
        let attributes = answer.lines().skip(1).map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
        Reply { accepted: answer.starts_with("Accept"), attributes: attributes.collect() }
    }
}

/// Debian's folder, but for where files and packages go, with the module of `examples/`.
fn configure(folder: &Path, place: &Place, dialect: &str, port: u16) {
    let raddb = folder.join("raddb");
    let copied = Command::new("cp").args(["-R", DEBIAN]).arg(&raddb).status().unwrap();
    assert!(copied.success(), "{DEBIAN} can't be read: ./test installs it, and tests run as root");
    let (own, main) = (folder.display().to_string(), raddb.join("radiusd.conf"));
    let mut text = fs::read_to_string(&main).unwrap();
    let places = [("raddbdir", format!("{own}/raddb")), ("logdir", own.clone()), ("run_dir", own.clone()), ("db_dir", own)];
    for (name, value) in places {
        text = set(&text, name, &value);
    }
    // It may stay who it is: the folder is nobody else's.
    fs::write(&main, text.replace("user = freerad\n", "\n").replace("group = freerad\n", "\n")).unwrap();

    let mut module = fs::read_to_string(repository().join("examples/freeradius/sql")).unwrap();
    let Place { user, password, host, port: server, database, .. } = place;
    let values = [("dialect", dialect), ("server", host), ("port", server), ("login", user), ("password", password)];
    for (name, value) in values.into_iter().chain([("radius_db", database.as_str())]) {
        module = set(&module, name, &format!("\"{value}\""));
    }
    fs::write(raddb.join("mods-enabled/sql"), module).unwrap();

    let site = fs::read_to_string(raddb.join("sites-available/default")).unwrap();
    let (before, rest) = site.split_once("\nlisten {").unwrap();
    let (_, after) = rest.split_once("\nauthorize {").unwrap();
    let listen = format!("listen {{\n\ttype = auth\n\tipaddr = 127.0.0.1\n\tport = {port}\n}}");
    // Links to what is available: another file takes their place. The tunnel's own port is everybody's.
    for enabled in ["default", "inner-tunnel"] {
        fs::remove_file(raddb.join("sites-enabled").join(enabled)).unwrap();
    }
    fs::write(raddb.join("sites-enabled/default"), format!("{before}\n{listen}\nauthorize {{{after}")).unwrap();
}

/// Gives the one line `name = ...` another value.
fn set(text: &str, name: &str, value: &str) -> String {
    let is_it = |line: &&str| line.split_once('=').is_some_and(|(found, _)| found.trim() == name);
    let mut found = text.lines().filter(is_it);
    let (line, other) = (found.next().unwrap_or_else(|| panic!("no {name}")), found.next());
    assert!(other.is_none(), "{name} twice");
    text.replacen(line, &format!("{name} = {value}"), 1)
}
