//! A running server, spoken to through its API: what commands do when they are given `--url` or `--key`.
use std::{fmt, time::Duration};

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use hookswitch_model::json;
use serde_json::{Value, json};

use crate::{
    config::{self, Settings, flags::Flags},
    ending::{Ended, Ending},
    wiring,
};

/// Longer than the server itself may take: a before chain has 10 s by default.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// A key on the command line is seen by everybody on the machine.
const KEY_VARIABLE: &str = "HOOKSWITCH_KEY";
const URL_VARIABLE: &str = "HOOKSWITCH_URL";
/// The error of a request that names wrong fields.
const INVALID: i64 = -32602;

/// How a running server is reached; without any of it, the data folder is worked on.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// Work through the API of a running server [env: HOOKSWITCH_URL] [default with a key: where the configuration says that it listens]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Its API key [env: HOOKSWITCH_KEY]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl Remote {
    /// The server that was named, if one was.
    ///
    /// # Errors
    /// When there is an address without a key.
    pub(crate) fn server(self, settings: &Settings) -> Ended<Option<Server>> {
        let url = self.url.map_or_else(|| config::variable(&config::environment, URL_VARIABLE), |url| Ok(Some(url)))?;
        if url.is_none() && self.key.is_none() {
            return Ok(None);
        }
        let key = self.key.map_or_else(|| config::variable(&config::environment, KEY_VARIABLE), |key| Ok(Some(key)))?;
        let key = key.ok_or_else(|| Ending::Usage(format!("--url needs a key: --key, or {KEY_VARIABLE} in the environment")))?;
        let url = url.unwrap_or_else(|| wiring::url_of(settings.listen, settings.tls.is_some()));
        Ok(Some(Server::new(&url, key)?))
    }

    /// The same for commands that speak to a server as a matter of course: a key in the environment is enough.
    ///
    /// # Errors
    /// When there is an address without a key.
    pub(crate) fn usual_server(mut self, settings: &Settings) -> Ended<Option<Server>> {
        if self.key.is_none() {
            self.key = config::variable(&config::environment, KEY_VARIABLE)?;
        }
        self.server(settings)
    }

    /// The same for commands that are nothing without a server.
    ///
    /// # Errors
    /// When none was named.
    pub(crate) fn needed_server(self) -> Ended<Server> {
        let settings = Settings::read(&Flags::default(), &config::environment)?;
        let server = self.usual_server(&settings)?;
        server.ok_or_else(|| {
            Ending::Usage(format!("this needs a running server: give --url and --key, or {URL_VARIABLE} and {KEY_VARIABLE}"))
        })
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
        Ok(self.ask(method, params).await?.result)
    }

    /// The same, with what handlers wanted to be known.
    ///
    /// # Errors
    /// When no server answers; [`Refused`] when it refuses.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> anyhow::Result<Reply> {
        let answer = self.post(&[], &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await?;
        Ok(reply(method, answer)?)
    }

    /// Many calls in one request, at most 100, and what became of each.
    ///
    /// # Errors
    /// When no server answers, or it takes none of them.
    pub(crate) async fn batch(
        &self,
        headers: &[(&'static str, &'static str)],
        calls: Vec<(&'static str, Value)>,
    ) -> anyhow::Result<Vec<Result<Reply, Refused>>> {
        let names: Vec<&str> = calls.iter().map(|(method, _)| *method).collect();
        let numbered = calls.into_iter().enumerate();
        let body = numbered.map(|(id, (method, params))| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answers = match self.post(headers, &body.collect()).await? {
            Value::Array(answers) => answers,
            one => return Err(reply("batch", one).err().map_or_else(|| anyhow!("no answers to a batch"), Into::into)),
        };
        ensure!(answers.len() == names.len(), "{} calls have {} answers", names.len(), answers.len());
        Ok(names.into_iter().zip(answers).map(|(method, answer)| reply(method, answer)).collect())
    }

    async fn post(&self, headers: &[(&'static str, &'static str)], body: &Value) -> anyhow::Result<Value> {
        let mut request = self.http.post(format!("{}/api/", self.url)).header("x-api-key", &self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.send(request.header("content-type", "application/json").body(body.to_string())).await?;
        let (status, body) = (answer.status(), answer.bytes().await.context("the server's answer")?);
        let answer = json::parse(&body).ok().filter(|answer| answer.is_array() || is_answer(answer));
        answer.ok_or_else(|| anyhow!("{} answers with {status} and no JSON-RPC", self.url))
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

/// A success.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) result: Value,
    /// What handlers wanted the caller to know.
    pub(crate) warnings: Vec<String>,
}

/// A refusal, as the API has it.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) method: Box<str>,
    pub(crate) code: i64,
    pub(crate) message: Box<str>,
    pub(crate) data: Value,
}

impl Refused {
    /// Wrong fields by name, if it is about fields.
    pub(crate) fn fields(&self) -> Option<&hookswitch_model::Object> {
        self.data.as_object().filter(|_| self.code == INVALID)
    }

    /// True if the same request may be sent again as it is, after a pause.
    pub(crate) fn may_be_repeated(&self) -> bool {
        matches!(self.code, -32009 | -32029 | -32053 | -32603)
    }
}

/// As a person reads it: wrong fields are in its data, by name.
impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.method, self.message)?;
        let Some(fields) = self.fields() else { return Ok(()) };
        let fields: Vec<_> =
            fields.iter().map(|(name, words)| format!("{name} {}", words.as_str().unwrap_or_default())).collect();
        write!(out, ": {}", fields.join("; "))
    }
}

impl std::error::Error for Refused {}

fn is_answer(answer: &Value) -> bool {
    answer.get("result").is_some() || answer.get("error").is_some()
}

fn reply(method: &str, mut answer: Value) -> Result<Reply, Refused> {
    match (answer.get_mut("result").map(Value::take), answer.get("error")) {
        (Some(result), None) => {
            let warnings = answer["warnings"].as_array().into_iter().flatten();
            Ok(Reply { result, warnings: warnings.filter_map(Value::as_str).map(str::to_owned).collect() })
        }
        (_, error) => {
            let error = error.unwrap_or(&Value::Null);
            Err(Refused {
                method: method.into(),
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or("refused").into(),
                data: error["data"].clone(),
            })
        }
    }
}
