//! Every key, and the names that it has in each layer: the contract's table.
use toml::Value;

use super::{database, flags::Flags, otlp};

/// One setting's names.
#[derive(Debug)]
pub(super) struct Key {
    /// In the file; a dot leads into a table.
    pub(super) name: &'static str,
    /// In the environment.
    pub(super) variable: Option<&'static str>,
    /// Variables that other programs have too, and that count if nothing of ours does.
    pub(super) others: &'static [Other],
    /// On the command line.
    pub(super) flag: Option<Flag>,
    /// How a value is shown that may hold what nobody must see.
    pub(super) shown: Option<fn(&Value) -> Value>,
}

/// A variable that is not ours: its name, and what its text means to us; `None` = nothing.
pub(super) type Other = (&'static str, fn(&str) -> Option<String>);

/// A flag: its name, and what was given for it.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) given: fn(&Flags) -> Option<&String>,
}

impl Key {
    const fn everywhere(
        name: &'static str,
        variable: &'static str,
        flag: &'static str,
        given: fn(&Flags) -> Option<&String>,
    ) -> Self {
        Self { name, variable: Some(variable), others: &[], flag: Some(Flag { name: flag, given }), shown: None }
    }

    const fn in_file(name: &'static str) -> Self {
        Self { name, variable: None, others: &[], flag: None, shown: None }
    }
}

/// Names the file itself, which is why it is no key in it.
pub(super) const CONFIG_VARIABLE: &str = "HOOKSWITCH_CONFIG";
pub(super) const CONFIG_FLAG: &str = "--config";

pub(super) static LISTEN: Key = Key::everywhere("listen", "HOOKSWITCH_LISTEN", "--listen", |flags| flags.listen.as_ref());
pub(super) static DATA: Key = Key::everywhere("data", "HOOKSWITCH_DATA", "--data", |flags| flags.place.data.as_ref());
pub(super) static DATABASE: Key = Key {
    shown: Some(database::masked),
    ..Key::everywhere("database", "HOOKSWITCH_DATABASE", "--database", |flags| flags.place.database.as_ref())
};
pub(super) static SCRIPTS: Key = Key::everywhere("scripts", "HOOKSWITCH_SCRIPTS", "--scripts", |flags| flags.scripts.as_ref());
pub(super) static KEY_FILE: Key =
    Key::everywhere("key_file", "HOOKSWITCH_KEY_FILE", "--key-file", |flags| flags.place.key_file.as_ref());
pub(super) static LOG: Key = Key::everywhere("log", "HOOKSWITCH_LOG", "--log", |flags| flags.log.as_ref());
pub(super) static OTLP: Key = Key {
    shown: Some(otlp::masked),
    others: &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", otlp::as_it_stands), ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp::below)],
    ..Key::everywhere("otlp", "HOOKSWITCH_OTLP", "--otlp", |flags| flags.otlp.as_ref())
};
pub(super) static BEFORE_BUDGET_MS: Key = Key::in_file("before_budget_ms");
pub(super) static RETENTION_DAYS: Key = Key::in_file("retention_days");
pub(super) static LOG_MAX_BYTES: Key = Key::in_file("log_max_bytes");
pub(super) static JOURNAL_MAX_BYTES: Key = Key::in_file("journal_max_bytes");
pub(super) static BREAKER_FAILURES: Key = Key::in_file("breaker.failures");
pub(super) static BREAKER_SECONDS: Key = Key::in_file("breaker.seconds");
pub(super) static TRUSTED_PROXIES: Key = Key::in_file("trusted_proxies");
pub(super) static RESELLER_NETWORKS: Key = Key::in_file("reseller_networks");
pub(super) static TLS_CERT: Key = Key::in_file("tls_cert");
pub(super) static TLS_KEY: Key = Key::in_file("tls_key");

/// All of them, in the order in which they are shown.
pub(super) static ALL: [&Key; 17] = [
    &LISTEN,
    &DATA,
    &DATABASE,
    &SCRIPTS,
    &KEY_FILE,
    &LOG,
    &OTLP,
    &BEFORE_BUDGET_MS,
    &RETENTION_DAYS,
    &LOG_MAX_BYTES,
    &JOURNAL_MAX_BYTES,
    &BREAKER_FAILURES,
    &BREAKER_SECONDS,
    &TRUSTED_PROXIES,
    &RESELLER_NETWORKS,
    &TLS_CERT,
    &TLS_KEY,
];
