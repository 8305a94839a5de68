//! Proof with real switches, from Debian's packages: an account that was created registers and calls, or is let in; whoever is out of
//! funds is not; and an empty table is right again after a resync. Their configuration is that of `examples/`, which the docs tell to copy.
//!
//! | file | what |
//! |---|---|
//! | `calls` | the story with Kamailio, whose users are phones of sipp |
//! | `kick` | commands of a running Kamailio |
//! | `logins` | the story with FreeRADIUS, asked by radclient |
//! | `kamailio`, `freeradius` | one of them in a folder and on ports of its own |
//! | `sipp` | a phone |
//! | `daemon` | a server in a folder of its own, which ends with the test, however that ends |
//! | `place` | a handler's database as the switches are told of it |
mod calls;
mod daemon;
mod freeradius;
pub(crate) mod kamailio;
mod kick;
mod logins;
mod place;
mod sipp;

use hookswitch_testkit::{Server, Value, json, with};

use crate::sql::{DOMAIN, handler, target::Target};

/// The password of an account that [`Server::account`] makes.
const PASSWORD: &str = "s3cret-s3cret";

/// A handler that keeps a switch's tables; gives its id.
async fn provision(server: &Server, target: &Target, template: &str, more: Value) -> i64 {
    let settings = with(json!({"template": template, "domain": DOMAIN}), more);
    server.handler(handler(target, json!(["clients.*", "provisioning.resync_done"]), settings)).await
}

/// Tells the handler how all clients stand, and waits until it has heard the end of it.
async fn resync(server: &Server, handler: i64) {
    server.ok("provisioning.handlers.resync", json!({"id": handler})).await;
    server.wait_log(json!({"handlers_id": handler, "events_id": "provisioning.resync_done", "status": "success"}), 1).await;
    server.wait_all_delivered().await;
}
