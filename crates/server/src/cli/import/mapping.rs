//! Which column of the file is which field: said by `--map`, or by headings that are the fields' own names.
use hookswitch_model::{
    Object,
    field::{self, Access, Field},
    objects::{account, client},
};

use crate::{cli::objects::values, ending::Ending};

/// What begins the name of an account's field.
const ACCOUNT: &str = "account.";
/// What an earlier import wrote into its report beside the columns.
pub(super) const NOTES: [&str; 2] = ["import_line", "import_why"];

/// One field of a client, or of his account.
#[derive(Debug, Clone, Copy)]
struct Target {
    of_account: bool,
    field: &'static Field,
}

/// Columns and constants, and the fields that they fill.
#[derive(Debug)]
pub(super) struct Mapping {
    columns: Vec<(usize, Target)>,
    constants: Vec<(Target, String)>,
}

/// One line, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) client: Object,
    pub(super) account: Object,
}

impl Mapping {
    /// From the headings, the pairs of `--map` and those of `--set`.
    ///
    /// # Errors
    /// Every name that is no field, every column that is not there.
    pub(super) fn new(headings: &[String], map: &[String], set: &[String]) -> Result<Self, Ending> {
        let mut wrong = Vec::new();
        let mut mapping = Self { columns: Vec::new(), constants: Vec::new() };
        if map.is_empty() {
            mapping.by_headings(headings, &mut wrong);
        } else {
            mapping.by_pairs(headings, map, &mut wrong);
        }
        for pair in set {
            match pair.split_once('=').map(|(name, text)| (target(name), text)) {
                Some((Some(target), text)) => mapping.constants.push((target, text.to_owned())),
                _ => wrong.push(format!("--set {pair}: no field of a client, and none of an account")),
            }
        }
        let fills = |name: &str, of_account: bool| {
            let is_it = |target: &Target| target.of_account == of_account && target.field.name == name;
            mapping.columns.iter().any(|(_, target)| is_it(target)) || mapping.constants.iter().any(|(target, _)| is_it(target))
        };
        if wrong.is_empty() && !fills("name", false) && !fills("clients_id", true) {
            wrong.push("nothing gives the client's name (name), or whose accounts these are (account.clients_id)".to_owned());
        }
        if wrong.is_empty() { Ok(mapping) } else { Err(Ending::Usage(wrong.join("; "))) }
    }

    fn by_headings(&mut self, headings: &[String], wrong: &mut Vec<String>) {
        for (at, heading) in headings.iter().enumerate().filter(|(_, heading)| !NOTES.contains(&heading.as_str())) {
            match target(heading) {
                Some(target) => self.columns.push((at, target)),
                // What an export wrote, and nobody can set.
                None if field::find(client::FIELDS, heading).is_some() => {}
                None => wrong.push(format!("the column {heading} is no field; --map NAME={heading} says which one it is")),
            }
        }
    }

    fn by_pairs(&mut self, headings: &[String], map: &[String], wrong: &mut Vec<String>) {
        for pair in map {
            let Some((name, heading)) = pair.split_once('=') else {
                wrong.push(format!("--map {pair} must be FIELD=COLUMN"));
                continue;
            };
            let column = headings.iter().position(|known| known == heading.trim());
            match (target(name), column) {
                (Some(target), Some(at)) => self.columns.push((at, target)),
                (None, _) => wrong.push(format!("--map {name}: no field of a client, and none of an account (account.accname)")),
                (_, None) => wrong.push(format!("--map {pair}: there is no column {heading}")),
            }
        }
    }

    /// What a line says. Empty cells say nothing.
    pub(super) fn read(&self, cells: &[&str]) -> Line {
        let mut line = Line { client: Object::new(), account: Object::new() };
        let constants = self.constants.iter().map(|(target, text)| (*target, text.as_str()));
        let columns = self.columns.iter().filter_map(|(at, target)| Some((*target, *cells.get(*at)?)));
        for (target, text) in constants.clone().filter(|(target, _)| !target.of_account).chain(columns) {
            line.put(target, text);
        }
        // Constants alone make no account: a line without one has none.
        if !line.account.is_empty() {
            for (target, text) in
                constants.filter(|(target, _)| target.of_account && !line_has(&line.account, target)).collect::<Vec<_>>()
            {
                line.put(target, text);
            }
        }
        line
    }
}

fn line_has(account: &Object, target: &Target) -> bool {
    account.contains_key(target.field.name)
}

impl Line {
    fn put(&mut self, target: Target, text: &str) {
        // An export keeps spreadsheets from reading formulas.
        let text = text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text).trim();
        if text.is_empty() {
            return;
        }
        let value = values::of_field(target.field, &[text.to_owned()]);
        let object = if target.of_account { &mut self.account } else { &mut self.client };
        object.insert(target.field.name.to_owned(), value);
    }
}

/// The field of that name that can be set at creation.
fn target(name: &str) -> Option<Target> {
    let name = name.trim();
    let (of_account, fields, name) = match name.strip_prefix(ACCOUNT) {
        Some(name) => (true, account::FIELDS, name),
        None => (false, client::FIELDS, name),
    };
    let field = field::find(fields, name)?;
    (!matches!(field.access, Access::ReadOnly | Access::UpdateOnly)).then_some(Target { of_account, field })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_pairs_and_cells_are_read_as_their_fields() {
        let headings = texts(&["Company", "Limit", "SIP user"]);
        let map = texts(&["name=Company", "credit=Limit", "account.accname=SIP user"]);
        let mapping = Mapping::new(&headings, &map, &texts(&["account.password=x", "status=stopped"])).unwrap();
        let line = mapping.read(&["Acme", "12.50", "acme1"]);
        assert_eq!(serde_json::Value::from(line.client).to_string(), r#"{"status":"stopped","name":"Acme","credit":12.50}"#);
        assert_eq!(json!(line.account), json!({"accname": "acme1", "password": "x"}));
        assert!(mapping.read(&["Acme", "", ""]).account.is_empty(), "a constant alone makes no account");
    }

    #[test]
    fn headings_that_are_fields_need_no_pairs_and_all_others_are_named() {
        let mapping = Mapping::new(&texts(&["id", "name", "balance", "account.ips"]), &[], &[]).unwrap();
        assert_eq!(json!(mapping.read(&["7", "'=Acme", "5", "10.0.0.1,10.0.0.2"]).client), json!({"name": "=Acme"}));
        let wrong = Mapping::new(&texts(&["name", "Limit", "SIP"]), &[], &[]).unwrap_err().to_string();
        assert!(wrong.contains("Limit") && wrong.contains("SIP"), "{wrong}");
        assert!(Mapping::new(&texts(&["credit"]), &[], &[]).is_err());
    }
}
