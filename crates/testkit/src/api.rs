//! The Core API as a client sees it: JSON-RPC over HTTP, and raw requests for what is not even that.
use std::{sync::Once, time::Duration};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// Longer than any answer may take (the budget of a before chain is 10 s).
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one server, with one key.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    key: String,
    http: reqwest::Client,
}

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError {
    /// Such as -32602.
    pub code: i64,
    /// Such as `Invalid request`.
    pub message: String,
    /// What the contract's table says for the code; null when absent.
    pub data: Value,
}

impl RpcError {
    /// The names of the wrong fields of a -32602, in order of name.
    ///
    /// # Panics
    /// When it is another error.
    #[must_use]
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        assert_eq!(self.code, -32602, "not a field error: {self:?}");
        assert_eq!(self.message, "Invalid request");
        let mut names: Vec<_> = self.data.as_object().expect("a map of fields").keys().cloned().collect();
        names.sort();
        names
    }

    /// `data.code`, such as `low_balance`.
    #[must_use]
    pub fn word(&self) -> &str {
        self.data["code"].as_str().unwrap_or_default()
    }
}

/// An HTTP answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// `error.code` of a JSON-RPC answer.
    ///
    /// # Panics
    /// When it is no JSON-RPC error.
    #[must_use]
    #[track_caller]
    pub fn error_code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error code: {self:?}"))
    }
}

impl Api {
    /// A client of the server at `base` (`http://127.0.0.1:3080`).
    ///
    /// # Panics
    /// When no HTTP client can be made.
    #[must_use]
    pub fn new(base: &str, key: &str) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Refused when the server in this very process has already installed it.
            let _already = rustls::crypto::ring::default_provider().install_default();
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .expect("a plain client");
        Self { base: base.trim_end_matches('/').to_owned(), key: key.to_owned(), http }
    }

    /// The same server with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The key that it sends.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// One call; the outer error is for a connection that broke.
    ///
    /// # Errors
    /// When no whole answer came back.
    pub async fn try_call(&self, method: &str, params: Value) -> Result<Result<Value, RpcError>, reqwest::Error> {
        let body = request(method, params).to_string();
        let answer = self.try_post("/api/", &[], body).await?;
        let body = answer.json();
        assert_eq!(body["jsonrpc"], "2.0", "{answer:?}");
        Ok(match (body.get("result"), body.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (None, Some(error)) => Err(read_error(error)),
            _ => panic!("an answer has a result or an error: {answer:?}"),
        })
    }

    /// One call.
    ///
    /// # Errors
    /// With what the server refused.
    ///
    /// # Panics
    /// When the connection broke or the answer is not JSON-RPC.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        self.try_call(method, params).await.unwrap_or_else(|error| panic!("no answer to {method}: {error:?}"))
    }

    /// One call that must succeed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn ok(&self, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.call(method, params).await.unwrap_or_else(|error| panic!("{method} {shown} was refused: {error:#?}"))
    }

    /// One call that must be refused.
    ///
    /// # Panics
    /// When it succeeds.
    pub async fn refused(&self, method: &str, params: Value) -> RpcError {
        let shown = params.to_string();
        match self.call(method, params).await {
            Err(error) => error,
            Ok(result) => panic!("{method} {shown} was not refused: {result:#}"),
        }
    }

    /// One call, with the whole answer (`warnings` stands beside `result`).
    pub async fn whole(&self, method: &str, params: Value) -> Value {
        self.post("/api/", &[], request(method, params).to_string()).await.json()
    }

    /// One call with further headers.
    ///
    /// # Errors
    /// With what the server refused.
    pub async fn call_with(&self, headers: &[(&str, &str)], method: &str, params: Value) -> Result<Value, RpcError> {
        let answer = self.post("/api/", headers, request(method, params).to_string()).await;
        let body = answer.json();
        body.get("error").map_or_else(|| Ok(body["result"].clone()), |error| Err(read_error(error)))
    }

    /// Any POST with this client's key.
    ///
    /// # Panics
    /// When no whole answer came back.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        self.try_post(path, headers, body).await.unwrap_or_else(|error| panic!("no answer to POST {path}: {error:?}"))
    }

    /// Any POST; a `headers` entry replaces ours (an empty value removes it).
    ///
    /// # Errors
    /// When no whole answer came back.
    pub async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        self.try_send("POST", path, headers, body).await
    }

    /// The same with any HTTP method.
    ///
    /// # Errors
    /// When no whole answer came back.
    pub async fn try_send(
        &self,
        verb: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let mut all = HeaderMap::new();
        for (name, value) in [("content-type", "application/json"), ("x-api-key", &self.key)].iter().chain(headers) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            all.insert(name.clone(), HeaderValue::from_str(value).expect("a header value"));
            if value.is_empty() {
                all.remove(name);
            }
        }
        let verb = verb.parse().expect("an HTTP method");
        read(self.http.request(verb, format!("{}{path}", self.base)).headers(all).body(body.into()).send().await?).await
    }

    /// Any GET, without a key.
    ///
    /// # Panics
    /// When no whole answer came back.
    pub async fn get(&self, path: &str) -> Answer {
        let sent = self.http.get(format!("{}{path}", self.base)).send().await;
        read(sent.expect("an answer")).await.expect("a whole answer")
    }
}

/// A JSON-RPC request object.
#[must_use]
pub fn request(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// The `id` of an object.
///
/// # Panics
/// When it has none.
#[must_use]
#[track_caller]
pub fn id(object: &Value) -> i64 {
    object["id"].as_i64().unwrap_or_else(|| panic!("no id in {object}"))
}

/// Reads a JSON-RPC error object.
///
/// # Panics
/// When it has no code or message.
#[must_use]
#[track_caller]
pub fn read_error(error: &Value) -> RpcError {
    RpcError {
        code: error["code"].as_i64().unwrap_or_else(|| panic!("no code in {error}")),
        message: error["message"].as_str().unwrap_or_else(|| panic!("no message in {error}")).to_owned(),
        data: error["data"].clone(),
    }
}

async fn read(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text: response.text().await? })
}
