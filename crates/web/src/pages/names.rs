//! What the objects are called that rows name by their ids: asked for once for a whole page.
use std::collections::{BTreeMap, BTreeSet};

use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use crate::{
    html::Html,
    markup,
    parts::{input::Choice, list::objects, words},
    visitor::Visitor,
};

/// As many resellers and packages can be chosen from; there are few of them.
const CHOSEN_FROM_MAX: usize = 1_000;

/// Names by id.
#[derive(Debug, Default)]
pub(crate) struct Names {
    clients: BTreeMap<i64, String>,
    resellers: BTreeMap<i64, String>,
    packages: BTreeMap<i64, String>,
}

impl Names {
    /// The names of what these rows hold under these keys. Of clients only those that are named; there are too many.
    ///
    /// # Errors
    /// Every refusal.
    pub(crate) async fn of(visitor: &Visitor, rows: &[Object], keys: &[&str]) -> Result<Self, Refusal> {
        let mut names = Self::default();
        if keys.contains(&"clients_id") && !rows.is_empty() {
            let ids: BTreeSet<i64> = rows.iter().filter_map(|row| row.get("clients_id")?.as_i64()).collect();
            names.clients = named(visitor, "clients.search", json!({"id": ids, "limit": ids.len().max(1)})).await?;
        }
        if keys.contains(&"companies_id") {
            names.resellers = named(visitor, "companies.search", json!({"limit": CHOSEN_FROM_MAX})).await?;
        }
        if keys.contains(&"packages_id") {
            names.packages = named(visitor, "packages.search", json!({"limit": CHOSEN_FROM_MAX})).await?;
        }
        Ok(names)
    }

    /// A link to a row's client.
    pub(crate) fn client(&self, row: &Object) -> Html {
        link("/clients", &self.clients, row.get("clients_id"))
    }

    /// A link to a row's reseller; `word` where it has none.
    pub(crate) fn reseller(&self, row: &Object, name: &str, word: &str) -> Html {
        match row.get(name) {
            None | Some(Value::Null) => markup!("<span class=\"quiet\">{}</span>", word),
            id => link("/resellers", &self.resellers, id),
        }
    }

    /// The resellers to choose from in a filter.
    pub(crate) fn resellers(&self) -> Vec<Choice> {
        choices(&self.resellers)
    }

    /// The packages to choose from in a filter.
    pub(crate) fn packages(&self) -> Vec<Choice> {
        choices(&self.packages)
    }
}

async fn named(visitor: &Visitor, method: &'static str, asked: Value) -> Result<BTreeMap<i64, String>, Refusal> {
    let rows = objects(visitor.ask(method, asked).await?);
    Ok(rows.iter().filter_map(|row| Some((row["id"].as_i64()?, row["name"].as_str()?.to_owned()))).collect())
}

fn link(path: &str, names: &BTreeMap<i64, String>, id: Option<&Value>) -> Html {
    let Some(id) = id.and_then(Value::as_i64) else { return words::nothing() };
    let name = names.get(&id).cloned().unwrap_or_else(|| format!("#{id}"));
    words::link(&format!("{path}/{id}"), name)
}

fn choices(names: &BTreeMap<i64, String>) -> Vec<Choice> {
    let mut named: Vec<_> = names.iter().map(|(id, name)| Choice::new(id.to_string(), name.as_str())).collect();
    named.sort_by_key(|choice| choice.label.to_lowercase());
    [Choice::new("", "Any")].into_iter().chain(named).collect()
}
