//! Which database a task names: `sql://USER@HOST:PORT/DATABASE?engine=postgres`, or `sql:///path/to/file.db?engine=sqlite`.
use std::{
    borrow::Cow,
    net::IpAddr,
    path::{Path, PathBuf},
};

use percent_encoding::percent_decode_str;
use url::Url;

use super::super::address::{Forbidden, Reach};

/// Whose SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// A file.
    Sqlite,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind a port.
    Server(Server),
    /// In a file.
    File(PathBuf),
}

/// A database behind a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
}

impl Engine {
    fn named(name: &str) -> Option<Self> {
        match name {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }

    fn port(self) -> u16 {
        if self == Self::Postgres { 5432 } else { 3306 }
    }
}

impl Place {
    /// Reads a task.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow the field's name.
    pub(crate) fn read(task: &str) -> Result<Self, String> {
        let url = Url::parse(task).map_err(|error| format!("is not a URL: {error}"))?;
        if url.password().is_some() {
            return Err("must not hold the password: put it into settings.password, which is never shown".to_owned());
        }
        let (mut engine, others): (Vec<_>, Vec<_>) = url.query_pairs().partition(|(name, _)| name == "engine");
        if let Some((name, _)) = others.first() {
            return Err(format!("has a parameter {name:?} that is not known: there is engine"));
        }
        let named = engine.pop().and_then(|(_, name)| Engine::named(&name));
        let engine = named.ok_or("must say which engine: ?engine=postgres, ?engine=mysql or ?engine=sqlite")?;
        if engine == Engine::Sqlite { file(&url) } else { server(&url, engine).map(Self::Server) }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Server(server) => server.engine,
            Self::File(_) => Engine::Sqlite,
        }
    }
}

fn server(url: &Url, engine: Engine) -> Result<Server, String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let (user, database) = (decoded(url.username())?, decoded(url.path().trim_start_matches('/'))?);
    if host.is_empty() || user.is_empty() || database.is_empty() || database.contains('/') {
        return Err("must be sql://USER@HOST:PORT/DATABASE?engine=postgres (or mysql)".to_owned());
    }
    Ok(Server { engine, user, host: decoded(host)?, port: url.port().unwrap_or(engine.port()), database })
}

fn file(url: &Url) -> Result<Place, String> {
    let path = PathBuf::from(decoded(url.path())?);
    let plain = path.is_absolute() && path.file_name().is_some() && path.components().all(|part| part.as_os_str() != "..");
    if url.host_str().is_some_and(|host| !host.is_empty()) || !url.username().is_empty() || !plain {
        return Err("must be sql:///path/to/file.db?engine=sqlite".to_owned());
    }
    Ok(Place::File(path))
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8().ok().filter(|text| !text.contains('\0'));
    decoded.map(Cow::into_owned).ok_or_else(|| "has a part that can't be read".to_owned())
}

impl Server {
    /// Judges a host that is written as an address; a name is judged when it is dialled.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub(crate) fn check(&self, reach: &Reach) -> Result<(), Forbidden> {
        self.address().map_or(Ok(()), |address| reach.check(address))
    }

    /// The host, if it is written as an address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Where a file really is: its folder must be there, and not in our own data folder.
///
/// # Errors
/// Why it can't be used, in words.
pub(crate) fn of_file(path: &Path, data_dir: &Path) -> Result<PathBuf, String> {
    let missing = || "names a file in a folder that is not there".to_owned();
    let (folder, name) = (path.parent().ok_or_else(missing)?, path.file_name().ok_or_else(missing)?);
    let folder = folder.canonicalize().map_err(|_| missing())?;
    let own = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
    if folder.starts_with(&own) {
        return Err("must not be in the server's own data folder".to_owned());
    }
    if nix::unistd::access(&folder, nix::unistd::AccessFlags::W_OK).is_err() {
        return Err("names a file in a folder that the server may not write to".to_owned());
    }
    let whole = folder.join(name);
    match whole.symlink_metadata() {
        Ok(found) if !found.is_file() => Err("names something that is not a plain file".to_owned()),
        _ => Ok(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_names_a_server_or_a_file() {
        let Ok(Place::Server(server)) = Place::read("sql://kam%40x@db.example.net/kamailio?engine=mariadb") else { panic!() };
        assert_eq!((server.user.as_str(), server.port, server.database.as_str()), ("kam@x", 3306, "kamailio"));
        let Ok(Place::Server(server)) = Place::read("sql://u@[::1]:99/d?engine=postgres") else { panic!() };
        assert_eq!((server.address(), server.port), (Some("::1".parse().unwrap()), 99));
        assert_eq!(Place::read("sql:///srv/a&b+c.db?engine=sqlite"), Ok(Place::File("/srv/a&b+c.db".into())));
    }

    #[test]
    fn what_can_not_work_is_told() {
        for (task, words) in [
            ("sql://u:p@h/d?engine=mysql", "settings.password"),
            ("sql://u@h/d", "which engine"),
            ("sql://u@h/d?engine=oracle", "which engine"),
            ("sql://u@h/d?engine=mysql&x=1", "not known"),
            ("sql://h/d?engine=mysql", "USER@HOST"),
            ("sql://u@h/?engine=postgres", "USER@HOST"),
            ("sql://h/a.db?engine=sqlite", "sql:///path"),
            ("sql:///?engine=sqlite", "sql:///path"),
        ] {
            assert!(Place::read(task).unwrap_err().contains(words), "{task}");
        }
    }

    #[test]
    fn our_own_folder_and_links_are_no_place_for_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("scripts")).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        std::os::unix::fs::symlink(data.join("a.db"), folder.path().join("b.db")).unwrap();
        for refused in [data.join("a.db"), data.join("scripts/a.db"), link.join("a.db"), folder.path().join("b.db")] {
            assert!(of_file(&refused, &data).is_err(), "{}", refused.display());
        }
        assert!(of_file(&folder.path().join("a.db"), &data).is_ok());
        assert!(of_file(Path::new("/nowhere/a.db"), &data).is_err());
    }
}
