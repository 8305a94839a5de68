//! Every template in every engine: what the product finds in its tables over an account's life.
use hookswitch_testkit::{Server, json};

use super::{DOMAIN, handler, md5, schemas, target::Target};

const PASSWORD: &str = "s3cret-s3cret";
const SUBSCRIBERS: &str = "SELECT username, domain, password, ha1 FROM subscriber ORDER BY username";
const RADIUS: &str = "SELECT c.username, c.attribute, c.op, c.value, r.attribute, r.value, g.groupname FROM radcheck c
  JOIN radreply r ON r.username = c.username JOIN radusergroup g ON g.username = c.username ORDER BY c.username";
const ENDPOINTS: &str = "SELECT e.id, e.context, e.allow, u.auth_type, u.md5_cred, u.realm, o.max_contacts, o.remove_existing
  FROM ps_endpoints e JOIN ps_auths u ON u.id = e.auth JOIN ps_aors o ON o.id = e.aors ORDER BY e.id";

/// One product's tables, and what stands there for an account.
struct Product {
    template: &'static str,
    settings: &'static str,
    schema: fn(&Target) -> Vec<String>,
    asked: &'static str,
    emptied: &'static [&'static str],
}

const PRODUCTS: [Product; 4] = [
    Product { template: "kamailio", settings: "{}", schema: schemas::kamailio, asked: SUBSCRIBERS, emptied: &["subscriber"] },
    Product { template: "opensips", settings: "{}", schema: schemas::opensips, asked: SUBSCRIBERS, emptied: &["subscriber"] },
    Product {
        template: "freeradius",
        settings: r#"{"group": "prepaid", "reply": {"Session-Timeout": "3600"}}"#,
        schema: schemas::freeradius,
        asked: RADIUS,
        emptied: &["radcheck", "radreply", "radusergroup"],
    },
    Product {
        template: "asterisk",
        settings: r#"{"context": "from-clients", "allow": "ulaw,alaw", "max_contacts": 2}"#,
        schema: schemas::asterisk,
        asked: ENDPOINTS,
        emptied: &["ps_endpoints", "ps_auths", "ps_aors"],
    },
];

/// What stands there for an account of this name and password.
fn row(product: &Product, name: &str, password: &str) -> Vec<String> {
    let ha1 = md5(&format!("{name}:{DOMAIN}:{password}"));
    let texts: Vec<&str> = match product.template {
        "freeradius" => vec![name, "Digest-HA1", ":=", &ha1, "Session-Timeout", "3600", "prepaid"],
        "asterisk" => vec![name, "from-clients", "ulaw,alaw", "md5", &ha1, DOMAIN, "2", "yes"],
        _ => vec![name, DOMAIN, "", &ha1],
    };
    texts.into_iter().map(str::to_owned).collect()
}

/// The handlers of all products; the two whose tables have one name don't share a database.
struct Switches<'t> {
    server: Server,
    all: Vec<(&'static Product, &'t Target, i64)>,
}

impl<'t> Switches<'t> {
    async fn start(targets: &'t [Target; 2]) -> Self {
        let server = Server::start().await;
        let mut all = Vec::new();
        for product in &PRODUCTS {
            let target = &targets[usize::from(product.template == "opensips")];
            target.run(&(product.schema)(target));
            let settings = hookswitch_testkit::with(
                json!({"template": product.template, "domain": DOMAIN}),
                product.settings.parse().unwrap(),
            );
            let id = server.handler(handler(target, json!(["clients.*", "provisioning.resync_done"]), settings)).await;
            all.push((product, target, id));
        }
        Self { server, all }
    }

    /// What stands there, once everything is delivered.
    async fn have(&self, accounts: &[(&str, &str)]) {
        self.server.wait_all_delivered().await;
        for (product, target, _) in &self.all {
            let expected: Vec<_> = accounts.iter().map(|(name, password)| row(product, name, password)).collect();
            assert_eq!(target.rows(product.asked), expected, "{}", product.template);
        }
    }

    async fn change(&self, method: &str, params: hookswitch_testkit::Value) {
        self.server.ok(method, params).await;
    }

    async fn resync(&self) {
        for (_, _, id) in &self.all {
            self.change("provisioning.handlers.resync", json!({"id": id})).await;
        }
        for (_, _, id) in &self.all {
            self.server
                .wait_log(json!({"handlers_id": id, "events_id": "provisioning.resync_done", "status": "success"}), 1)
                .await;
        }
    }
}

