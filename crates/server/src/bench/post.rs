//! `hookswitch __post`: the raw ceiling. The HTTP client that calls handlers posts the same body with the same headers
//! to the same receiver, with the same number of calls in flight, and does nothing else: no database, no queue, no log.
//! What the server delivers is measured against this.
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// What is posted, and for how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) url: String,
    pub(super) concurrency: usize,
    pub(super) seconds: f64,
}

/// Posts answered with 200, and the time it took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) posts: u64,
    pub(super) seconds: f64,
}

/// The headers of every call as the contract lists them, with values of the usual length.
const HEADERS: [(&str, &str); 10] = [
    ("content-type", "application/json"),
    ("hookswitch-event", "clients.create"),
    ("hookswitch-stage", "after"),
    ("hookswitch-attempt", "1"),
    ("hookswitch-cause", "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11.1.pSbYIrS1S4z6xNfWxW3yqYkq0qjJ8cVx"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("webhook-id", "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11"),
    ("webhook-timestamp", "1795468447"),
    ("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
    ("user-agent", concat!("hookswitch/", env!("CARGO_PKG_VERSION"))),
];

/// A payload as a new client causes it: the whole client twice (`data` and `object`).
const PAYLOAD: &[u8] = include_bytes!("payload.json").trim_ascii_end();

/// The process.
///
/// # Errors
/// When the plan can't be read or the receiver does not answer.
pub(super) fn process() -> anyhow::Result<()> {
    let plan: Plan = serde_json::from_reader(std::io::stdin().lock()).context("the plan")?;
    // The threads of the server's own runtime.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(&plan))?;
    serde_json::to_writer(std::io::stdout().lock(), &outcome)?;
    Ok(())
}

async fn run(plan: &Plan) -> anyhow::Result<Outcome> {
    let mut headers = HeaderMap::new();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // A provider that is already there serves as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let (started, body) = (Instant::now(), Bytes::from_static(PAYLOAD));
    let until = started + Duration::from_secs_f64(plan.seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..plan.concurrency {
        tasks.spawn(post_until(until, client.clone(), plan.url.clone(), headers.clone(), body.clone()));
    }
    let mut posts = 0;
    while let Some(ended) = tasks.join_next().await {
        posts += ended??;
    }
    Ok(Outcome { posts, seconds: started.elapsed().as_secs_f64() })
}

async fn post_until(
    until: Instant,
    client: reqwest::Client,
    url: String,
    headers: HeaderMap,
    body: Bytes,
) -> anyhow::Result<u64> {
    let mut posts = 0;
    while Instant::now() < until {
        let reply = client.post(&url).headers(headers.clone()).body(body.clone()).send().await?.error_for_status()?;
        reply.bytes().await?;
        posts += 1;
    }
    Ok(posts)
}
