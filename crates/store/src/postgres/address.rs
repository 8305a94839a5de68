//! The address of a database: `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE`, as libpq reads it.
//!
//! What is said of TLS is read here; the rest is the library's business. A password is never shown.
use std::{path::PathBuf, time::Duration};

use tokio_postgres::config::{Config, SslMode};

use crate::OpenError;

/// How long making a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A server that does not confirm what it was sent for so long is gone.
const SILENT_MAX: Duration = Duration::from_secs(10);

/// How far the server is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing is encrypted.
    Plain,
    /// Encrypted if the server can, or always; whoever answers is believed.
    Anybody,
    /// The server's certificate and name are checked: against these roots, or the system's.
    Verified(Option<PathBuf>),
}

/// Where a database is, and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(super) config: Config,
    pub(super) trust: Trust,
    shown: String,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// In words, without the password.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let wrong = |words: String| OpenError::Other(format!("the address of the database: {words}"));
        let (bare, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(percent_decoded(value))),
                _ => rest.push(pair),
            }
        }
        let question = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
        let mut config: Config = format!("{bare}{question}").parse().map_err(|error: tokio_postgres::Error| {
            wrong(std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        let (ssl_mode, trust) = match (mode, roots) {
            (Some("disable"), _) => (SslMode::Disable, Trust::Plain),
            (None | Some("prefer" | "allow"), None) => (SslMode::Prefer, Trust::Anybody),
            (Some("require"), None) => (SslMode::Require, Trust::Anybody),
            (Some("verify-full" | "verify-ca"), roots) => (SslMode::Require, Trust::Verified(roots)),
            (None | Some("prefer" | "allow" | "require"), roots) => (SslMode::Require, Trust::Verified(roots)),
            (Some(other), _) => {
                return Err(wrong(format!("sslmode {other} is not one of disable, prefer, require, verify-ca, verify-full")));
            }
        };
        config.ssl_mode(ssl_mode).connect_timeout(CONNECT_MAX).tcp_user_timeout(SILENT_MAX).keepalives_idle(SILENT_MAX);
        if config.get_application_name().is_none() {
            config.application_name("hookswitch");
        }
        Ok(Self { config, trust, shown: without_password(bare) })
    }

    /// The address without its password and without how it is reached.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// The URL with `***` for its password.
fn without_password(bare: &str) -> String {
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_owned() };
    let Some((who, place)) = rest.rsplit_once('@') else { return bare.to_owned() };
    match who.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{place}"),
        None => bare.to_owned(),
    }
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let hex = (*first == b'%').then(|| behind.get(..2)).flatten().and_then(|hex| hex::decode(hex).ok());
        match hex.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(url: &str) -> (SslMode, Trust) {
        let address = Address::parse(url).unwrap();
        (address.config.get_ssl_mode(), address.trust)
    }

    #[test]
    fn what_is_said_of_tls_is_meant_as_libpq_means_it() {
        assert_eq!(trust("postgres://a@h/d"), (SslMode::Prefer, Trust::Anybody));
        assert_eq!(trust("postgres://a@h/d?sslmode=disable"), (SslMode::Disable, Trust::Plain));
        assert_eq!(trust("postgres://a@h/d?sslmode=require"), (SslMode::Require, Trust::Anybody));
        assert_eq!(trust("postgres://a@h/d?sslmode=verify-full"), (SslMode::Require, Trust::Verified(None)));
        let roots = Trust::Verified(Some(PathBuf::from("/a b.pem")));
        assert_eq!(trust("postgres://a@h/d?connect_timeout=3&sslmode=require&sslrootcert=/a%20b.pem"), (SslMode::Require, roots));
    }

    #[test]
    fn a_password_is_never_shown_also_not_in_what_is_wrong() {
        assert_eq!(Address::parse("postgres://a:s3cret@h:5/d?sslmode=require").unwrap().shown(), "postgres://a:***@h:5/d");
        for wrong in
            ["postgres://a:s3cret@h:port/d", "postgres://a:s3cret@h/d?sslmode=maybe", "postgres://a:s3cret@h/d?nonsense=1"]
        {
            let words = Address::parse(wrong).unwrap_err().to_string();
            assert!(!words.contains("s3cret") && words.contains("address"), "{words}");
        }
    }
}
