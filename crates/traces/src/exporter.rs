//! From the queue to the collector: whatever has gathered within a moment goes out as one request. What the collector can't take for
//! now is sent again a few times, while the queue fills behind it; then it is lost. Nothing here holds up anybody else.
use std::{
    sync::Arc,
    time::{Duration, Instant as Moment},
};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::{Message as _, bytes::Bytes};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect::Policy,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use crate::{Settings, Shared, otlp, span::Ended};

/// Spans in one request: well below the 4 MiB that collectors take at least.
const BATCH_MAX: usize = 2_048;
/// So long a span waits for others.
const GATHERING: Duration = Duration::from_secs(1);
/// One request, from the connection to the end of its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// When it is sent again, each time after the last.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// How often the log is told that it doesn't work.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

const USER_AGENT: &str = concat!("hookswitch/", env!("CARGO_PKG_VERSION"));
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// The task that exports.
pub struct Exporter {
    /// Until when it may go on.
    end: watch::Sender<Option<Instant>>,
    task: JoinHandle<()>,
}

struct Work {
    shared: Arc<Shared>,
    client: Client,
    endpoint: Url,
    shown: String,
    headers: HeaderMap,
    resource: Vec<(String, String)>,
    /// When the log was told that it doesn't work; `None` = it works.
    told: Option<Moment>,
}

/// Why a batch was not taken.
struct Refused {
    words: String,
    /// It may be taken later.
    for_now: bool,
}

impl Exporter {
    pub(crate) fn start(settings: Settings, spans: mpsc::Receiver<Ended>, shared: Arc<Shared>) -> Result<Self, reqwest::Error> {
        let client =
            Client::builder().no_proxy().redirect(Policy::none()).user_agent(USER_AGENT).timeout(ANSWER_WITHIN).build()?;
        let (shown, Settings { endpoint, mut headers, resource, .. }) = (settings.endpoint(), settings);
        headers.insert(CONTENT_TYPE, PROTOBUF);
        let work = Work { shared, client, endpoint, shown, headers, resource, told: None };
        let (end, ending) = watch::channel(None);
        Ok(Self { end, task: tokio::spawn(work.run(spans, ending)) })
    }

    /// Sends what there is, at most until then. What is recorded from now on is lost.
    pub async fn stop(self, until: Instant) {
        self.end.send_replace(Some(until));
        // What it was sending by then is not counted any more.
        let _ended = timeout_at(until, self.task).await;
    }
}

impl Work {
    async fn run(mut self, mut spans: mpsc::Receiver<Ended>, mut ending: watch::Receiver<Option<Instant>>) {
        let mut batch = Vec::new();
        loop {
            if ending.borrow().is_some() {
                // What is in it still comes out.
                spans.close();
            }
            tokio::select! {
                biased;
                count = spans.recv_many(&mut batch, BATCH_MAX) => if count == 0 { return },
                () = has_ended(&mut ending) => continue,
            }
            let full = Instant::now() + GATHERING;
            while batch.len() < BATCH_MAX && ending.borrow().is_none() {
                let room = BATCH_MAX - batch.len();
                tokio::select! {
                    more = timeout_at(full, spans.recv_many(&mut batch, room)) => if matches!(more, Ok(0) | Err(_)) { break },
                    () = has_ended(&mut ending) => break,
                }
            }
            self.export(std::mem::take(&mut batch), &mut ending).await;
        }
    }

    /// Sends a batch, and again if it may be taken later; once, if the end has come.
    async fn export(&mut self, batch: Vec<Ended>, ending: &mut watch::Receiver<Option<Instant>>) {
        let count = batch.len();
        let body = Bytes::from(otlp::body(&self.resource, batch));
        let mut waits = AGAIN.into_iter();
        loop {
            let refused = match self.send(body.clone()).await {
                Ok(rejected) => return self.taken(count, rejected),
                Err(refused) => refused,
            };
            self.complain(&refused);
            let wait = waits.next().filter(|_| refused.for_now && ending.borrow().is_none());
            let Some(wait) = wait else { return self.shared.counts.dropped(count) };
            // The end cuts the wait short, and this is the last time then.
            let _ended = timeout(wait, has_ended(ending)).await;
        }
    }

    /// Sends it once; gives how many of them the collector did not want.
    async fn send(&self, body: Bytes) -> Result<usize, Refused> {
        let request = self.client.post(self.endpoint.clone()).headers(self.headers.clone()).body(body);
        let response = request.send().await.map_err(|error| Refused { words: words(&error).to_owned(), for_now: true })?;
        match response.status() {
            status if status.is_success() => Ok(rejected(response).await),
            status => {
                let for_now = [
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::BAD_GATEWAY,
                    StatusCode::SERVICE_UNAVAILABLE,
                    StatusCode::GATEWAY_TIMEOUT,
                ];
                let for_now = for_now.contains(&status);
                Err(Refused { words: format!("it answered with the HTTP status {}", status.as_u16()), for_now })
            }
        }
    }

    fn taken(&mut self, count: usize, rejected: usize) {
        let rejected = rejected.min(count);
        self.shared.counts.exported(count - rejected);
        if rejected > 0 {
            self.shared.counts.dropped(rejected);
            self.complain(&Refused { words: format!("it rejected {rejected} of {count} spans"), for_now: false });
        } else if self.told.take().is_some() {
            tracing::info!(endpoint = self.shown, "traces are exported again");
        }
    }

    fn complain(&mut self, refused: &Refused) {
        if self.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            self.told = Some(Moment::now());
            let dropped = self.shared.counts.figures().dropped;
            tracing::warn!(endpoint = self.shown, why = refused.words, dropped, "traces can't be exported; all else goes on");
        }
    }
}

/// Waits for the end; once that was seen, for ever.
async fn has_ended(ending: &mut watch::Receiver<Option<Instant>>) {
    // Dropped without a word, there is no end but the runtime's.
    if ending.changed().await.is_err() {
        std::future::pending().await
    }
}

/// reqwest's own texts name the URL, with what may be secret in it.
fn words(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "there was no answer in time",
        error if error.is_connect() => "no connection could be made",
        _ => "the connection broke",
    }
}

/// A collector that has taken the request may still say that it did not want some of it. What can't be read says nothing.
async fn rejected(mut response: Response) -> usize {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return 0;
        }
        body.extend_from_slice(&chunk);
    }
    let partial = ExportTraceServiceResponse::decode(body.as_slice()).ok().and_then(|answer| answer.partial_success);
    partial.map_or(0, |partial| usize::try_from(partial.rejected_spans).unwrap_or(0))
}
