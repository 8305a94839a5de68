//! Up to a hundred clients at a time: all of them in one request, then all of their accounts.
//!
//! Each call has an idempotency key made of the import's name and its line. So whatever is sent again (an answer got lost, the
//! import was killed) is answered as it was the first time, and nothing is there twice.
use std::time::Duration;

use anyhow::Context as _;
use hookswitch_core::registry;
use hookswitch_model::Object;
use serde_json::{Value, json};

use super::file::{Group, Row};
use crate::cli::remote::{Refused, Reply, Server};

/// Calls of one request.
pub(super) const CALLS_MAX: usize = 100;
/// How often what may be sent again is, after waits that get longer.
const ATTEMPTS: u32 = 7;
const FIRST_WAIT: Duration = Duration::from_millis(250);

pub(super) const CLIENT: &str = "clients.create";
pub(super) const ACCOUNT: &str = "clients.accounts.create";
/// Tells the server that this is an import.
pub(super) const HEADER: &str = "hookswitch-import";

/// How everything is sent.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) server: Server,
    /// The import's name.
    pub(super) name: String,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Nothing is changed.
    pub(super) dry_run: bool,
    /// A client whose name is there already gets the accounts.
    pub(super) into_existing: bool,
}

/// What became of some groups.
#[derive(Default)]
pub(super) struct Done {
    pub(super) clients: u64,
    pub(super) accounts: u64,
    pub(super) lines: i64,
    pub(super) refused: Vec<(Row, String)>,
    /// What handlers wanted to be known, the first few.
    pub(super) warnings: Vec<String>,
}

/// An account whose client is there.
type Placed = (Row, Object);

impl Sender {
    /// Sends some groups.
    ///
    /// # Errors
    /// When the server is away for long, or can't go on.
    pub(super) async fn send(self, groups: Vec<Group>) -> anyhow::Result<Done> {
        let mut done = Done::default();
        let lines = groups.iter().map(|group| group.accounts.len().max(1)).sum::<usize>();
        done.lines = i64::try_from(lines).unwrap_or(i64::MAX);
        let placed = self.clients(groups, &mut done).await?;
        if self.dry_run {
            self.taken(&placed, &mut done).await?;
            return Ok(done);
        }
        for some in placed.chunks(CALLS_MAX) {
            let calls = some.iter().map(|(row, account)| self.call(ACCOUNT, row, account)).collect();
            for ((row, _), answer) in some.iter().zip(self.batch(calls).await?) {
                match answer {
                    Ok(reply) => done.made(false, reply),
                    Err(refused) => done.refused.push((row.clone(), why("account.", &refused))),
                }
            }
        }
        Ok(done)
    }

    /// Makes the clients; gives their accounts, which know now whose they are.
    async fn clients(&self, groups: Vec<Group>, done: &mut Done) -> anyhow::Result<Vec<Placed>> {
        let with_client = groups.iter().filter_map(|group| Some((group, group.client.as_ref()?)));
        let calls = with_client.map(|(group, client)| self.call(CLIENT, &group.row, client)).collect();
        let mut answers = self.batch(calls).await?.into_iter();
        let mut placed = Vec::new();
        for group in groups {
            if group.client.is_none() && group.accounts.is_empty() {
                done.refused.push((group.row, "says nothing about a client or an account".to_owned()));
                continue;
            }
            let id = match &group.client {
                None => None,
                Some(client) => match answers.next().context("an answer is missing")? {
                    Ok(reply) => {
                        let id = reply.result["id"].clone();
                        done.made(true, reply);
                        Some(id)
                    }
                    Err(refused) => match self.existing(client, &refused).await? {
                        Some(id) => Some(id),
                        None => {
                            refuse_all(group, &refused, done);
                            continue;
                        }
                    },
                },
            };
            placed.extend(group.accounts.into_iter().map(|(row, mut account)| {
                if let Some(id) = &id {
                    account.insert("clients_id".to_owned(), id.clone());
                }
                (row, account)
            }));
        }
        Ok(placed)
    }

    /// The client that has the name already, if he is to have the accounts.
    async fn existing(&self, client: &Object, refused: &Refused) -> anyhow::Result<Option<Value>> {
        if !self.into_existing || !refused.fields().is_some_and(|fields| fields.len() == 1 && fields.contains_key("name")) {
            return Ok(None);
        }
        let mut filters = json!({"name": client.get("name"), "limit": 2});
        if let Some(company) = client.get("companies_id") {
            filters["companies_id"] = company.clone();
        }
        let found = self.server.call("clients.search", filters).await?;
        let only = found.as_array().filter(|found| found.len() == 1).and_then(|found| found.first());
        Ok(only.map(|client| client["id"].clone()))
    }

