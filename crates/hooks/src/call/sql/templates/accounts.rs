//! How a product's rows follow from two tables of ours, which stand beside them in the same database:
//!
//! ```text
//!   hookswitch_accounts   one row an account: its name, realm, digests, and whose it is
//!   hookswitch_clients    one row a client: is it served, is it in funds
//!            |
//!            v            the rows of accounts that may make calls, and no others
//!   subscriber, radcheck, ps_endpoints...
//! ```
//!
//! An event about an account brings that account's rows into line, one about a client those of all its accounts. A product's tables
//! don't say whose an account is, so without ours a balance event could not be acted upon; and since what is blocked is
//! remembered here, the rows come back when the client pays.
//!
//! An account's rows are found by the name that it had: a new name takes the old rows along. Two accounts may follow each other under one
//! name and are told of in any order, being of different clients: so a name stands for the account whose event is the newest (`taken`, an
//! event's id, which is ordered by time), and every event of an account writes anew what its name stands for, be it another's.
//!
//! MySQL's usual collations take names for equal that are none, such as `erin` and `ERIN`. What is found so is looked at once more, letter
//! by letter; and where a row of the other spelling stands, none is written: the product could not tell them apart.
use super::{
    super::place::Engine::{self, Mysql, Postgres, Sqlite},
    Template,
    products::Row,
};

/// Events of accounts and clients are heard some seconds before or after, by different clocks.
const CLOCKS_S: i64 = 10;

const ACCOUNTS: &str = "CREATE TABLE IF NOT EXISTS hookswitch_accounts (
  handler BIGINT NOT NULL, id BIGINT NOT NULL, clients_id BIGINT NOT NULL, username VARCHAR(128) NOT NULL,
  domain VARCHAR(190) NOT NULL, ha1 VARCHAR(64) NOT NULL, ha1b VARCHAR(64) NOT NULL, secret VARCHAR(256) NOT NULL,
  active INT NOT NULL, taken VARCHAR(36) NOT NULL, PRIMARY KEY (handler, id))";
/// The first handlers had tables without it.
const TAKEN: &str = "ALTER TABLE hookswitch_accounts ADD COLUMN taken VARCHAR(36) NOT NULL DEFAULT ''";
const CLIENTS: &str = "CREATE TABLE IF NOT EXISTS hookswitch_clients (
  handler BIGINT NOT NULL, id BIGINT NOT NULL, active INT NOT NULL, funds INT NOT NULL, PRIMARY KEY (handler, id))";
const OF_CLIENT: &str = "CREATE INDEX hookswitch_accounts_client ON hookswitch_accounts (handler, clients_id)";
const OF_NAME: &str = "CREATE INDEX hookswitch_accounts_name ON hookswitch_accounts (handler, username)";
const ACCOUNTS_PROBE: &str = "SELECT id FROM hookswitch_accounts WHERE 1 = 0";
const TAKEN_PROBE: &str = "SELECT taken FROM hookswitch_accounts WHERE 1 = 0";
const CLIENTS_PROBE: &str = "SELECT id FROM hookswitch_clients WHERE 1 = 0";

/// See [`Template::tables`].
pub(super) fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![(CLIENTS_PROBE, vec![CLIENTS]), (ACCOUNTS_PROBE, vec![ACCOUNTS, OF_CLIENT, OF_NAME]), (TAKEN_PROBE, vec![TAKEN])]
}

const OWN: &str = "a.handler = {{handler.id}} AND a.id = {{object.id}}";
const WHOSE: &str = "a.handler = {{handler.id}} AND a.clients_id = {{event.clients_id}}";
const MAY_CALL: &str = "a.active = 1 AND COALESCE(c.active, 1) = 1 AND COALESCE(c.funds, 1) = 1";
const JOINED: &str = "hookswitch_accounts a LEFT JOIN hookswitch_clients c ON c.handler = a.handler AND c.id = a.clients_id";

/// The statements of a template for an event.
pub(super) fn statements(template: &Template, events_id: &str, engine: Engine) -> Vec<String> {
    let of = Of { rows: &template.rows, engine };
    match events_id {
        "clients.accounts.create" | "clients.accounts.update" => of.account(template.clear),
        "clients.accounts.delete" => of.account_gone(),
        "clients.create" | "clients.update" => of.client("active", "object.status == \"active\" ? 1 : 0"),
        "clients.archive" => of.client("active", "0"),
        "clients.delete" => of.client_gone(),
        "clients.balance_zero" => of.client("funds", "0"),
        "clients.balance_notzero" => of.client("funds", "1"),
        "provisioning.resync_done" => of.not_named(),
        _ => Vec::new(),
    }
}

struct Of<'t> {
    rows: &'t [Row],
    engine: Engine,
}

