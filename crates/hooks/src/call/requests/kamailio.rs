//! Calls of a running Kamailio over JSON-RPC (its modules jsonrpcs and xhttp): reload a table, unregister somebody. What lies in its database is a SQL
//! handler's business; this is for what it keeps in memory.
use hookswitch_model::{Object, handler::Handler};
use reqwest::{Method, Url, header::HeaderMap};
use serde_json::{Value as Json, json};

use super::{
    super::configured::{
        by_event::{ByEvent, list},
        json::{Filled, Template},
        settings::text,
    },
    REQUESTS_MAX,
    request::{Answer, Request, accept, when},
};
use crate::condition::expression::{Expression, Given};

const KEYS: [&str; 4] = ["method", "params", "accept", "when"];
/// What Kamailio says of an address of record that nobody is registered under.
const NOT_FOUND: u16 = 404;
/// In a test: it changes nothing, and shows that Kamailio answers.
const HARMLESS: &str = "core.version";

/// What is configured.
pub(super) struct Kamailio {
    calls: ByEvent<Vec<Rpc>>,
    kick: Vec<(&'static str, Rpc)>,
}

struct Rpc {
    when: Option<Expression>,
    method: String,
    params: Template,
    accept: Vec<u16>,
}

impl Kamailio {
    pub(super) fn read(handler: &Handler) -> Result<Self, String> {
        let settings = &handler.settings;
        let calls = ByEvent::read(settings.get("calls"), "calls", |given| list(given, REQUESTS_MAX, Rpc::read))?;
        calls.check(handler, "calls")?;
        let kick = match text(settings, "template")?.as_deref() {
            None => Vec::new(),
            Some("kick") => kick(text(settings, "domain")?.is_some())?,
            Some(other) => return Err(format!("has a template {other:?} that is not known: there is kick")),
        };
        if calls.is_empty() && kick.is_empty() {
            return Err("must have the template kick, or calls for the events that it takes".to_owned());
        }
        Ok(Self { calls, kick })
    }

    pub(super) fn requests(&self, events_id: &str, given: &Given<'_>, url: &Url, trial: bool) -> Result<Vec<Request>, String> {
        let mut requests = Vec::new();
        for (_, rpc) in self.kick.iter().filter(|(event, _)| *event == events_id) {
            requests.extend(rpc.fill(given, url).map_err(|words| format!("template kick: {words}"))?);
        }
        for (name, calls) in self.calls.of(events_id) {
            for (index, rpc) in calls.iter().enumerate() {
                let filled = rpc.fill(given, url);
                requests.extend(filled.map_err(|words| format!("calls, {name}, number {}: {words}", index + 1))?);
            }
        }
        if trial {
            requests.iter_mut().for_each(|request| request.answer = Answer::Unsent);
            requests.push(request(url, HARMLESS, &json!([]), &json!([]), Vec::new()));
        }
        Ok(requests)
    }
}

impl Rpc {
    fn read(given: &Json) -> Result<Self, String> {
        let given = given.as_object().ok_or("it must be an object")?;
        if let Some(unknown) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("{unknown:?} is not known: there are {}", KEYS.join(", ")));
        }
        let method = given.get("method").and_then(Json::as_str).filter(|method| !method.is_empty());
        let params = given.get("params").cloned().unwrap_or_else(|| json!([]));
        if !params.is_array() && !params.is_object() {
            return Err("params must be a list or an object".to_owned());
        }
        Ok(Self {
            when: when(given)?,
            method: method.ok_or("method must be a text, such as htable.reload")?.to_owned(),
            params: Template::read(&params).map_err(|words| format!("params {words}"))?,
            accept: accept(given)?,
        })
    }

    fn fill(&self, given: &Given<'_>, url: &Url) -> Result<Option<Request>, String> {
        match &self.when {
            Some(when) if !when.holds(given).map_err(|words| format!("when {words}"))? => Ok(None),
            _ => {
                let Filled { value, shown, secrets } = self.params.fill(given)?;
                Ok(Some(Request { secrets, ..request(url, &self.method, &value, &shown, self.accept.clone()) }))
            }
        }
    }
}

fn request(url: &Url, method: &str, params: &Json, shown: &Json, accept: Vec<u16>) -> Request {
    let body = |params: &Json| json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1});
    Request {
        method: Method::POST,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: Some(body(params).to_string().into_bytes()),
        shown: json!({"method": "POST", "body": body(shown)}),
        secrets: Vec::new(),
        accept,
        missing: None,
        answer: Answer::JsonRpc,
    }
}

/// Unregisters an account that is gone, and one that is called otherwise or has another password, under its old name.
fn kick(with_domain: bool) -> Result<Vec<(&'static str, Rpc)>, String> {
    let domain = if with_domain { "@{{settings.domain}}" } else { "" };
    // What did not change is not in it; passwords may be masked, so values say nothing.
    let changed = |key: &str| format!("has(previous.{key})");
    let renamed = "has(previous.accname) ? previous.accname : object.accname";
    let rpc = |name: &str, when: String| {
        let mut rpc = Object::new();
        rpc.insert("when".to_owned(), when.into());
        rpc.insert("method".to_owned(), "ul.rm".into());
        rpc.insert("params".to_owned(), json!(["location", format!("{{{{{name}}}}}{domain}")]));
        rpc.insert("accept".to_owned(), json!([NOT_FOUND]));
        Rpc::read(&Json::Object(rpc))
    };
    let was_changed = ["accname", "password", "auth_type"].map(changed).join(" || ");
    Ok(vec![
        ("clients.accounts.delete", rpc("object.accname", "object.accname != null".to_owned())?),
        ("clients.accounts.update", rpc(renamed, format!("({was_changed}) && ({renamed}) != null"))?),
    ])
}
