//! For the tests of this crate: an API over a database of its own.
use std::{net::Ipv4Addr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, request::Builder},
};
use hookswitch_cluster::Cluster;
use hookswitch_core::{Core, first_admin::first_admin};
use hookswitch_hooks::{
    Breaker, Retention,
    call::{CallerOptions, script},
};
use hookswitch_store::{Clock, Database, MasterKey, Store};
use hookswitch_testdb::Home;

use hookswitch_traces::Traces;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use crate::{Api, Options, RequestSpan, connections::Circumstances, routes::routes};

pub(crate) const ADMIN_KEY: &str = "an-admin-key-for-the-tests-of-the-api";

/// An API over a new database with its first admin.
pub(crate) struct Fixture {
    api: Api,
    _home: Home,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Fixture {
    pub(crate) async fn open() -> Self {
        let home = Home::new();
        let database = Database::at(&home.url()).unwrap();
        let key = MasterKey::from_bytes([7; 32]);
        let options = hookswitch_store::Options { database, key, clock: Clock::system(), faults: None };
        let store = Store::open(options).unwrap();
        let caller = CallerOptions {
            user_agent: "hookswitch/test".to_owned(),
            reseller_networks: Vec::new(),
            scripts_dir: home.path().join("scripts"),
            data_dir: home.path().to_owned(),
            program: None,
            script_limits: script::Limits::default(),
            extra_roots_pem: Vec::new(),
            network: None,
            traces: Traces::off(),
        };
        let hooks = hookswitch_hooks::Options {
            cluster: Cluster::alone(),
            caller,
            breaker: Breaker::default(),
            retention: Retention::default(),
        };
        let options = hookswitch_core::Options { store, hooks, before_budget: Duration::from_secs(10) };
        let core = Core::open(options).await.unwrap();
        let password = "a password for the tests".to_owned();
        first_admin(&core, Some(ADMIN_KEY.to_owned()), Some(password)).await.unwrap();
        let api = Api::new(Options { core, trusted_proxies: Vec::new(), open_metrics: false });
        Self { api, _home: home }
    }

    pub(crate) fn api(&self) -> Api {
        self.api.clone()
    }

    /// A POST to the Core API.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send(Request::post("/api/"), headers, Body::from(body.to_string())).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(Request::get(path), headers, Body::empty()).await
    }

    async fn send(&self, mut request: Builder, headers: &[(&str, &str)], body: Body) -> Reply {
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        let mut request = request.body(body).unwrap();
        let request_id = self.api.parts.request_ids.of(request.headers());
        request.extensions_mut().insert(Circumstances {
            request_id,
            from: Ipv4Addr::LOCALHOST.into(),
            span: RequestSpan::default(),
        });
        let Ok(response) = TowerToHyperService::new(routes(self.api())).call(request).await;
        let (head, body) = response.into_parts();
        let text = String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned();
        Reply { status: head.status, headers: head.headers, text }
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        self.text.parse().unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
