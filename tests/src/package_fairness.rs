//! One reseller's handler hangs over the steps of a crowd of clients: another reseller's steps are taken all the same, both when they
//! have become due just now and when everything is overdue after a crash.
use hookswitch_testkit::{Gate, Recorder, Reply, Server, Value, api::id, before, json, wait_until, with};

/// More than one reseller has places.
const CROWD: usize = 80;

struct Scene {
    server: Server,
    package: i64,
    hanging: Recorder,
    slow: i64,
    other: i64,
}

impl Scene {
    /// Two resellers; the handler of one hangs for longer than anybody waits here.
    async fn start() -> Self {
        let setup = Server::setup().config("reseller_networks = [\"127.0.0.0/8\"]").config("before_budget_ms = 60000");
        let server = setup.start().await;
        let package = id(&server.ok("packages.create", json!({"name": "Free", "period": "P1M"})).await);
        let (slow, other) = (server.company("Slow", 1).await, server.company("Other", 1).await);
        let hanging = Recorder::answering(|_| Reply::hang()).await;
        let scene = Self { server, package, hanging, slow, other };
        scene.handler(&scene.hanging, slow).await;
        scene
    }

    async fn handler(&self, recorder: &Recorder, company: i64) {
        let more = json!({"companies_id": company, "timeout_ms": 30_000, "concurrency": 256});
        self.server.handler(with(before("clients.packages.activate", recorder), more)).await;
    }

    /// A new client of a reseller gets the package.
    async fn assign(&self, company: i64, name: &str) -> i64 {
        let client = id(&self.server.ok("clients.create", json!({"name": name, "companies_id": company})).await);
        let what = json!({"clients_id": client, "packages_id": self.package});
        id(&self.server.ok("clients.packages.assign", what).await)
    }

    async fn assign_crowd(&self) {
        for number in 0..CROWD {
            self.assign(self.slow, &format!("Client {number}")).await;
        }
    }

    async fn condition(&self, own: i64) -> Value {
        self.server.ok("clients.packages.get", json!({"id": own})).await["condition"].clone()
    }

    /// It goes on while nobody of the crowd has got an answer.
    async fn assert_goes_on(&self, own: i64) {
        wait_until("the other reseller's step is taken", async || self.condition(own).await == "activated").await;
        assert_eq!(self.server.log(json!({"status": "failed"})).await, Vec::<Value>::new());
        assert!(self.hanging.calls().len() > 16, "a crowd is asked about at once");
    }
}

#[tokio::test]
async fn what_is_due_just_now_waits_for_no_other_resellers_handler() {
    let scene = Scene::start().await;
    scene.assign_crowd().await;
    let own = scene.assign(scene.other, "Other").await;
    scene.assert_goes_on(own).await;
}

#[tokio::test]
async fn what_is_overdue_waits_for_no_other_resellers_handler() {
    let mut scene = Scene::start().await;
    let gate = Gate::shut();
    let asked = Recorder::answering({
        let gate = gate.clone();
        move |_| Reply::ok().behind(&gate)
    })
    .await;
    scene.handler(&asked, scene.other).await;
    scene.assign_crowd().await;
    let own = scene.assign(scene.other, "Other").await;
    asked.wait(1).await;
    scene.server.kill9().await;
    gate.open();
    scene.hanging.forget();
    scene.server.start_again().await;
    scene.assert_goes_on(own).await;
}
