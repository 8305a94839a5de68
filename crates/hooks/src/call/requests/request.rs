//! One request as it was configured, and as it is sent.
use hookswitch_model::{Object, json::MASK};
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value as Json, json};
use url::form_urlencoded;

use super::super::{
    configured::{
        json::{self, Filled},
        text::{self, Text},
    },
    headers,
};
use crate::condition::expression::{Expression, Given};

const METHODS: [Method; 5] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::GET];
const KEYS: [&str; 8] = ["method", "path", "headers", "body", "form", "accept", "missing", "when"];
/// The most headers of a request, and statuses that it takes for done.
const ITEMS_MAX: usize = 20;

/// A request, ready to be given values.
#[derive(Debug)]
pub(super) struct Template {
    when: Option<Expression>,
    method: Method,
    path: Text,
    headers: Vec<(HeaderName, Text)>,
    body: Option<Body>,
    accept: Vec<u16>,
    missing: Option<Box<Self>>,
}

#[derive(Debug)]
enum Body {
    Json(json::Template),
    /// An object of texts.
    Form(json::Template),
}

/// A request with its values.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    /// For the log: nothing secret.
    pub(super) shown: Json,
    /// What is masked in an answer that repeats it: digests.
    pub(super) secrets: Vec<String>,
    /// Statuses that count as done besides 2xx; of JSON-RPC, codes of errors.
    pub(super) accept: Vec<u16>,
    /// Sent in its place when the answer is 404.
    pub(super) missing: Option<Box<Self>>,
    /// What is read in the answer.
    pub(super) answer: Answer,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// By its status.
    Status,
    /// By its status, and an `error` in its body.
    JsonRpc,
    /// It is not sent: a test that changes nothing there shows it.
    Unsent,
}

impl Template {
    /// Reads one as it was configured. `fields` is the body of those that say none.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn read(given: &Json, fields: Option<&Json>) -> Result<Self, String> {
        let given = given.as_object().ok_or("it must be an object")?;
        if let Some(unknown) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("{unknown:?} is not known: there are {}", KEYS.join(", ")));
        }
        let method = match given.get("method") {
            None => Method::POST,
            Some(word) => METHODS
                .into_iter()
                .find(|method| word.as_str() == Some(method.as_str()))
                .ok_or("method must be POST, PUT, PATCH, DELETE or GET")?,
        };
        let missing = match given.get("missing") {
            None => None,
            Some(request) if request.get("missing").is_some() => {
                return Err("missing: must have no missing of its own".to_owned());
            }
            Some(request) => Some(Box::new(Self::read(request, fields).map_err(|words| format!("missing: {words}"))?)),
        };
        Ok(Self {
            when: when(given)?,
            body: body(given, fields.filter(|_| ![Method::DELETE, Method::GET].contains(&method)))?,
            path: path(given)?,
            headers: headers_of(given)?,
            accept: accept(given)?,
            method,
            missing,
        })
    }

    /// With the values of an event; `None` = its `when` does not hold.
    ///
    /// # Errors
    /// Which value can't be found out or used, and why.
    pub(super) fn fill(&self, given: &Given<'_>, base: &Url) -> Result<Option<Request>, String> {
        if let Some(when) = &self.when
            && !when.holds(given).map_err(|words| format!("when {words}"))?
        {
            return Ok(None);
        }
        let path = self.path.try_fill(given, segment)?;
        let url = below(base, &path)?;
        let mut headers = HeaderMap::new();
        for (name, text) in &self.headers {
            let mut value = HeaderValue::try_from(text.fill(given, str::to_owned)?)
                .map_err(|_| format!("the header {name} would have a value that a header can't have"))?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        let (body, Filled { shown: body_shown, secrets, .. }) = match &self.body {
            None => (None, Filled { value: Json::Null, shown: Json::Null, secrets: Vec::new() }),
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type()));
                let (bytes, filled) = body.fill(given)?;
                (Some(bytes), filled)
            }
        };
        let path_shown = if self.path.gives_secret() { MASK } else { &path };
        let missing = self.missing.as_ref().map(|missing| missing.fill(given, base)).transpose()?.flatten();
        Ok(Some(Request {
            method: self.method.clone(),
            shown: json!({"method": self.method.as_str(), "path": path_shown, "body": body_shown}),
            url,
            headers,
            body,
            secrets,
            accept: self.accept.clone(),
            missing: missing.map(Box::new),
            answer: Answer::Status,
        }))
    }
}

