//! One of each object, of one reseller; and a tree of resellers, each with one of each.
use hookswitch_testkit::{Api, Recorder, Reply, Server, Value, api::id, json, wait_for, wait_until, with};

/// The password of every account.
pub(super) const PASSWORD: &str = "s3cret-s3cret";

/// The ids of one of each object.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    /// The reseller.
    pub(super) company: i64,
    /// The reseller of its user, handler and custom field; null = the whole system.
    pub(super) users_of: Value,
    /// A reseller below it, with nothing.
    pub(super) below: i64,
    pub(super) client: i64,
    pub(super) account: i64,
    pub(super) transaction: i64,
    /// It is open to renewal from the beginning of each period, and too dear for the client: so the clock waits for money, and
    /// steps are taken on request only, for a fee that the request names.
    pub(super) package: i64,
    /// What the client has of it for its account; new.
    pub(super) client_package: i64,
    /// A custom field of clients.
    pub(super) custom_field: i64,
    /// The key of its custom fields, of clients and of packages: a word that none of the others has.
    pub(super) key: String,
    pub(super) user: i64,
    /// The user's key.
    pub(super) user_key: String,
    /// An after handler of `clients.create`; its delivery is dead.
    pub(super) handler: i64,
    /// A before handler that was asked about the client's creation alone, and was to hear how it ended.
    pub(super) asked: i64,
    /// That outcome, which is dead.
    pub(super) outcome: i64,
    /// The event of the client's creation.
    pub(super) event: String,
    pub(super) delivery: i64,
    pub(super) execution: i64,
    /// A resync of its handler; its delivery is dead too, so that it is not over.
    pub(super) resync: i64,
    /// Two handlers that answered each other about the client; 0 = none did.
    pub(super) found_loop: i64,
}

impl Objects {
    /// A name that nothing has yet.
    pub(super) fn new_name(&self) -> String {
        format!("New name of {}", self.key)
    }

    /// Ids of what never was.
    pub(super) fn nowhere() -> Self {
        Self {
            company: 900_001,
            users_of: json!(900_001),
            below: 900_002,
            client: 900_003,
            account: 900_004,
            transaction: 900_005,
            package: 900_011,
            client_package: 900_012,
            custom_field: 900_006,
            key: "nowhere".to_owned(),
            user: 900_007,
            user_key: String::new(),
            handler: 900_008,
            asked: 900_013,
            outcome: 900_014,
            event: "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11".to_owned(),
            delivery: 900_009,
            execution: 900_010,
            resync: 900_013,
            found_loop: 900_014,
        }
    }

    /// One of each, made by a user of the whole system.
    pub(super) async fn make(admin: &Api, company: i64, users_of: Value, key: &str, gone: &Recorder) -> Self {
        let objects = Self::without_loop(admin, company, users_of, key, gone).await;
        Self { found_loop: go_round(admin, objects.client, &objects.users_of).await, ..objects }
    }

    /// One of each but a loop, which takes its time.
    pub(super) async fn without_loop(admin: &Api, company: i64, users_of: Value, key: &str, gone: &Recorder) -> Self {
        let named = |what: &str| format!("{what} of {key}");
        let custom = json!({"object_type": "clients", "key": key, "title": named("Field"), "companies_id": users_of});
        let custom_field = id(&admin.ok("custom_fields.create", custom.clone()).await);
        admin.ok("custom_fields.create", with(custom, json!({"object_type": "packages"}))).await;
        let handler = json!({"name": named("handler"), "event": "clients.create", "task": gone.url(), "companies_id": users_of});
        let handler = admin.handler(handler).await;
        let asked = json!({
            "name": named("asked"), "event": "clients.create", "task": gone.url(), "companies_id": users_of, "type": "before",
            "on_failure": "allow", "notify_outcome": true, "condition": format!("data.name == '{}'", named("Client")),
        });
        let asked = admin.handler(asked).await;
        let below = admin.company(&named("Below"), company).await;
        let client = id(&admin.ok("clients.create", json!({"name": named("Client"), "companies_id": company})).await);
        admin.ok("clients.custom_fields.update", json!({"id": client, key: named("value")})).await;
        let account = admin.account(client, &format!("account-{key}")).await;
        let transaction = id(&admin.pay(client, "1").await);
        let package = json!({
            "name": named("Package"), "companies_id": company, "period": "P30D", "advance_renew": "P30D", "period_fee": 1000,
            "custom_fields": {key: named("value")},
        });
        let package = id(&admin.ok("packages.create", package).await);
        let assigned = json!({"clients_id": client, "accounts_id": account, "packages_id": package});
        let client_package = id(&admin.ok("clients.packages.assign", assigned).await);
        let user = json!({"login": format!("user-{key}"), "role": "operator", "companies_id": users_of, "password": "a long enough password"});
        let user = admin.ok("users.create", user).await;
        let of_it = json!({"handlers_id": handler, "clients_id": client});
        let dead = with(of_it.clone(), json!({"state": "dead"}));
        let delivery =
            wait_for("a dead delivery", async || admin.ok("provisioning.deliveries.search", dead.clone()).await.get(0).cloned())
                .await;
        let execution = id(&admin.wait_log(of_it, 1).await[0]);
        let told = json!({"id": handler, "clients_id": [client]});
        let resync = id(&admin.ok("provisioning.handlers.resync", told).await);
        wait_for("a resync that is told and not over", async || {
            let found = admin.ok("provisioning.resyncs.get", json!({"id": resync})).await;
            (found["state"] == "incomplete").then_some(())
        })
        .await;
        let dead = json!({"handlers_id": asked, "state": "dead"});
        let outcome =
            wait_for("a dead outcome", async || admin.ok("provisioning.outcomes.search", dead.clone()).await.get(0).cloned())
                .await;
        Self {
            company,
            users_of,
            below,
            client,
            account,
            transaction,
            package,
            client_package,
            custom_field,
            key: key.to_owned(),
            user: id(&user),
            user_key: user["key"].as_str().unwrap().to_owned(),
            handler,
            asked,
            outcome: id(&outcome),
            event: delivery["event_id"].as_str().unwrap().to_owned(),
            delivery: id(&delivery),
            execution,
            resync,
            found_loop: 0,
        }
    }
}

