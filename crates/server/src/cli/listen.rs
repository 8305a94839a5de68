//! `hookswitch listen`: a handler on a developer's machine for as long as somebody looks.
//!
//! A temporary handler is registered that points at a small listener here. Each call is shown, and sent on byte for byte to the
//! program under development, whose answer is the handler's answer. At the end the handler is deleted, before the listener closes:
//! no call that is under way is lost.
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use clap::Args;
use hookswitch_model::json;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    events::line,
    paint::{Paint, Tone, tone_of},
    remote::{Remote, Server},
    say,
    stop::asked_to_stop,
};
use crate::{cli::block_on, ending::Ended};

/// Longer than a handler may take by itself.
const FORWARD_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a call at most, and of its answer.
const BODY_BYTES_MAX: usize = 16 << 20;
/// What is about one connection, not about what it carries.
const OF_A_CONNECTION: [HeaderName; 5] =
    [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];

/// Registers a temporary handler, shows each event, sends it on to a program on this machine, and unregisters at Ctrl-C.
///
/// It is an after handler, told what has happened; with --before it is asked. The server must reach this machine: on another one, say
/// how with --bind and --reached-at. Without --forward each call is answered with success.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch listen --event 'clients.*' --forward http://127.0.0.1:5000/api")]
pub(crate) struct Listen {
    /// Which events; clients.* means all that begin so
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    event: Vec<String>,
    /// Be asked before it happens, not told after
    #[arg(long)]
    before: bool,
    /// Send each call on to this address, and pass its answer on
    #[arg(long, value_name = "URL")]
    forward: Option<reqwest::Url>,
    /// Only events for which this CEL expression is true
    #[arg(long, value_name = "CEL")]
    condition: Option<String>,
    /// Only events of this reseller and those below it
    #[arg(long, value_name = "ID")]
    company: Option<i64>,
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    bind: SocketAddr,
    /// How the server reaches this listener [default: the address that it listens on]
    #[arg(long, value_name = "URL")]
    reached_at: Option<String>,
    /// One JSON object a line: the whole payload
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What every call here needs.
struct Listener {
    forward: Option<reqwest::Url>,
    http: reqwest::Client,
    json: bool,
}

impl Listen {
    /// Listens until it is asked to stop.
    ///
    /// # Errors
    /// When no handler can be registered, or it can't be deleted again.
    pub(crate) fn run(self) -> Ended {
        let server = self.remote.clone().needed_server()?;
        Ok(block_on(self.listen(server))??)
    }

    async fn listen(self, server: Server) -> anyhow::Result<()> {
        let socket = TcpListener::bind(self.bind).await.with_context(|| format!("listening on {}", self.bind))?;
        let address = socket.local_addr().context("the listener's address")?;
        let http = reqwest::Client::builder().no_proxy().timeout(FORWARD_WITHIN).redirect(reqwest::redirect::Policy::none());
        let listener = Listener { forward: self.forward.clone(), http: http.build().context("an HTTP client")?, json: self.json };
        let app = Router::new().fallback(call).with_state(Arc::new(listener));
        let serving = tokio::spawn(async move { axum::serve(socket, app).await });
        let handler = server.call("provisioning.handlers.create", self.handler(address)).await?;
        let id = &handler["id"];
        eprint_line(&format!("handler {id} listens on {address} for {}; Ctrl-C ends it", self.event.join(", ")));
        if let Some(secret) = handler["secret"].as_str() {
            eprint_line(&format!("its signing secret: {secret}"));
        }
        asked_to_stop().await;
        let gone = server.call("provisioning.handlers.delete", json!({"id": id, "force": true})).await;
        serving.abort();
        gone.with_context(|| {
            format!("handler {id} is still registered: delete it with hookswitch handlers delete {id} --force")
        })?;
        eprint_line(&format!("handler {id} is deleted"));
        Ok(())
    }

    fn handler(&self, address: SocketAddr) -> Value {
        let task = self.reached_at.clone().unwrap_or_else(|| format!("http://{address}/"));
        let mut handler = json!({
            "name": format!("listen {address}, process {}", std::process::id()),
            "event": self.event,
            "type": if self.before { "before" } else { "after" },
            "task": task,
            "notes": "Made by hookswitch listen; can be deleted once that has ended.",
        });
        if let Some(condition) = &self.condition {
            handler["condition"] = condition.as_str().into();
        }
        if let Some(company) = self.company {
            handler["companies_id"] = company.into();
        }
        handler
    }
}

#[allow(clippy::print_stderr, reason = "what is said beside the events")]
fn eprint_line(words: &str) {
    eprintln!("{words}");
}

/// One call of the handler.
async fn call(State(listener): State<Arc<Listener>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let began = Instant::now();
    let payload = json::parse(&body).unwrap_or(Value::Null);
    let (answer, words) = match listener.forward.clone() {
        None => (StatusCode::OK.into_response(), String::new()),
        Some(url) => match listener.send_on(url, &head.method, head.headers, body).await {
            Ok((status, answer)) => {
                let words = if status.is_success() { "success" } else { "failed" };
                let tone = tone_of(words).unwrap_or(Tone::Strong);
                let took = format!("-> {} in {} ms", status.as_u16(), began.elapsed().as_millis());
                (answer, Paint::of_output().on(tone, &took))
            }
            Err(error) => {
                let words = format!("-> not sent on: {error:#}");
                ((StatusCode::BAD_GATEWAY, words.clone()).into_response(), Paint::of_output().on(Tone::Bad, &words))
            }
        },
    };
    // Who does not look is not told; the caller gets his answer all the same.
    let _ = if listener.json { say(&format!("{payload}\n")) } else { say(&shown(&payload, &words)) };
    answer
}

fn shown(payload: &Value, words: &str) -> String {
    let event = line(&payload["event"], Paint::of_output());
    match words {
        "" => event,
        words => format!("{} {words}\n", event.trim_end()),
    }
}

impl Listener {
    async fn send_on(
        &self,
        url: reqwest::Url,
        method: &axum::http::Method,
        headers: HeaderMap<HeaderValue>,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Response)> {
        let mut kept = headers;
        OF_A_CONNECTION.iter().for_each(|name| drop(kept.remove(name)));
        let sent = self.http.request(method.clone(), url).headers(kept).body(body).send().await;
        let mut answer = sent.map_err(|error| error.without_url()).context("the program under development does not answer")?;
        let status = answer.status();
        let mut headers = std::mem::take(answer.headers_mut());
        OF_A_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
        let body = answer.bytes().await.map_err(|error| error.without_url()).context("its answer")?;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok((status, response))
    }
}