impl Of<'_> {
    fn account(&self, clear: bool) -> Vec<String> {
        const IS_NAMED: &str = "object.auth_type == \"name\" && object.accname != null && object.password != null";
        let text = |text: &str| format!("{{{{{IS_NAMED} ? {text} : \"\"}}}}");
        let empty = "''".to_owned();
        let digest = |digest: &str| if clear { empty.clone() } else { text(digest) };
        let values = [
            ("handler", "{{handler.id}}".to_owned()),
            ("id", "{{object.id}}".to_owned()),
            ("clients_id", "{{object.clients_id}}".to_owned()),
            ("username", text("object.accname")),
            ("domain", "{{settings.domain}}".to_owned()),
            ("ha1", digest("ha1(object.accname, settings.domain, object.password)")),
            ("ha1b", digest("ha1b(object.accname, settings.domain, settings.domain, object.password)")),
            ("secret", if clear { text("object.password") } else { empty.clone() }),
            ("active", format!("{{{{{IS_NAMED} ? 1 : 0}}}}")),
            ("taken", "{{event.id}}".to_owned()),
        ];
        let mut statements = self.leave_name();
        statements.push(self.put("hookswitch_accounts", &values, &["handler", "id"]));
        // Whoever had the name before, such as rows made by hand: it stands for the newest account of that name now.
        statements.extend(self.rows.iter().map(|row| self.delete(row, &format!("{OWN} AND a.active = 1"))));
        statements.extend(self.rows.iter().map(|row| self.insert(row, &format!("{} AND {MAY_CALL}", self.newest_of_name("0")))));
        statements
    }

    /// The rows of the name that an account had: from now on they are those of another account of that name, if there is one.
    fn leave_name(&self) -> Vec<String> {
        let others = format!("{} AND a.id <> {{{{object.id}}}} AND {MAY_CALL}", self.newest_of_name("{{object.id}}"));
        let delete = self.rows.iter().map(|row| self.delete(row, OWN));
        delete.chain(self.rows.iter().map(|row| self.insert(row, &others))).collect()
    }

    fn account_gone(&self) -> Vec<String> {
        let mut statements = self.leave_name();
        statements.push("DELETE FROM hookswitch_accounts WHERE handler = {{handler.id}} AND id = {{object.id}}".to_owned());
        statements
    }

    /// A state of a client, and its accounts' rows brought into line: those that are right are left alone.
    fn client(&self, column: &'static str, value: &str) -> Vec<String> {
        let other = if column == "active" { "funds" } else { "active" };
        let values = [
            ("handler", "{{handler.id}}".to_owned()),
            ("id", "{{event.clients_id}}".to_owned()),
            (column, format!("{{{{{value}}}}}")),
            (other, "1".to_owned()),
        ];
        let mut statements = vec![self.put("hookswitch_clients", &values, &["handler", "id", other])];
        let blocked = "EXISTS (SELECT 1 FROM hookswitch_clients c
            WHERE c.handler = a.handler AND c.id = a.clients_id AND (c.active = 0 OR c.funds = 0))";
        statements.extend(self.rows.iter().map(|row| self.forget(row, &format!("{WHOSE} AND {blocked}"))));
        statements.extend(
            self.rows
                .iter()
                .map(|row| self.insert(row, &format!("{WHOSE} AND {MAY_CALL} AND {} AND {}", self.newest("0"), missing(row)))),
        );
        statements
    }

    fn client_gone(&self) -> Vec<String> {
        let mut statements: Vec<String> = self.rows.iter().map(|row| self.forget(row, WHOSE)).collect();
        let rows = [("hookswitch_accounts", "clients_id"), ("hookswitch_clients", "id")];
        let delete =
            |(table, id)| format!("DELETE FROM {table} WHERE handler = {{{{handler.id}}}} AND {id} = {{{{event.clients_id}}}}");
        statements.extend(rows.map(delete));
        statements
    }

    /// After a resync of everything: what was not heard of since it began is not there any more.
    fn not_named(&self) -> Vec<String> {
        let heard = |table: &str, kinds: &str| {
            format!(
                "1 = {{{{data.clients_id == null && data.companies_id == null && data.condition == \"\" ? 1 : 0}}}}
                 AND NOT EXISTS (SELECT 1 FROM hookswitch_seen s WHERE s.handler = {table}.handler AND s.kind IN ({kinds})
                   AND s.id = {table}.id AND s.heard >= {{{{unix(data.started_dt) - {CLOCKS_S}}}}})"
            )
        };
        let accounts = heard("a", "'clients.accounts'");
        let own = "a.handler = {{handler.id}}";
        let mut statements: Vec<String> =
            self.rows.iter().map(|row| self.forget(row, &format!("{own} AND {accounts}"))).collect();
        // A handler may take only one kind of events about clients.
        let tables = [("hookswitch_accounts", "'clients.accounts'"), ("hookswitch_clients", "'clients', 'clients.balance'")];
        statements.extend(tables.map(|(table, kinds)| {
            format!("DELETE FROM {table} WHERE {table}.handler = {{{{handler.id}}}} AND {}", heard(table, kinds))
        }));
        statements
    }

    /// Takes rows away, but for those that stand for a newer account of the name.
    fn forget(&self, row: &Row, which: &str) -> String {
        self.delete(row, &format!("{which} AND {}", self.newest("0")))
    }

    /// Of the accounts of a name, but for `without`, the newest.
    fn newest(&self, without: &str) -> String {
        format!(
            "NOT EXISTS (SELECT 1 FROM hookswitch_accounts b WHERE b.handler = a.handler AND {} AND b.domain = a.domain
             AND b.active = 1 AND b.id <> a.id AND b.id <> {without} AND (b.taken > a.taken OR (b.taken = a.taken AND b.id > a.id)))",
            self.same("b.username", "a.username")
        )
    }

    /// The newest account of the name under which the event's account stands, but for `without`.
    fn newest_of_name(&self, without: &str) -> String {
        format!(
            "a.handler = {{{{handler.id}}}} AND a.active = 1 AND EXISTS (SELECT 1 FROM hookswitch_accounts o
             WHERE o.handler = a.handler AND o.id = {{{{object.id}}}} AND {} AND o.domain = a.domain) AND {}",
            self.same("o.username", "a.username"),
            self.newest(without)
        )
    }

    /// Letter by letter, also where the tables are less exact.
    fn same(&self, left: &str, right: &str) -> String {
        let exact = |name: &str| format!("CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin");
        match self.engine {
            // The first half finds it by an index.
            Mysql => format!("({left} = {right} AND {} = {})", exact(left), exact(right)),
            Postgres | Sqlite => format!("{left} = {right}"),
        }
    }

    /// The condition by which an account's row is found.
    fn found(&self, row: &Row) -> String {
        let equal = |(name, value): &(&str, String)| match value.starts_with("a.") {
            true => self.same(&format!("{}.{name}", row.table), value),
            false => format!("{}.{name} = {value}", row.table),
        };
        row.key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    fn insert(&self, row: &Row, which: &str) -> String {
        let columns: Vec<_> = row.key.iter().chain(&row.rest).collect();
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let values = columns.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
        // Rows of this spelling have been taken away: one that is found all the same is another's.
        let room = if self.engine == Mysql { format!(" AND {}", missing(row)) } else { String::new() };
        format!("INSERT INTO {} ({names}) SELECT {values} FROM {JOINED} WHERE {which}{room}", row.table)
    }

    fn delete(&self, row: &Row, which: &str) -> String {
        let (table, found) = (row.table, self.found(row));
        match self.engine {
            Postgres => format!("DELETE FROM {table} USING hookswitch_accounts a WHERE {found} AND {which}"),
            Mysql => format!("DELETE {table} FROM {table} JOIN hookswitch_accounts a ON {found} WHERE {which}"),
            Sqlite => format!(
                "DELETE FROM {table} WHERE rowid IN
                 (SELECT {table}.rowid FROM hookswitch_accounts a JOIN {table} ON {found} WHERE {which})"
            ),
        }
    }

    /// Writes a row of ours, new or not; `fixed` columns of one that is there stay as they are.
    fn put(&self, table: &str, values: &[(&str, String)], fixed: &[&str]) -> String {
        let join = |texts: Vec<String>| texts.join(", ");
        let names = join(values.iter().map(|(name, _)| (*name).to_owned()).collect());
        let given = join(values.iter().map(|(_, value)| value.clone()).collect());
        let changed = values.iter().filter(|(name, _)| !fixed.contains(name));
        let set = |name: &str| match self.engine {
            Mysql => format!("{name} = VALUES({name})"),
            Postgres | Sqlite => format!("{name} = excluded.{name}"),
        };
        let sets = join(changed.map(|(name, _)| set(name)).collect());
        let conflict = match self.engine {
            Mysql => "ON DUPLICATE KEY UPDATE",
            Postgres | Sqlite => "ON CONFLICT (handler, id) DO UPDATE SET",
        };
        format!("INSERT INTO {table} ({names}) VALUES ({given}) {conflict} {sets}")
    }
}

/// There is no row that the product would take for an account's.
fn missing(row: &Row) -> String {
    let equal = |(name, value): &(&str, String)| format!("{}.{name} = {value}", row.table);
    let found = row.key.iter().map(equal).collect::<Vec<_>>().join(" AND ");
    format!("NOT EXISTS (SELECT 1 FROM {} WHERE {found})", row.table)
}