/// Has two handlers answer each other about a client, each with the cause, until that is cut; the loop's id.
async fn go_round(admin: &Api, client: i64, users_of: &Value) -> i64 {
    let (recorders, mut handlers) = ([Recorder::start().await, Recorder::start().await], Vec::new());
    for recorder in &recorders {
        let handler = json!({"name": "round", "event": "clients.update", "task": recorder.url(), "companies_id": users_of});
        handlers.push(admin.handler(handler).await);
    }
    let mut cause = String::new();
    for turn in 0..8 {
        let notes = json!(format!("turn {turn}"));
        let params = json!({"id": client, "notes": notes});
        admin.call_with(&[("hookswitch-cause", &cause)], "clients.update", params).await.expect("not yet too deep");
        let told = wait_for("the next one to be told", async || {
            recorders[turn % 2].calls().into_iter().find(|call| call.body["data"]["notes"] == notes)
        });
        cause = told.await.header("hookswitch-cause").unwrap().to_owned();
    }
    let params = json!({"id": client, "notes": null});
    admin.call_with(&[("hookswitch-cause", &cause)], "clients.update", params.clone()).await.expect_err("too deep");
    for handler in handlers {
        admin.ok("provisioning.handlers.delete", json!({"id": handler, "force": true})).await;
    }
    admin.ok("clients.update", params).await;
    let found = json!({"clients_id": client});
    let found = wait_for("the loop", async || admin.ok("provisioning.loops.search", found.clone()).await.get(0).cloned());
    id(&found.await)
}

/// A server whose handlers of resellers may be on this machine, and one that is gone for good.
pub(super) async fn server() -> (Server, Recorder) {
    let gone = Recorder::answering(|_| Reply::status(410)).await;
    (Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").start().await, gone)
}

/// Waits until nothing is on its way to a handler any more, and no resync is about to write anything.
pub(super) async fn settled(admin: &Api) {
    wait_until("no resync is under way", async || {
        let under_way = json!({"state": ["counting", "running", "waiting", "delivering"]});
        admin.ok("provisioning.resyncs.search", under_way).await == json!([])
    })
    .await;
    wait_until("every delivery has ended", async || {
        admin.ok("provisioning.deliveries.search", json!({"state": ["waiting", "retrying"]})).await == json!([])
    })
    .await;
    wait_until("every outcome was told", async || {
        admin.ok("provisioning.outcomes.search", json!({"state": ["asked", "waiting", "retrying"]})).await == json!([])
    })
    .await;
}

/// A tree of resellers: the Default one, below it *upper*, below that *own* and *sibling*. Each has one of each object, and so
/// has the whole system.
pub(super) struct Tree {
    pub(super) server: Server,
    /// An admin of *own*.
    pub(super) admin: Api,
    pub(super) own: Objects,
    pub(super) sibling: Objects,
    pub(super) upper: Objects,
    pub(super) system: Objects,
}

impl Tree {
    pub(super) async fn grow() -> Self {
        let (server, gone) = server().await;
        let upper = server.company("Upper", 1).await;
        let (own, sibling) = (server.company("Own", upper).await, server.company("Sibling", upper).await);
        let make = async |company: i64, users_of: Value, key: &str| Objects::make(&server, company, users_of, key, &gone).await;
        let system = make(1, json!(null), "system").await;
        let of_upper = make(upper, json!(upper), "upper").await;
        let of_sibling = make(sibling, json!(sibling), "sibling").await;
        let of_own = make(own, json!(own), "own").await;
        settled(&server).await;
        let admin = server.user("admin-own", "admin", json!(own)).await;
        Self { admin, own: of_own, sibling: of_sibling, upper: of_upper, system, server }
    }

    /// Those that are none of *own*'s business.
    pub(super) fn strangers(&self) -> [&Objects; 3] {
        [&self.sibling, &self.upper, &self.system]
    }

    /// The resellers whose objects *own* sees.
    pub(super) fn within(&self) -> [i64; 2] {
        [self.own.company, self.own.below]
    }
}