impl Body {
    fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    fn fill(&self, given: &Given<'_>) -> Result<(Vec<u8>, Filled), String> {
        match self {
            Self::Json(template) => {
                let filled = template.fill(given)?;
                Ok((filled.value.to_string().into_bytes(), filled))
            }
            Self::Form(template) => {
                let filled = template.fill(given)?;
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, value) in filled.value.as_object().into_iter().flatten() {
                    form.append_pair(name, &text::written(value));
                }
                Ok((form.finish().into_bytes(), filled))
            }
        }
    }
}

/// The condition of a request or a call: an expression.
pub(super) fn when(given: &Object) -> Result<Option<Expression>, String> {
    let Some(source) = given.get("when") else { return Ok(None) };
    let source = source.as_str().ok_or("when must be a text: an expression")?;
    Expression::compile(source).map(Some).map_err(|unfit| format!("when {unfit}"))
}

/// Numbers that count as done.
pub(super) fn accept(given: &Object) -> Result<Vec<u16>, String> {
    let wrong = "accept must be a list of numbers";
    let Some(list) = given.get("accept") else { return Ok(Vec::new()) };
    let list = list.as_array().filter(|list| list.len() <= ITEMS_MAX).ok_or(wrong)?;
    let number = |item: &Json| item.as_u64().and_then(|number| u16::try_from(number).ok()).ok_or_else(|| wrong.to_owned());
    list.iter().map(number).collect()
}

fn path(given: &Object) -> Result<Text, String> {
    let path = match given.get("path") {
        None => "",
        Some(path) => path.as_str().ok_or("path must be a text")?,
    };
    if !path.is_empty() && !path.starts_with(['/', '?']) {
        return Err("path must begin with /: it follows the task".to_owned());
    }
    let path = Text::read(path).map_err(|words| format!("path {words}"))?;
    if path.fixed().any(|fixed| fixed.contains(['#', '\\']) || fixed.chars().any(char::is_whitespace)) {
        return Err("path must not contain spaces, # or \\".to_owned());
    }
    Ok(path)
}

fn body(given: &Object, fields: Option<&Json>) -> Result<Option<Body>, String> {
    match (given.get("body").or(fields.filter(|_| !given.contains_key("form"))), given.get("form")) {
        (Some(_), Some(_)) => Err("body and form don't go together".to_owned()),
        (None, None) => Ok(None),
        (Some(body), None) => {
            json::Template::read(body).map(|body| Some(Body::Json(body))).map_err(|words| format!("body {words}"))
        }
        (None, Some(form)) => {
            let is_flat = form.as_object().is_some_and(|form| form.values().all(Json::is_string));
            if !is_flat {
                return Err("form must be an object with a text for each field".to_owned());
            }
            json::Template::read(form).map(|form| Some(Body::Form(form))).map_err(|words| format!("form, {words}"))
        }
    }
}

fn headers_of(given: &Object) -> Result<Vec<(HeaderName, Text)>, String> {
    let Some(given) = given.get("headers") else { return Ok(Vec::new()) };
    let given = given.as_object().filter(|given| given.len() <= ITEMS_MAX).ok_or("headers must be an object of at most 20")?;
    let named = |(name, text): (String, Text)| {
        headers::check(&name, "").map_err(|unfit| format!("header {name} {unfit}"))?;
        let parsed: HeaderName = name.parse().map_err(|_| format!("header {name} is not a header name"))?;
        Ok((parsed, text))
    };
    texts(given).map_err(|words| format!("headers, {words}"))?.into_iter().map(named).collect()
}

fn texts(given: &Object) -> Result<Vec<(String, Text)>, String> {
    let read = |(name, text): (&String, &Json)| {
        let text = text.as_str().ok_or_else(|| format!("{name} must be a text"))?;
        Ok((name.clone(), Text::read(text).map_err(|words| format!("{name} {words}"))?))
    };
    given.iter().map(read).collect()
}