async fn life(targets: [Target; 2]) {
    // The first handlers had a table with a column less.
    targets[0].run(&["CREATE TABLE hookswitch_accounts (
        handler BIGINT NOT NULL, id BIGINT NOT NULL, clients_id BIGINT NOT NULL, username VARCHAR(128) NOT NULL,
        domain VARCHAR(190) NOT NULL, ha1 VARCHAR(64) NOT NULL, ha1b VARCHAR(64) NOT NULL, secret VARCHAR(256) NOT NULL,
        active INT NOT NULL, PRIMARY KEY (handler, id))"
        .to_owned()]);
    let switches = Switches::start(&targets).await;
    let server = &switches.server;
    // Another's name stands there already: whoever is told takes over.
    targets[0].rows("INSERT INTO subscriber (username, domain, password) VALUES ('alice', 'sip.example.net', 'by hand')");
    let (client, other) = (server.client("Acme").await, server.client("Other").await);
    let (alice, _bob) = (server.account(client, "alice").await, server.account(other, "bob").await);
    switches.have(&[("alice", PASSWORD), ("bob", PASSWORD)]).await;
    // Changed: another password, another name.
    switches.change("clients.accounts.update", json!({"id": alice, "password": "another one"})).await;
    switches.have(&[("alice", "another one"), ("bob", PASSWORD)]).await;
    switches.change("clients.accounts.update", json!({"id": alice, "accname": "zoe"})).await;
    switches.have(&[("bob", PASSWORD), ("zoe", "another one")]).await;
    // Known by an address, it has no name any more; and back.
    switches.change("clients.accounts.update", json!({"id": alice, "auth_type": "ip", "ips": ["192.0.2.7"]})).await;
    switches.have(&[("bob", PASSWORD)]).await;
    switches.change("clients.accounts.update", json!({"id": alice, "auth_type": "name"})).await;
    switches.have(&[("bob", PASSWORD), ("zoe", "another one")]).await;
    // Out of funds, changed meanwhile, in funds again.
    server.pay(client, "5").await;
    server.pay(client, "-6").await;
    switches.have(&[("bob", PASSWORD)]).await;
    switches.change("clients.accounts.update", json!({"id": alice, "password": "third"})).await;
    switches.change("clients.update", json!({"id": client, "name": "Acme Telecom"})).await;
    switches.have(&[("bob", PASSWORD)]).await;
    server.pay(client, "10").await;
    switches.have(&[("bob", PASSWORD), ("zoe", "third")]).await;
    // Stopped and served again.
    switches.change("clients.update", json!({"id": client, "status": "stopped"})).await;
    switches.have(&[("bob", PASSWORD)]).await;
    switches.change("clients.update", json!({"id": client, "status": "active"})).await;
    switches.have(&[("bob", PASSWORD), ("zoe", "third")]).await;
    resync(&switches, client).await;
    // Gone.
    switches.change("clients.accounts.delete", json!({"id": alice})).await;
    switches.have(&[("bob", PASSWORD)]).await;
    server.account(client, "carol").await;
    switches.change("clients.archive", json!({"id": client})).await;
    switches.have(&[("bob", PASSWORD)]).await;
    switches.change("clients.delete", json!({"id": other})).await;
    switches.have(&[]).await;
}

/// Everything was lost, and something is there that nobody knows.
async fn resync(switches: &Switches<'_>, client: i64) {
    for (product, target, _) in &switches.all {
        let lost = product.emptied.iter().copied().chain(["hookswitch_accounts", "hookswitch_clients"]);
        target.run(&lost.map(|table| format!("DELETE FROM {table}")).collect::<Vec<_>>());
    }
    for (product, target, id) in &switches.all {
        target.rows(&format!(
            "INSERT INTO hookswitch_accounts VALUES ({id}, 9999, 9999, 'ghost', '{DOMAIN}', 'x', 'x', '', 1, '')"
        ));
        if product.emptied == ["subscriber"] {
            target.rows(&format!("INSERT INTO subscriber (username, domain) VALUES ('ghost', '{DOMAIN}')"));
        }
    }
    // The state of the funds is told too.
    switches.server.pay(client, "-100").await;
    switches.resync().await;
    switches.have(&[("bob", PASSWORD)]).await;
    switches.server.pay(client, "100").await;
    switches.have(&[("bob", PASSWORD), ("zoe", "third")]).await;
}

#[tokio::test]
async fn every_template_keeps_its_product_right_in_postgres() {
    life([Target::postgres(), Target::postgres()]).await;
}

#[tokio::test]
async fn every_template_keeps_its_product_right_in_a_sqlite_file() {
    life([Target::sqlite(), Target::sqlite()]).await;
}

#[tokio::test]
async fn every_template_keeps_its_product_right_in_mariadb() {
    life([Target::mariadb(), Target::mariadb()]).await;
}
