//! The story with FreeRADIUS: who is let in follows from what Hookswitch was told, by way of the database.
use hookswitch_testkit::{Server, Value, json};

use super::{
    PASSWORD,
    freeradius::{FreeRadius, Reply},
    provision, resync,
};
use crate::sql::{DOMAIN, md5, target::Target};

/// How a password is proved.
#[derive(Clone, Copy)]
enum Proof {
    /// PAP: it is sent.
    Clear,
    /// As SIP servers ask on behalf of phones.
    Digest,
}

impl Proof {
    fn request(self, name: &str, password: &str) -> String {
        if let Self::Clear = self {
            return format!(r#"User-Name = "{name}", User-Password = "{password}""#);
        }
        let (nonce, method, uri) = ("b1e2c3", "INVITE", format!("sip:bob@{DOMAIN}"));
        let ha1 = md5(&format!("{name}:{DOMAIN}:{password}"));
        let response = md5(&format!("{ha1}:{nonce}:{}", md5(&format!("{method}:{uri}"))));
        format!(
            r#"User-Name = "{name}", Digest-User-Name = "{name}", Digest-Realm = "{DOMAIN}", Digest-Nonce = "{nonce}",
Digest-Method = "{method}", Digest-URI = "{uri}", Digest-Algorithm = "MD5", Digest-Response = "{response}""#
        )
        .replace('\n', " ")
    }
}

/// Who asks, and how.
struct Asked {
    radius: FreeRadius,
    proof: Proof,
}

impl Asked {
    #[track_caller]
    fn accepts(&self, name: &str, password: &str) -> Reply {
        let reply = self.radius.ask(&self.proof.request(name, password));
        assert!(reply.accepted, "{name}: {reply:?}");
        reply
    }

    #[track_caller]
    fn rejects(&self, name: &str, password: &str) {
        let reply = self.radius.ask(&self.proof.request(name, password));
        assert!(!reply.accepted, "{name}: {reply:?}");
    }
}

async fn story(target: Target, proof: Proof, settings: Value) {
    let asked = Asked { radius: FreeRadius::start(&target).await, proof };
    // What the carrier grants a group is his own.
    target.rows("INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES ('prepaid', 'Idle-Timeout', ':=', '600')");
    let server = Server::start().await;
    let handler = provision(&server, &target, "freeradius", settings).await;
    let (client, other) = (server.client("Acme").await, server.client("Other").await);
    server.pay(client, "5").await;
    // Created.
    let (account, _bob) = (server.account(client, "alice").await, server.account(other, "bob").await);
    server.wait_all_delivered().await;
    let reply = asked.accepts("alice", PASSWORD);
    for expected in ["Session-Timeout = 3600", "Idle-Timeout = 600"] {
        assert!(reply.attributes.iter().any(|found| found == expected), "{expected}: {reply:?}");
    }
    asked.rejects("alice", "wrong");
    // Out of funds, and paid.
    server.pay(client, "-5").await;
    server.wait_all_delivered().await;
    asked.rejects("alice", PASSWORD);
    asked.accepts("bob", PASSWORD);
    server.pay(client, "10").await;
    server.wait_all_delivered().await;
    asked.accepts("alice", PASSWORD);
    // Everything lost, and told again.
    for table in ["radcheck", "radreply", "radusergroup"] {
        target.rows(&format!("DELETE FROM {table}"));
    }
    asked.rejects("bob", PASSWORD);
    resync(&server, handler).await;
    asked.accepts("bob", PASSWORD);
    assert!(asked.accepts("alice", PASSWORD).attributes.len() >= 2, "attributes too");
    // Gone.
    server.ok("clients.accounts.delete", json!({"id": account})).await;
    server.wait_all_delivered().await;
    asked.rejects("alice", PASSWORD);
    asked.accepts("bob", PASSWORD);
}

#[tokio::test]
async fn freeradius_lets_in_who_is_served_by_password_out_of_postgres() {
    let settings = json!({"passwords": "clear", "group": "prepaid", "reply": {"Session-Timeout": "3600"}});
    story(Target::postgres(), Proof::Clear, settings).await;
}

#[tokio::test]
async fn freeradius_lets_in_who_is_served_by_digest_out_of_mariadb() {
    let settings = json!({"group": "prepaid", "reply": {"Session-Timeout": "3600"}});
    story(Target::mariadb(), Proof::Digest, settings).await;
}