/// So that a value is one segment, or one value of a query, whatever is in it. An empty one would climb to what stands above.
fn segment(value: &str) -> Result<String, String> {
    if value.is_empty() {
        return Err("is empty, which has no place in a path: ask for it with when".to_owned());
    }
    // A form's encoding, but for spaces: there a plus, which in a path is one.
    Ok(form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20"))
}

/// The URL of a path below the task's. No value can lead out of the path that was written.
fn below(base: &Url, path: &str) -> Result<Url, String> {
    let folders = path.split('?').next().unwrap_or_default();
    if folders.split('/').any(|folder| [".", ".."].contains(&folder)) {
        return Err("a value of the path is . or .., which would lead elsewhere".to_owned());
    }
    Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/'))).map_err(|_| "the path is none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(request: Json) -> Result<Option<Request>, String> {
        let Json::Object(payload) =
            json!({"object": {"id": 42, "name": "A/B?c=d &é", "credit": 12.5, "dots": "..", "none": null}, "event": {"id": "e"}})
        else {
            panic!()
        };
        let fields = json!({"Name": "{{object.name}}"});
        let base = Url::parse("https://crm.example/api/").unwrap();
        Template::read(&request, Some(&fields))?.fill(&Given::new(&payload), &base)
    }

    #[test]
    fn a_value_stays_in_its_place() {
        let request = filled(json!({"method": "PUT", "path": "/co/{{object.name}}?by={{object.name}}",
            "headers": {"If-Match": "{{event.id}}"}}));
        let request = request.unwrap().unwrap();
        let encoded = "A%2FB%3Fc%3Dd%20%26%C3%A9";
        assert_eq!(request.url.as_str(), format!("https://crm.example/api/co/{encoded}?by={encoded}"));
        assert_eq!(request.body.as_deref(), Some(r#"{"Name":"A/B?c=d &é"}"#.as_bytes()));
        assert_eq!(request.headers["if-match"], "e");
        assert!(filled(json!({"path": "/co/{{object.none}}"})).unwrap_err().contains("is empty"));
        assert!(filled(json!({"path": "/co/{{object.dots}}/x"})).unwrap_err().contains("elsewhere"));
        assert!(filled(json!({"headers": {"X-A": "{{object.name + '\\r\\nX: y'}}"}})).unwrap_err().contains("header"));
    }

    #[test]
    fn bodies_forms_and_conditions() {
        let form = filled(json!({"form": {"id": "{{object.id}}", "n": "{{object.name}}"}})).unwrap().unwrap();
        assert_eq!(form.body.as_deref(), Some(&b"id=42&n=A%2FB%3Fc%3Dd+%26%C3%A9"[..]));
        assert_eq!(form.headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
        let deleting = filled(json!({"method": "DELETE", "path": "/{{object.id}}", "accept": [404]})).unwrap().unwrap();
        assert_eq!((deleting.body, deleting.accept), (None, vec![404]));
        assert!(filled(json!({"when": "has(object.email)"})).unwrap().is_none());
        assert!(filled(json!({"when": "object.email == 'x'"})).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_told_when_it_is_read() {
        for (request, words) in [
            (json!({"methd": "PUT"}), "methd"),
            (json!({"method": "get"}), "method"),
            (json!({"path": "//other.example/{{object.id}}".replace("//", "")}), "begin with /"),
            (json!({"body": {"a": "{{client.name}}"}}), "client.name"),
            (json!({"headers": {"Host": 1}}), "Host"),
            (json!({"headers": {"Content-Length": "1"}}), "Content-Length"),
            (json!({"missing": {"path": 1}}), "missing: path"),
            (json!({"missing": {"missing": {}}}), "of its own"),
            (json!({"path": "/a/.\t./{{object.id}}"}), "spaces"),
            (json!({"accept": ["404"]}), "accept"),
        ] {
            assert!(filled(request.clone()).unwrap_err().contains(words), "{request}");
        }
    }
}
