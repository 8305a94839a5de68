//! Kamailio with `examples/kamailio/kamailio.cfg`, the tables of its own package, and ports of its own.
use hookswitch_testdb::Port;
use hookswitch_testkit::{Api, Value, companion::repository, json};

use super::{
    daemon::{Daemon, folder},
    place::{Place, run_file},
};
use crate::sql::{DOMAIN, target::Target};

/// A registrar and proxy for [`DOMAIN`], whose users are the rows of `subscriber`.
pub(crate) struct Kamailio {
    daemon: Daemon,
    sip: Port,
    rpc: Port,
}

impl Kamailio {
    /// Makes its tables in this database, and starts it there.
    pub(crate) async fn start(target: &Target) -> Self {
        let place = Place::of(target);
        for tables in ["standard", "auth_db"] {
            run_file(target, &format!("/usr/share/kamailio/{}/{tables}-create.sql", place.engine));
        }
        let (folder, sip, rpc) = (folder(), Port::take(), Port::take());
        let Place { engine, user, password, host, port, database } = place;
        let defines = [
            format!(r#"DB_URL="{engine}://{user}:{password}@{host}:{port}/{database}""#),
            format!(r#"DOMAIN="{DOMAIN}""#),
            format!("SIP_SOCKET=udp:127.0.0.1:{}", sip.number),
            format!("RPC_PORT={}", rpc.number),
        ];
        let (config, own) = (repository().join("examples/kamailio/kamailio.cfg"), folder.path().to_str().unwrap().to_owned());
        // In the foreground, with its words on standard error, and no file outside of its folder.
        let mut args = vec!["-f", config.to_str().unwrap(), "-DD", "-E", "-Y", &own, "-w", &own, "-m", "32", "-M", "4"];
        args.extend(defines.iter().flat_map(|define| ["-A", define]));
        let daemon = Daemon::start(folder, "kamailio", &args);
        daemon.listens(sip.number).await;
        let kamailio = Self { daemon, sip, rpc };
        hookswitch_testkit::wait_until("Kamailio takes commands", async || {
            tokio::net::TcpStream::connect(kamailio.rpc_address()).await.is_ok()
        })
        .await;
        kamailio
    }

    /// Where it takes JSON-RPC over HTTP: host and port; the path is `/RPC`.
    pub(crate) fn rpc_address(&self) -> String {
        format!("127.0.0.1:{}", self.rpc.number)
    }

    /// Gives it a command, such as `ul.dump`; returns its result.
    pub(crate) async fn rpc(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = Api::new(&format!("http://{}", self.rpc_address()), "none").post("/RPC", &[], request.to_string()).await;
        let body = answer.json();
        assert!(body.get("error").is_none(), "{method}: {body}");
        body["result"].clone()
    }

    /// Is somebody registered under this name?
    pub(crate) async fn knows(&self, name: &str) -> bool {
        self.rpc("ul.dump", json!(["brief"])).await.to_string().contains(&format!(r#""AoR":"{name}""#))
    }

    /// Where it takes SIP: host and port.
    pub(super) fn sip_address(&self) -> String {
        format!("127.0.0.1:{}", self.sip.number)
    }

    /// For files that a test needs as long as this runs.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.daemon.folder()
    }
}
