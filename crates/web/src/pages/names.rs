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

/// As many resellers and packages can be chosen from: no method gives more at once. There are few of them as a rule; where there are more, the box says so.
pub(crate) const CHOSEN_FROM_MAX: usize = 1_000;

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
            names.resellers = few(visitor, "companies.search", rows, &["companies_id", "parent_id"]).await?;
        }
        if keys.contains(&"packages_id") {
            names.packages = few(visitor, "packages.search", rows, &["packages_id"]).await?;
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

/// The names of what there is little of; where it is much, also of those that the rows hold.
async fn few(visitor: &Visitor, method: &'static str, rows: &[Object], keys: &[&str]) -> Result<BTreeMap<i64, String>, Refusal> {
    let mut names = named(visitor, method, json!({"limit": CHOSEN_FROM_MAX})).await?;
    if names.len() >= CHOSEN_FROM_MAX {
        let held = rows.iter().flat_map(|row| keys.iter().filter_map(|key| row.get(*key)?.as_i64()));
        let missing: BTreeSet<i64> = held.filter(|id| !names.contains_key(id)).collect();
        if !missing.is_empty() {
            names.extend(named(visitor, method, json!({"id": missing, "limit": missing.len()})).await?);
        }
    }
    Ok(names)
}

/// The word of a box for none or any; where not all can be chosen it says so.
pub(crate) fn word_of_none(word: &str, all: usize) -> String {
    match all >= CHOSEN_FROM_MAX {
        true => format!("{word} (the first {} are listed)", words::number(i64::try_from(CHOSEN_FROM_MAX).unwrap_or(0))),
        false => word.to_owned(),
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
    let mut named: Vec<_> =
        names.iter().take(CHOSEN_FROM_MAX).map(|(id, name)| Choice::new(id.to_string(), name.as_str())).collect();
    named.sort_by_key(|choice| choice.label.to_lowercase());
    [Choice::new("", word_of_none("Any", names.len()))].into_iter().chain(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_can_not_hold_all_says_so() {
        let names = |many: i64| (0..many).map(|id| (id, format!("Reseller {id}"))).collect::<BTreeMap<_, _>>();
        let few = choices(&names(999));
        assert_eq!((few.len(), few[0].label.as_str()), (1_000, "Any"));
        let many = choices(&names(1_002));
        assert_eq!((many.len(), many[0].label.as_str()), (1_001, "Any (the first 1,000 are listed)"));
    }
}
