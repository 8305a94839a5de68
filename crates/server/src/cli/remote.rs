//! A running server, spoken to through its API: what commands do when they are given `--url` or `--key`.
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    config::{self, Settings},
    ending::{Ended, Ending},
    wiring,
};

/// Longer than the server itself may take: a before chain has 10 s by default.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// A key on the command line is seen by everybody on the machine.
const KEY_VARIABLE: &str = "HOOKSWITCH_KEY";

/// How a running server is reached; without any of it, the data folder is worked on.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// Work through the API of a running server [default with --key: where the configuration says that it listens]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Its API key [env, with --url: HOOKSWITCH_KEY]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl Remote {
    /// The server that was named, if one was.
    ///
    /// # Errors
    /// When there is an address without a key.
    pub(crate) fn server(self, settings: &Settings) -> Ended<Option<Server>> {
        if self.url.is_none() && self.key.is_none() {
            return Ok(None);
        }
        let url = self.url.unwrap_or_else(|| wiring::url_of(settings.listen, settings.tls.is_some()));
        let key = self.key.map_or_else(|| config::variable(&config::environment, KEY_VARIABLE), |key| Ok(Some(key)))?;
        let key = key.ok_or_else(|| Ending::Usage(format!("--url needs a key: --key, or {KEY_VARIABLE} in the environment")))?;
        Ok(Some(Server::new(&url, key)?))
    }
}

/// What a command adds when the data folder that it wants for itself has a server.
pub(super) fn there_is_another_way(ending: Ending) -> Ending {
    match ending {
        Ending::Locked(words) => Ending::Locked(format!("{words}; give --url and --key to work through it")),
        other => other,
    }
}

/// A running server; a cheap handle.
#[derive(Clone)]
pub(crate) struct Server {
    /// Without a slash at its end.
    pub(crate) url: String,
    key: String,
    http: reqwest::Client,
}

impl Server {
    fn new(url: &str, key: String) -> Ended<Self> {
        let url = url.trim_end_matches('/').trim_end_matches("/api").to_owned();
        if reqwest::Url::parse(&url).is_err() {
            return Err(Ending::Usage(format!("--url must be an address such as http://127.0.0.1:3080, not {url}")));
        }
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build().context("an HTTP client")?;
        Ok(Self { url, key, http })
    }

    /// One call of the Core API.
    ///
    /// # Errors
    /// When no server answers, or it refuses.
    pub(crate) async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let request = self.http.post(format!("{}/api/", self.url)).header("x-api-key", &self.key);
        let answer = self.send(request.header("content-type", "application/json").body(body)).await?;
        let (status, body) = (answer.status(), answer.bytes().await.context("the server's answer")?);
        let mut answer: Value =
            serde_json::from_slice(&body).map_err(|_| anyhow!("{} answers with {status} and no JSON-RPC", self.url))?;
        match (answer.get_mut("result").map(Value::take), answer.get("error")) {
            (Some(result), None) => Ok(result),
            (_, Some(error)) => bail!("{method}: {}", words(error)),
            (None, None) => bail!("{} answers with {status} and no JSON-RPC", self.url),
        }
    }

    /// True if it says that it can serve.
    ///
    /// # Errors
    /// When no server answers.
    pub(crate) async fn is_ready(&self) -> anyhow::Result<bool> {
        Ok(self.send(self.http.get(format!("{}/readyz", self.url))).await?.status().is_success())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        // The words name the address already.
        let sent = request.send().await.map_err(reqwest::Error::without_url);
        sent.with_context(|| format!("no server answers at {}", self.url))
    }
}

/// An error as a person reads it: wrong fields are in its data, by name.
fn words(error: &Value) -> String {
    let message = error["message"].as_str().unwrap_or("refused");
    let Some(fields) = error["data"].as_object().filter(|_| error["code"] == -32602) else { return message.to_owned() };
    let fields: Vec<_> = fields.iter().map(|(name, words)| format!("{name} {}", words.as_str().unwrap_or_default())).collect();
    format!("{message}: {}", fields.join("; "))
}
