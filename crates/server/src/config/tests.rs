//! The layers, and what is said when one of them is wrong.
use std::{collections::HashMap, ffi::OsString, fs, path::Path};

use super::{Settings, Shown, Wrong, flags::Flags};
use crate::telemetry::Format;

/// A file of this text, these variables, these flags.
fn read(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Settings, Wrong> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("some.toml");
    fs::write(&path, file).unwrap();
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    let mut flags = flags;
    flags.place.config = Some(path.display().to_string());
    Settings::read(&flags, &|name| variables.get(name).map(OsString::from))
}

fn wrong(file: &str) -> String {
    let Wrong(words) = read(file, &[], Flags::default()).unwrap_err();
    assert!(words.contains("some.toml"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    words
}

fn shown<'a>(settings: &'a Settings, key: &str) -> &'a Shown {
    settings.shown.iter().find(|shown| shown.key == key).unwrap()
}

fn with_listen(address: &str) -> Flags {
    Flags { listen: Some(address.to_owned()), ..Flags::default() }
}

#[test]
fn without_anything_the_defaults_count_and_what_is_in_the_data_folder_follows_it() {
    let settings = Settings::read(&Flags::default(), &|_| None).unwrap();
    let here = std::env::current_dir().unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:3080");
    assert_eq!(settings.data, here.join("hookswitch-data"));
    assert_eq!(settings.database.file(), Some(here.join("hookswitch-data/hookswitch.db").as_path()));
    assert_eq!((settings.before_budget.as_millis(), settings.retention_days), (10_000, 30));
    assert_eq!((settings.breaker_failures, settings.breaker_over.as_secs()), (10, 30));
    assert!(settings.shown.iter().all(|shown| shown.origin.to_string() == "default"));
    let elsewhere = Settings::read(&Flags::default(), &|name| (name == "HOOKSWITCH_DATA").then(|| "/srv/h".into())).unwrap();
    assert_eq!(elsewhere.key_file, Path::new("/srv/h/master.key"));
    assert_eq!(elsewhere.scripts, Path::new("/srv/h/scripts"));
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nlog = \"json\"\n";
    let variables = [("HOOKSWITCH_LISTEN", "127.0.0.1:2")];
    for (variables, flags, port, origin) in [
        (&[][..], Flags::default(), 1, "some.toml"),
        (&variables[..], Flags::default(), 2, "HOOKSWITCH_LISTEN"),
        (&variables[..], with_listen("127.0.0.1:3"), 3, "--listen"),
    ] {
        let settings = read(file, variables, flags).unwrap();
        assert_eq!(settings.listen.port(), port);
        let shown = shown(&settings, "listen").origin.to_string();
        assert!(shown.ends_with(origin), "{shown}");
        assert_eq!(settings.log, Format::Json, "what only the file says counts all the same");
    }
}

#[test]
fn every_key_can_stand_in_the_file() {
    let file = "
        listen = '[::1]:80'
        data = '/srv/h'
        database = 'sqlite:/srv/db/h.db'
        scripts = '/srv/scripts'
        key_file = '/etc/h.key'
        log = 'json'
        otlp = 'http://collector:4318'
        before_budget_ms = 300
        retention_days = 90
        log_max_bytes = 1_000_000
        journal_max_bytes = 2_000_000
        trusted_proxies = ['10.0.0.1', '192.0.2.0/24']
        reseller_networks = ['10.20.0.0/16']
        tls_cert = '/etc/c.pem'
        tls_key = '/etc/k.pem'
        breaker = { failures = 3, seconds = 4 }
    ";
    let settings = read(file, &[], Flags::default()).unwrap();
    assert_eq!(settings.database.file(), Some(Path::new("/srv/db/h.db")));
    assert_eq!((settings.breaker_failures, settings.breaker_over.as_secs()), (3, 4));
    assert_eq!((settings.retention_days, settings.log_bytes_max, settings.before_budget.as_millis()), (90, 1_000_000, 300));
    assert_eq!(settings.journal_bytes_max, 2_000_000);
    assert_eq!(settings.otlp.unwrap().0.as_str(), "http://collector:4318/v1/traces");
    assert_eq!((settings.trusted_proxies.len(), settings.reseller_networks.len()), (2, 1));
    assert_eq!(settings.tls.as_ref().map(|files| files.cert.as_path()), Some(Path::new("/etc/c.pem")));
    assert!(settings.shown.iter().all(|shown| shown.origin.to_string().ends_with("some.toml")));
}