    /// A dry run: an account of a client that is not there can't be tried at the server. Its shape is checked here, by the same table,
    /// and the server is asked whose names are taken.
    async fn taken(&self, placed: &[Placed], done: &mut Done) -> anyhow::Result<()> {
        let method = registry::find(ACCOUNT).context("accounts can't be made")?;
        for some in placed.chunks(CALLS_MAX) {
            let names: Vec<&Value> = some.iter().filter_map(|(_, account)| account.get("accname")).collect();
            let filters = json!({"accname": names, "limit": names.len().max(1)});
            let found = if names.is_empty() { json!([]) } else { self.server.call("clients.accounts.search", filters).await? };
            for (row, account) in some {
                let mut account = account.clone();
                if account.get("clients_id").is_some_and(|id| id == 0) {
                    account.insert("clients_id".to_owned(), 1.into());
                }
                let is_taken =
                    |name: &Value| found.as_array().is_some_and(|found| found.iter().any(|other| other["accname"] == *name));
                let wrong = match method.check(&account) {
                    Err(errors) => {
                        errors.iter().map(|(name, words)| format!("account.{name} {words}")).collect::<Vec<_>>().join("; ")
                    }
                    Ok(checked) if checked.get("accname").is_some_and(is_taken) => "account.accname is in use".to_owned(),
                    Ok(_) => {
                        done.accounts += 1;
                        continue;
                    }
                };
                done.refused.push((row.clone(), wrong));
            }
        }
        Ok(())
    }

    fn call(&self, method: &'static str, row: &Row, object: &Object) -> (&'static str, Value) {
        let mut params = object.clone();
        if self.dry_run {
            params.insert("dry_run".to_owned(), true.into());
        } else {
            params.insert("idempotency_key".to_owned(), format!("import-{}-{}", self.name, row.line).into());
        }
        (method, params.into())
    }

    /// Sends calls, and again those that may be sent again. A server that is away is waited for.
    async fn batch(&self, calls: Vec<(&'static str, Value)>) -> anyhow::Result<Vec<Result<Reply, Refused>>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let mut answers: Vec<Option<Result<Reply, Refused>>> = vec![None; calls.len()];
        let (mut left, mut wait): (Vec<usize>, _) = ((0..calls.len()).collect(), FIRST_WAIT);
        for attempt in 1..=ATTEMPTS {
            match self.server.batch(&self.headers, left.iter().map(|at| calls[*at].clone()).collect()).await {
                Ok(new) => left.iter().zip(new).for_each(|(at, answer)| answers[*at] = Some(answer)),
                Err(error) if attempt == ATTEMPTS || error.downcast_ref::<Refused>().is_some_and(|no| !no.may_be_repeated()) => {
                    return Err(error);
                }
                Err(_) => {}
            }
            left.retain(|at| answers[*at].as_ref().is_none_or(|answer| answer.as_ref().is_err_and(Refused::may_be_repeated)));
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        answers.into_iter().map(|answer| answer.context("the server gave no answer")).collect()
    }
}

/// A client that was refused takes his accounts with him.
fn refuse_all(group: Group, refused: &Refused, done: &mut Done) {
    let words = why("", refused);
    if group.accounts.is_empty() {
        done.refused.push((group.row, words));
        return;
    }
    let first = group.row.line;
    for (row, _) in group.accounts {
        let words = if row.line == first { words.clone() } else { format!("its client in line {first} was refused: {words}") };
        done.refused.push((row, words));
    }
}

impl Done {
    fn made(&mut self, is_client: bool, reply: Reply) {
        if is_client {
            self.clients += 1
        } else {
            self.accounts += 1
        }
        self.warnings.extend(reply.warnings);
    }
}

/// In the words of the mapping.
fn why(prefix: &str, refused: &Refused) -> String {
    match refused.fields() {
        Some(fields) => {
            let words = fields.iter().map(|(name, words)| format!("{prefix}{name} {}", words.as_str().unwrap_or_default()));
            words.collect::<Vec<_>>().join("; ")
        }
        None => refused.message.to_string(),
    }
}
