//! Which database: a file of SQLite, or a PostgreSQL by its URL. That may hold a password, so nothing here shows it: not `Display`, not
//! `Debug`, not the words for what is wrong with it.
use std::{
    fmt,
    path::{self, Path, PathBuf},
};

use toml::Value;

/// The database inside the data folder.
pub(crate) const FILE: &str = "hookswitch.db";
const HIDDEN: &str = "***";
const WANTED: &str = "must be sqlite:, sqlite:FILE or postgres://USER@HOST/DATABASE";

/// Where the rows are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file; its path is absolute.
    Sqlite(PathBuf),
    /// A database of a server.
    Postgres(Url),
}

/// `postgres://...`, as it was given.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url(String);

impl Database {
    /// `sqlite:` is the file in the data folder, `sqlite:FILE` another one, `postgres://...` and `postgresql://...` a server's. What
    /// is wrong is not repeated.
    pub(super) fn read(value: &Value, data: &Path) -> Result<Self, String> {
        let text = value.as_str().unwrap_or_default();
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        match (scheme, rest.strip_prefix("//").unwrap_or(rest)) {
            ("sqlite", "") => Ok(Self::Sqlite(data.join(FILE))),
            ("sqlite", ":memory:") => Err("must be a file: a database in memory would be lost with the process".to_owned()),
            ("sqlite", file) => Ok(Self::Sqlite(absolute(file)?)),
            ("postgres" | "postgresql", server) if rest.starts_with("//") && !server.is_empty() => {
                Url::read(text).map(Self::Postgres)
            }
            ("" | "postgres" | "postgresql", _) => Err(WANTED.to_owned()),
            (other, _) => Err(format!("{WANTED}, not {other}:")),
        }
    }

    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            Self::Postgres(_) => None,
        }
    }

    /// As the store takes it.
    pub(crate) fn to_store(&self) -> hookswitch_store::Database {
        match self {
            Self::Sqlite(file) => hookswitch_store::Database::Sqlite(file.clone()),
            Self::Postgres(Url(url)) => hookswitch_store::Database::Postgres(url.clone()),
        }
    }
}

fn absolute(file: &str) -> Result<PathBuf, String> {
    path::absolute(file).map_err(|error| format!("can't be found from here: {error}"))
}

impl Url {
    fn read(text: &str) -> Result<Self, String> {
        let url = Self(text.to_owned());
        if text.contains(&format!(":{HIDDEN}@")) || text.contains(&format!("password={HIDDEN}")) {
            return Err(format!("has {HIDDEN} for a password, as `hookswitch config` shows it: write the password itself"));
        }
        Ok(url)
    }
}

/// The value of the key as it may be shown: what is no text of ours is shown as it is.
pub(super) fn masked(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| Value::from(mask(text)))
}

/// True if a text that is shown has something left out.
pub(super) fn hides(shown: &str) -> bool {
    shown.contains(HIDDEN)
}

/// Without a password: neither between user and host, nor among the parameters. A password that should have been percent-encoded and
/// is not may hold any of the marks of a URL, so the last `@` ends it: rather too much is hidden than too little.
fn mask(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
    let login = login.map(|login| match login.split_once(':') {
        Some((user, _)) => format!("{user}:{HIDDEN}@"),
        None => format!("{login}@"),
    });
    let (server, parameters) = rest.split_once('?').map_or((rest, None), |(server, parameters)| (server, Some(parameters)));
    let parameters = parameters.map(|all| format!("?{}", all.split('&').map(mask_parameter).collect::<Vec<_>>().join("&")));
    format!("{scheme}://{}{server}{}", login.unwrap_or_default(), parameters.unwrap_or_default())
}

/// `sslpassword` too; and a name that hides letters behind `%` may be one.
fn mask_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if name.to_lowercase().contains("password") || name.contains('%') => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    }
}

impl fmt::Display for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(out, "{}", file.display()),
            Self::Postgres(Url(url)) => out.write_str(&mask(url)),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&mask(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_of_writing_a_password_into_a_url_shows_it() {
        for (url, shown) in [
            ("postgres://me:s3cret@db:5432/h", "postgres://me:***@db:5432/h"),
            ("postgresql://me:s3cret@db/h?sslmode=require", "postgresql://me:***@db/h?sslmode=require"),
            ("postgres://me@db/h?password=s3cret&host=/run", "postgres://me@db/h?password=***&host=/run"),
            ("postgres://me@db/h?PassWord=s3cret", "postgres://me@db/h?PassWord=***"),
            ("postgres://me@db/h?sslpassword=s3cret", "postgres://me@db/h?sslpassword=***"),
            ("postgres://me@db/h?pass%77ord=s3cret", "postgres://me@db/h?pass%77ord=***"),
            ("postgres://me:s3c@s3cret@db/h", "postgres://me:***@db/h"),
            ("postgres://me:s3c/s3cret@db/h", "postgres://me:***@db/h"),
            ("postgres://me:s3c?s3cret@db/h", "postgres://me:***@db/h"),
            ("postgres://me:s3c://s3cret@db/h", "postgres://me:***@db/h"),
            ("postgres://:s3cret@/h?host=/run", "postgres://:***@/h?host=/run"),
            ("postgres://db/h", "postgres://db/h"),
            ("sqlite:/srv/h.db", "sqlite:/srv/h.db"),
        ] {
            assert_eq!(mask(url), shown);
            if url.starts_with("postgres") {
                let database = Database::read(&Value::from(url), Path::new("/srv")).unwrap();
                assert_eq!((database.to_string(), format!("{database:?}")), (shown.to_owned(), shown.to_owned()));
            }
        }
    }

    #[test]
    fn a_url_as_it_is_shown_is_not_taken_for_one() {
        for url in ["postgres://me:***@db/h", "postgres://me@db/h?password=***"] {
            let words = Database::read(&Value::from(url), Path::new("/srv")).unwrap_err();
            assert!(words.contains("write the password itself"), "{words}");
        }
    }
}