#[test]
fn unknown_keys_are_all_named_wherever_they_stand() {
    let words = wrong("listenn = 1\n[breaker]\nsecs = 3\n[web]\nport = 80\n[empty]\n");
    for name in ["listenn", "breaker.secs", "web.port", "empty"] {
        assert!(words.contains(name), "{name} in {words}");
    }
    assert!(wrong("breaker = 3").contains("unknown key breaker"));
    read("[breaker]\n", &[], Flags::default()).unwrap();
}

#[test]
fn a_wrong_value_is_named_with_what_it_should_be() {
    for (file, words) in [
        ("retention_days = 'many'", "retention_days must be a whole number from 1 to 36500, not \"many\""),
        ("retention_days = 0", "retention_days"),
        ("before_budget_ms = 1.5", "before_budget_ms"),
        ("listen = 'localhost'", "listen must be an IP address and a port"),
        ("listen = 3080", "listen"),
        ("data = ''", "data must be a path"),
        ("trusted_proxies = '10.0.0.0/8'", "trusted_proxies must be a list"),
        ("reseller_networks = ['10.0.0.0/33']", "reseller_networks"),
        ("otlp = 'collector:4318'", "otlp must be the URL of an OTLP collector"),
        ("otlp = 4318", "otlp must be the URL"),
        ("log = 'xml'", "log must be text or json"),
    ] {
        let found = wrong(file);
        assert!(found.contains(words), "{words} in {found}");
    }
    let Wrong(words) = read("", &[("HOOKSWITCH_LISTEN", "nowhere")], Flags::default()).unwrap_err();
    assert!(words.starts_with("HOOKSWITCH_LISTEN must be") && words.ends_with("not \"nowhere\""), "{words}");
    let Wrong(words) = read("", &[], with_listen("somewhere")).unwrap_err();
    assert!(words.starts_with("--listen must be"), "{words}");
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_line() {
    assert!(wrong("log = 'text'\nlisten = \n").contains("some.toml, line 2:"));
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let mut flags = Flags::default();
    flags.place.config = Some("/nonexistent/h.toml".to_owned());
    let Wrong(words) = Settings::read(&flags, &|_| None).unwrap_err();
    assert!(words.starts_with("--config: /nonexistent/h.toml:"), "{words}");
    let named = |name: &str| (name == "HOOKSWITCH_CONFIG").then(|| OsString::from("/nonexistent/h.toml"));
    let Wrong(words) = Settings::read(&Flags::default(), &named).unwrap_err();
    assert!(words.starts_with("HOOKSWITCH_CONFIG: "), "{words}");
}

#[test]
fn a_database_is_a_file_or_a_server_s_and_what_it_is_not_shows_no_password() {
    for (url, file) in
        [("sqlite:", "/srv/h/hookswitch.db"), ("sqlite:///db/other.db", "/db/other.db"), ("sqlite:/db/other.db", "/db/other.db")]
    {
        let settings = read(&format!("data = '/srv/h'\ndatabase = '{url}'"), &[], Flags::default()).unwrap();
        assert_eq!(settings.database.file(), Some(Path::new(file)), "{url}");
    }
    for (url, words) in [
        ("postgres:me:s3cret@db", "must be sqlite:"),
        ("postgresql://", "must be sqlite:"),
        ("mysql://me:s3cret@db/h", "not mysql:"),
        ("s3cret", "must be sqlite:"),
        ("", "must be sqlite:"),
        ("sqlite::memory:", "must be a file"),
    ] {
        let found = wrong(&format!("database = '{url}'"));
        assert!(found.contains(words) && !found.contains("s3cret"), "{found}");
    }
}

#[test]
fn the_password_of_a_database_is_shown_nowhere() {
    for scheme in ["postgres", "postgresql"] {
        let url = format!("{scheme}://me:s3cret@db/h?sslmode=require");
        let settings = read("data = '/srv/h'", &[("HOOKSWITCH_DATABASE", &url)], Flags::default()).unwrap();
        assert_eq!(settings.database.file(), None);
        let masked = format!("{scheme}://me:***@db/h?sslmode=require");
        assert_eq!(
            (settings.database.to_string(), shown(&settings, "database").value.clone()),
            (masked.clone(), Some(masked.into()))
        );
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}

#[test]
fn traces_go_where_our_own_setting_or_opentelemetrys_variables_say() {
    const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const WHOLE: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    for (file, variables, url, origin) in [
        ("", &[][..], None, "default"),
        ("otlp = 'https://file'", &[][..], Some("https://file/v1/traces"), "some.toml"),
        ("otlp = 'https://file'", &[(BASE, "http://base:4318/otlp/")][..], Some("http://base:4318/otlp/v1/traces"), BASE),
        ("", &[(BASE, "http://base:4318")][..], Some("http://base:4318/v1/traces"), BASE),
        ("", &[(BASE, "collector:4317")][..], None, "default"),
        ("", &[(BASE, "http://base"), (WHOLE, "http://whole/custom")][..], Some("http://whole/custom"), WHOLE),
        ("otlp = 'https://file'", &[(BASE, ""), (WHOLE, " ")][..], Some("https://file/v1/traces"), "some.toml"),
        ("", &[(BASE, "http://base"), ("HOOKSWITCH_OTLP", "http://ours/x")][..], Some("http://ours/x"), "HOOKSWITCH_OTLP"),
        ("otlp = 'https://file'", &[(BASE, "http://base"), ("HOOKSWITCH_OTLP", "")][..], None, "HOOKSWITCH_OTLP"),
    ] {
        let settings = read(file, variables, Flags::default()).unwrap();
        assert_eq!(settings.otlp.as_ref().map(|otlp| otlp.0.as_str()), url, "{file} {variables:?}");
        let shown = shown(&settings, "otlp").origin.to_string();
        assert!(shown.ends_with(origin), "{shown}");
    }
}

#[test]
fn what_is_secret_in_the_url_of_a_collector_is_shown_nowhere() {
    for url in ["https://me:s3cret@collector/x", "https://s3cret@collector/x", "https://collector/x?key=s3cret"] {
        let settings = read("", &[("HOOKSWITCH_OTLP", url)], Flags::default()).unwrap();
        let value = shown(&settings, "otlp").value.clone().unwrap().to_string();
        assert!(value.contains("***") && value.contains("collector/x"), "{value}");
        assert!(!value.contains("s3cret") && !format!("{settings:?}").contains("s3cret"), "{settings:?}");
        let Wrong(words) = read("", &[("HOOKSWITCH_OTLP", value.trim_matches('"'))], Flags::default()).unwrap_err();
        assert!(words.contains("write the URL itself"), "{words}");
    }
}

#[test]
fn a_certificate_needs_its_key_and_scripts_must_not_hold_the_data() {
    for file in ["tls_cert = '/c.pem'", "tls_key = '/k.pem'"] {
        assert!(read(file, &[], Flags::default()).is_err(), "{file}");
    }
    for scripts in ["/srv/h", "/srv", "/"] {
        let found = read(&format!("data = '/srv/h'\nscripts = '{scripts}'"), &[], Flags::default());
        assert!(found.is_err(), "{scripts}");
    }
    read("data = '/srv/h'\nscripts = '/srv/h-scripts'", &[], Flags::default()).unwrap();
}
