//! Random lives, random payments, random crashes: the program and a slow and simple oracle come to the same events, charges and
//! states, and every activation is matched by one deactivation.
use hookswitch_testkit::{Clocked, Value, api::id, json};
use proptest::prelude::*;

use super::oracle::{Hour, Oracle, Terms};

const HOUR_S: i64 = 3_600;

#[derive(Debug, Clone)]
enum Op {
    Assign(Terms),
    Pay(i64),
    Credit(i64),
    Activate(usize),
    Deactivate(usize),
    Renew(usize),
    Close(usize),
    /// Down for so many hours, in order or not.
    Down(Hour, bool),
}

fn terms() -> impl Strategy<Value = Terms> {
    let times = (2..72i64, 0..90i64, prop::option::of(0..100i64), 0..40i64, prop::option::of(1..300i64));
    let money = (0..15i64, 0..15i64, 1..4i64);
    (times, money).prop_map(|((period, advance, renew_due, start_in, stop_in), (activation_fee, period_fee, quantity))| Terms {
        period,
        advance,
        renew_due,
        start_in,
        stop_in,
        activation_fee,
        period_fee,
        quantity,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let which = 0..6usize;
    prop_oneof![
        4 => terms().prop_map(Op::Assign),
        6 => (1..120i64).prop_map(Op::Pay),
        1 => (0..50i64).prop_map(Op::Credit),
        2 => which.clone().prop_map(Op::Activate),
        2 => which.clone().prop_map(Op::Deactivate),
        2 => which.clone().prop_map(Op::Renew),
        1 => which.prop_map(Op::Close),
        3 => (0..200i64, any::<bool>()).prop_map(|(hours, in_order)| Op::Down(hours, in_order)),
    ]
}

/// The program, driven beside the oracle.
struct Pair {
    server: Clocked,
    client: i64,
    owned: Vec<i64>,
    oracle: Oracle,
    began: i64,
}

impl Pair {
    async fn new() -> Self {
        let server = Clocked::keeping(10_000).await;
        let client = server.client("Acme").await;
        let began = server.now();
        Self { server, client, owned: Vec::new(), oracle: Oracle::default(), began }
    }

    async fn pass(&mut self, hours: Hour) {
        // In one go: what lies between is caught up with in order.
        self.server.advance(hours * HOUR_S);
        self.oracle.pass(hours);
        self.server.wait_nothing_due().await;
    }

    async fn run(&mut self, op: Op) {
        match op {
            Op::Assign(terms) => self.assign(terms).await,
            Op::Pay(amount) => {
                self.server.pay(self.client, &amount.to_string()).await;
                self.oracle.pay(amount);
            }
            Op::Credit(credit) => {
                self.server.ok("clients.update", json!({"id": self.client, "credit": credit})).await;
                self.oracle.set_credit(credit);
            }
            Op::Activate(which) => self.request("activate", which, Oracle::activate).await,
            Op::Deactivate(which) => self.request("deactivate", which, Oracle::deactivate).await,
            Op::Renew(which) => self.request("renew", which, Oracle::renew).await,
            Op::Close(which) => self.request("close", which, Oracle::close).await,
            Op::Down(hours, in_order) => {
                match in_order {
                    true => self.server.restart_after(hours * HOUR_S).await,
                    false => self.server.crash_and_restart_after(hours * HOUR_S).await,
                }
                self.oracle.pass(hours);
            }
        }
        self.server.wait_nothing_due().await;
    }

    async fn assign(&mut self, terms: Terms) {
        let hours = |hours: Hour| format!("PT{hours}H");
        let package = json!({
            "name": "p", "period": hours(terms.period), "advance_renew": hours(terms.advance),
            "renew_due": terms.renew_due.map(hours), "activation_fee": terms.activation_fee, "period_fee": terms.period_fee,
        });
        let package = id(&self.server.ok("packages.create", package).await);
        let start = self.server.now() + terms.start_in * HOUR_S;
        let iso = |seconds: i64| hookswitch_testkit::clocked::iso(seconds);
        let own = json!({
            "clients_id": self.client, "packages_id": package, "quantity": terms.quantity, "start_dt": iso(start),
            "stop_dt": terms.stop_in.map(|hours| iso(start + hours * HOUR_S)),
        });
        self.owned.push(id(&self.server.ok("clients.packages.assign", own).await));
        self.oracle.assign(terms);
    }

    async fn request(&mut self, step: &str, which: usize, ask: fn(&mut Oracle, usize) -> bool) {
        let Some(own) = self.owned.get(which) else { return };
        let answer = self.server.call(&format!("clients.packages.{step}"), json!({"id": own})).await;
        assert_eq!(answer.is_ok(), ask(&mut self.oracle, which), "{step} of {own}: {answer:?}");
    }

    fn hour(&self, dt: &Value) -> Hour {
        (Clocked::seconds(dt.as_str().expect("a time")) - self.began) / HOUR_S
    }

    async fn all(&self, method: &str, filters: Value) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let page = json!({"limit": 1000, "order": ["id"], "offset": rows.len()});
            let page = hookswitch_testkit::with(page, filters.clone());
            let Value::Array(more) = self.server.ok(method, page).await else { panic!("a bare array") };
            if more.is_empty() {
                return rows;
            }
            rows.extend(more);
        }
    }

    async fn compare(&self) {
        let journal = self.all("provisioning.events.search", json!({"clients_id": self.client, "order": ["seq"]})).await;
        let number = |row: &Value| {
            let is_step = row["events_id"].as_str().is_some_and(|name| name.starts_with("clients.packages."));
            if is_step { self.owned.iter().position(|own| row["object_id"] == *own).map_or(0, |at| at + 1) } else { 0 }
        };
        let events: Vec<(String, usize, Hour)> = journal[1..]
            .iter()
            .map(|row| (row["events_id"].as_str().unwrap_or_default().to_owned(), number(row), self.hour(&row["dt"])))
            .collect();
        assert_eq!(events, self.oracle.events);
        let ledger = self.all("accounting.transactions.search", json!({"clients_id": self.client})).await;
        let ledger: Vec<(i64, i64, Hour)> = ledger
            .iter()
            .map(|row| (row["amount"].as_i64().unwrap(), row["balance_after"].as_i64().unwrap(), self.hour(&row["c_dt"])))
            .collect();
        assert_eq!(ledger, self.oracle.ledger);
        assert_eq!(self.states().await, self.oracle.states());
        for own in 1..=self.owned.len() {
            self.assert_matched(own, &events);
        }
    }

    async fn states(&self) -> Vec<String> {
        let rows = self.all("clients.packages.search", json!({"clients_id": self.client})).await;
        let hour = |dt: &Value| if dt.is_null() { 0 } else { self.hour(dt) };
        let state = |row: &Value| {
            let paid = format!("{}..{}", hour(&row["period_start_dt"]), hour(&row["period_stop_dt"]));
            format!("{} {paid} {}", row["condition"].as_str().unwrap(), row["reason"].as_str().unwrap_or_default())
        };
        rows.iter().map(state).collect()
    }

    /// On and off in turns; off at the end if it is closed.
    fn assert_matched(&self, own: usize, events: &[(String, usize, Hour)]) {
        let mut is_on = false;
        for (name, _, _) in events.iter().filter(|(_, number, _)| *number == own) {
            match name.as_str() {
                "clients.packages.activate" => assert!(!std::mem::replace(&mut is_on, true), "activated twice: {events:?}"),
                "clients.packages.deactivate" => assert!(std::mem::take(&mut is_on), "deactivated twice: {events:?}"),
                "clients.packages.renew" => assert!(is_on, "renewed while off: {events:?}"),
                "clients.packages.close" => assert!(!is_on, "closed while on: {events:?}"),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lives_come_out_as_the_oracle_says(ops in prop::collection::vec((0..40i64, op()), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new().await;
            for (gap, op) in ops {
                pair.pass(gap).await;
                pair.run(op).await;
            }
            pair.pass(500).await;
            pair.compare().await;
        });
    }
}

/// Each case starts a server: few by default, many by `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16)
}
