//! Every table, with its columns and its key: what is copied is written here, and a test compares it with the schema, so that a
//! later migration can't forget it.
use super::row::Kind::{self, Blob, Int, Text};

/// Rows of a table that are read and written at once, if they are short.
const SHORT: i64 = 1_000;
/// The same, where a row holds a payload or the like.
const LONG: i64 = 100;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What is in it, if anything is.
    pub kind: Kind,
}

/// What becomes of a table when a database is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It goes along.
    Copied,
    /// It belongs to this very database: its schema, how far a copy has come, who is signed in.
    Own,
    /// It belongs to the nodes that run on this database.
    Nodes,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; not listed for what does not go along.
    pub columns: &'static [Column],
    /// How many of the columns, from the first, are its primary key.
    pub key: usize,
    /// Rows in a portion.
    pub(super) portion: i64,
    /// The engine numbers its rows, in its first column.
    pub numbered: bool,
    /// What becomes of it.
    pub part: Part,
}

impl Table {
    const fn copied(name: &'static str, key: usize, columns: &'static [Column]) -> Self {
        Self { name, columns, key, portion: SHORT, numbered: false, part: Part::Copied }
    }

    const fn left(name: &'static str, part: Part) -> Self {
        Self { name, columns: &[], key: 0, portion: 0, numbered: false, part }
    }

    const fn long(self) -> Self {
        Self { portion: LONG, ..self }
    }

    const fn numbered(self) -> Self {
        Self { numbered: true, ..self }
    }

    /// The columns of its primary key.
    #[must_use]
    pub fn key(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }
}

/// The key's columns come first, before the bar; the order of the others does not matter.
macro_rules! columns {
    ($($name:ident $kind:ident),* $(,)?) => { &[$(Column { name: stringify!($name), kind: $kind }),*] };
}

