//! The first login of a new database: made once, shown once. Only hashes are kept, so what is not seen here is lost, and
//! `hookswitch token` must make a new key.
use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;
use hookswitch_core::{
    Core,
    first_admin::{self, FirstAdmin},
};
use hookswitch_model::refusal::Refusal;

use crate::{
    config::{self, Environment},
    ending::{Ended, Ending},
};

const FILE: &str = "first-login.txt";
const KEY: &str = "HOOKSWITCH_ADMIN_KEY";
const PASSWORD: &str = "HOOKSWITCH_ADMIN_PASSWORD";

/// What the operator chose; the rest is made up.
#[derive(Default)]
pub(crate) struct Given {
    key: Option<String>,
    password: Option<String>,
}

impl Given {
    /// From the environment: neither flags nor files are a place for secrets.
    ///
    /// # Errors
    /// If one of them is no text.
    pub(crate) fn read(environment: Environment<'_>) -> Ended<Self> {
        Ok(Self { key: config::variable(environment, KEY)?, password: config::variable(environment, PASSWORD)? })
    }
}

/// Makes the first admin if there is no user yet, and shows what was made up: on the terminal, or in a file where there
/// is none.
///
/// # Errors
/// If what was given won't do, or what was made can't be shown.
pub(crate) async fn first_login(core: &Core, given: Given, data: &Path, url: &str) -> Ended {
    let made = first_admin::first_admin(core, given.key, given.password).await.map_err(refused)?;
    let Some(text) = made.and_then(|admin| text(&admin, url)) else { return Ok(()) };
    if io::stderr().is_terminal() {
        return Ok(io::stderr().lock().write_all(text.as_bytes()).context("showing the first login")?);
    }
    let path = data.join(FILE);
    write_private(&path, &text)
        .with_context(|| format!("{} (lost is lost: `hookswitch token` makes a new key)", path.display()))?;
    tracing::info!(file = %path.display(), "the first login is in this file; read it, keep it, delete it");
    Ok(())
}

fn refused(refusal: Refusal) -> Ending {
    match refusal {
        Refusal::Invalid(errors) => {
            let words: Vec<_> = errors.iter().map(|(name, words)| format!("{name} {words}")).collect();
            Ending::Usage(words.join("; "))
        }
        Refusal::Internal(detail) => Ending::Failed(anyhow::anyhow!("making the first admin: {detail}")),
        other => Ending::Failed(anyhow::anyhow!("making the first admin: {other}")),
    }
}

/// `None` if nothing was made up: then the operator knows all of it.
fn text(admin: &FirstAdmin, url: &str) -> Option<String> {
    if admin.key.is_none() && admin.password.is_none() {
        return None;
    }
    let shown = |made: &Option<String>, variable: &str| made.clone().unwrap_or_else(|| format!("as given in {variable}"));
    let mut text = format!(
        "\nThe first admin of this database. This is shown once: keep it.\n\n  login     {}\n  password  {}\n  API key   {}\n",
        admin.login,
        shown(&admin.password, PASSWORD),
        shown(&admin.key, KEY)
    );
    if let Some(key) = &admin.key {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"clients.create","params":{"name":"Acme Telecom"}}"#;
        // Writing to a text can't fail.
        let _ = write!(
            text,
            "\nTry it:\n\n  curl -s {url}/api/ -H 'X-Api-Key: {key}' -H 'Content-Type: application/json' \\\n    -d '{body}'\n"
        );
    }
    text.push('\n');
    Some(text)
}

/// Readable by its owner alone from its first byte on, also where an old one lies.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Where somebody on this machine reaches a listener.
pub(crate) fn url_of(address: SocketAddr, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    let mut reached = address;
    if address.ip().is_unspecified() {
        reached.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("{scheme}://{reached}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin(key: Option<&str>, password: Option<&str>) -> FirstAdmin {
        FirstAdmin { login: "admin".to_owned(), key: key.map(str::to_owned), password: password.map(str::to_owned) }
    }

    #[test]
    fn only_what_was_made_up_is_shown() {
        assert_eq!(text(&admin(None, None), "http://x"), None);
        let shown = text(&admin(Some("made-key"), None), "http://127.0.0.1:3080").unwrap();
        assert!(shown.contains("curl -s http://127.0.0.1:3080/api/ -H 'X-Api-Key: made-key'"), "{shown}");
        assert!(shown.contains("as given in HOOKSWITCH_ADMIN_PASSWORD"), "{shown}");
        let shown = text(&admin(None, Some("made password")), "http://x").unwrap();
        assert!(shown.contains("made password") && !shown.contains("curl"), "{shown}");
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_on_the_loopback() {
        for (address, tls, url) in [
            ("0.0.0.0:3080", false, "http://127.0.0.1:3080"),
            ("[::]:3080", true, "https://[::1]:3080"),
            ("192.0.2.1:80", false, "http://192.0.2.1:80"),
        ] {
            assert_eq!(url_of(address.parse().unwrap(), tls), url);
        }
    }
}
