//! What a caller is told of a value that must be unique and is taken: by the name of the rule, wherever in the transaction the
//! engine noticed it. A statement that is sent along with later ones ([`crate::Tx::put`]) fails with one of those.
//!
//! Actions look before they write, so this is only met where two of them come at once.
use hookswitch_model::refusal::Refusal;

/// A rule: as SQLite names it (its columns), as PostgreSQL does (its index), and what breaks it.
struct Rule {
    columns: &'static str,
    index: &'static str,
    broken: Broken,
}

enum Broken {
    /// A field of the request.
    Field(&'static str),
    /// Something that was done meanwhile.
    Meanwhile(&'static str),
}

const RULES: &[Rule] = &[
    rule("companies.name", "companies_name", Broken::Field("name")),
    rule("users.login", "users_login", Broken::Field("login")),
    rule("clients.companies_id, clients.name", "clients_name", Broken::Field("name")),
    rule("accounts.accname", "accounts_accname", Broken::Field("accname")),
    rule("accounts.ani, accounts.tech_prefix", "accounts_ani", Broken::Field("ani")),
    rule("account_ips.tech_prefix, account_ips.first_ip", "account_ips_pkey", Broken::Field("ips")),
    rule(
        "transactions.clients_id, transactions.external_id",
        "transactions_external",
        Broken::Meanwhile("this external_id is taken"),
    ),
    rule(
        "transactions.clients_packages_id, transactions.package_step",
        "transactions_step",
        Broken::Meanwhile("this period is charged already"),
    ),
];

const fn rule(columns: &'static str, index: &'static str, broken: Broken) -> Rule {
    Rule { columns, index, broken }
}

/// What is wrong for the caller; `None` = it is our own fault.
pub(crate) fn refusal(constraint: &str) -> Option<Refusal> {
    let rule = RULES.iter().find(|rule| rule.columns == constraint || rule.index == constraint)?;
    Some(match rule.broken {
        Broken::Field(name) => Refusal::field(name, "is already in use"),
        Broken::Meanwhile(words) => Refusal::conflict(words),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, migrate};

    /// Rules of the schema that no request can break.
    const OUR_OWN: &[&str] = &["events_id", "events_client", "loops_which", "outcomes_event"];

    #[test]
    fn every_unique_index_is_known_by_both_names() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, &Clock::system()).unwrap();
        let mut indexes = connection
            .prepare(
                "SELECT l.name, m.name, (SELECT group_concat(m.name || '.' || i.name, ', ') FROM pragma_index_info(l.name) i)
                 FROM sqlite_schema m, pragma_index_list(m.name) l WHERE m.type = 'table' AND l.\"unique\" = 1",
            )
            .unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?));
        let (mut found, mut known) = (0, RULES.len());
        for index in indexes.query_map([], read).unwrap() {
            let (name, table, columns) = index.unwrap();
            let name = if name.starts_with("sqlite_autoindex_") { format!("{table}_pkey") } else { name };
            match RULES.iter().find(|rule| rule.index == name) {
                Some(rule) => {
                    assert_eq!(rule.columns, columns, "{name}");
                    known -= 1;
                }
                None => assert!(name.ends_with("_pkey") || OUR_OWN.contains(&name.as_str()), "{name} is unknown"),
            }
            found += 1;
        }
        assert!(known == 0 && found > RULES.len(), "{known} rules are of no index, out of {found}");
    }

    #[test]
    fn a_rule_that_two_at_once_break_names_the_field_on_both_engines() {
        let message = |constraint| refusal(constraint).map(|refusal| refusal.data("").to_string());
        for constraint in ["accounts.ani, accounts.tech_prefix", "accounts_ani"] {
            assert_eq!(message(constraint).as_deref(), Some(r#"{"ani":"is already in use"}"#), "{constraint}");
        }
        assert_eq!(message("events_id"), None);
    }
}