/// All of them, in the order in which they are copied: small ones that steer the rest first.
pub static TABLES: &[Table] = &[
    Table::copied("versions", 1, columns![name Text, version Int]),
    Table::copied("id_blocks", 1, columns![name Text, next Int]),
    Table::copied("counters", 1, columns![name Text, value Int]),
    Table::copied("settings", 1, columns![name Text, value Blob]),
    Table::copied(
        "companies",
        1,
        columns![id Int, parent_id Int, name Text, currencies_id Int, timezone Text, status Text, c_dt Int],
    ),
    Table::copied(
        "users",
        1,
        columns![id Int, login Text, companies_id Int, role Text, password_hash Text, allowed_ips Text, status Text, c_dt Int],
    ),
    Table::copied("user_keys", 1, columns![hash Blob, users_id Int, expires_at Int]),
    Table::copied(
        "custom_fields",
        1,
        columns![id Int, companies_id Int, object_type Text, field_key Text, title Text, sort_order Int],
    ),
    Table::copied(
        "packages",
        1,
        columns![id Int, companies_id Int, currencies_id Int, name Text, status Text, period Text, activation_fee Int,
            period_fee Int, advance_renew Text, renew_due Text, effective_from Int, effective_till Int, notes Text, c_dt Int,
            sweep_after Int, custom Text],
    ),
    Table::copied(
        "handlers",
        1,
        columns![id Int, companies_id Int, name Text, status Text, type Text, call_order Int, task Text, version Int, doc Text,
            sealed Blob],
    ),
    Table::copied(
        "clients",
        1,
        columns![id Int, companies_id Int, currencies_id Int, name Text, status Text, credit Int, balance Int, live_in_funds Int,
            available_in_funds Int, c_dt Int, details Text, custom Text],
    ),
    Table::copied(
        "accounts",
        1,
        columns![id Int, clients_id Int, name Text, auth_type Text, accname Text, password Blob, ani Text, tech_prefix Text,
            details Text, companies_id Int],
    ),
    Table::copied("account_ips", 2, columns![tech_prefix Text, first_ip Blob, last_ip Blob, accounts_id Int]),
    Table::copied(
        "client_packages",
        1,
        columns![id Int, clients_id Int, companies_id Int, accounts_id Int, packages_id Int, packages_name Text, quantity Int,
            condition Text, hold Text, reason Text, start_at Int, stop_at Int, period_start Int, period_stop Int, anchor Int,
            anchor_count Int, anchor_period Text, activation_fee Int, period_fee Int, due_at Int, tries Int, put_off_since Int,
            c_dt Int],
    ),
    Table::copied(
        "transactions",
        1,
        columns![id Int, clients_id Int, companies_id Int, type Text, amount Int, balance_after Int, notes Text, c_dt Int,
            external_id Text, clients_packages_id Int, package_step Text],
    ),
    Table::copied(
        "idempotency",
        3,
        columns![users_id Int, method Text, idempotency_key Text, params_hash Blob, result Text, dt Int],
    )
    .long(),
    Table::copied("client_seqs", 1, columns![clients_id Int, seq Int]),
    Table::copied(
        "events",
        1,
        columns![row_id Int, id Blob, dt Int, events_id Text, object_id Int, clients_id Int, companies_id Int, seq Int, body Text,
            cause Text, secrets Blob, resyncs_id Int, trace Blob],
    )
    .long()
    .numbered(),
    Table::copied(
        "deliveries",
        1,
        columns![id Int, handlers_id Int, clients_id Int, seq Int, events_row Int, event_id Blob, dead Int, attempt Int,
            next_at Int, first_at Int, error Text, resend Int, companies_id Int, fold Text, folded Int],
    ),
    Table::copied("told", 2, columns![handlers_id Int, clients_id Int, seq Int, dt Int, whole Int, missed Int]),
    Table::copied(
        "outcomes",
        1,
        columns![id Int, event_id Blob, events_id Text, handlers_id Int, handlers_companies_id Int, object_id Int, clients_id Int,
            companies_id Int, head Text, asked_at Int, outcome Text, seq Int, ended_by Text, message Text, dead Int, attempt Int,
            next_at Int, first_at Int, error Text, resend Int, asked_by Int, trace Blob],
    )
    .numbered(),
    Table::copied(
        "resyncs",
        1,
        columns![id Int, handlers_id Int, scope_id Int, state Text, reason Text, selection Text, rate Int, total Int, sent Int,
            lost Int, place Text, first_row Int, last_row Int, login Text, actor Text, started_at Int, ended_at Int],
    )
    .long(),
    Table::copied(
        "loops",
        1,
        columns![id Int, first_dt Int, last_dt Int, found_by Text, companies_id Int, clients_id Int, events_id Text,
            object_id Int, handlers Text, count Int, way Text],
    )
    .long()
    .numbered(),
    Table::copied(
        "executions",
        1,
        columns![id Int, dt Int, event_id Blob, events_id Text, stage Text, handlers_id Int, handlers_name Text, object_id Int,
            clients_id Int, companies_id Int, handlers_companies_id Int, attempt Int, status Text, duration_us Int,
            response_status Int, error Text, request Text, response Text, changes Text, shadow Int],
    )
    .long(),
    Table::copied(
        "call_hours",
        2,
        columns![handlers_id Int, hour Int, success Int, forbidden Int, failed Int, skipped Int, duration_us Int],
    ),
    Table::copied("event_hours", 2, columns![companies_id Int, hour Int, events Int]),
    Table::left("sessions", Part::Own),
    Table::left("nodes", Part::Nodes),
    Table::left("shards", Part::Nodes),
    Table::left("migrations", Part::Own),
    Table::left("withheld", Part::Own),
    Table::left("copying", Part::Own),
];

/// Those that go along.
pub fn copied() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.part == Part::Copied)
}

/// A table that goes along, by its name.
pub(super) fn named(name: &str) -> Option<&'static Table> {
    copied().find(|table| table.name == name)
}
