//! A phone: an account's name and password, played by sipp. It answers whoever calls it.
use std::{fs, process::Stdio};

use hookswitch_testdb::Port;
use hookswitch_testkit::companion::repository;
use tokio::process::Command;

use super::{
    PASSWORD,
    daemon::{Daemon, folder},
    kamailio::Kamailio,
};
use crate::sql::DOMAIN;

/// Far above what a call takes here.
const WITHIN_S: &str = "15";

/// What a switch is to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Served,
    /// Asked for the password again, whichever was sent.
    Refused,
}

pub(super) struct Phone<'k> {
    switch: &'k Kamailio,
    name: &'static str,
    password: &'static str,
    answering: Daemon,
    port: Port,
}

impl<'k> Phone<'k> {
    pub(super) async fn of(switch: &'k Kamailio, name: &'static str) -> Self {
        let (port, scenario) = (Port::take(), scenario("answer"));
        let number = port.number.to_string();
        let args = ["-sf", &scenario, "-i", "127.0.0.1", "-p", &number, "-nostdin"];
        let answering = Daemon::start(folder(), "sipp", &args);
        answering.listens(port.number).await;
        Self { switch, name, password: PASSWORD, answering, port }
    }

    /// Its owner has entered another one.
    pub(super) fn enter(&mut self, password: &'static str) {
        self.password = password;
    }

    pub(super) async fn registers(&self, expected: Expected) {
        let last = if expected == Expected::Served { "200" } else { "401" };
        let file = self.answering.folder().join("register.xml");
        fs::write(&file, fs::read_to_string(scenario("register")).unwrap().replace("FINAL", last)).unwrap();
        self.plays(file.to_str().unwrap(), "nobody", expected).await;
    }

    pub(super) async fn calls(&self, called: &str, expected: Expected) {
        let played = if expected == Expected::Served { "call" } else { "refused" };
        self.plays(&scenario(played), called, expected).await;
    }

    async fn plays(&self, scenario: &str, called: &str, expected: Expected) {
        let (phone, from) = (self.port.number.to_string(), Port::take());
        let keys = [("user", self.name), ("domain", DOMAIN), ("phone", &phone), ("called", called)];
        let errors = self.switch.folder().join(format!("{}.errors", from.number));
        let mut sipp = Command::new("sipp");
        sipp.arg(self.switch.sip_address()).args(["-sf", scenario, "-i", "127.0.0.1", "-m", "1", "-nostdin"]);
        sipp.args(["-p", &from.number.to_string(), "-timeout", WITHIN_S, "-timeout_error"]);
        sipp.args(["-au", self.name, "-ap", self.password, "-trace_err", "-error_file"]).arg(&errors);
        sipp.args(keys.iter().flat_map(|(key, value)| ["-key", key, value]));
        sipp.stdin(Stdio::null()).kill_on_drop(true);
        let output = sipp.output().await.expect("sipp is not installed: ./test installs it");
        let told = fs::read_to_string(errors).unwrap_or_default();
        assert!(output.status.success(), "{} is not {expected:?}: {scenario}\n{told}", self.name);
    }
}

fn scenario(name: &str) -> String {
    repository().join(format!("tests/softswitch/{name}.xml")).to_str().unwrap().to_owned()
}
