//! The TOML file. A key that we don't know is an error: a setting that is misspelt would otherwise silently not count.
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{Environment, Wrong, flags::Flags, keys, variable};

/// Taken if it is there and no other file is named.
const DEFAULT: &str = "hookswitch.toml";

/// What the file says, by the whole name of each key (`breaker.failures`).
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    values: BTreeMap<String, Value>,
}

impl File {
    /// The file that the flags or the environment name, or the one that happens to be there.
    pub(super) fn find(flags: &Flags, environment: Environment<'_>) -> Result<Option<Self>, Wrong> {
        if let Some(named) = &flags.place.config {
            return read(Path::new(named), keys::CONFIG_FLAG).map(Some);
        }
        if let Some(named) = variable(environment, keys::CONFIG_VARIABLE)? {
            return read(Path::new(&named), keys::CONFIG_VARIABLE).map(Some);
        }
        match fs::read_to_string(DEFAULT) {
            Ok(text) => parse(Path::new(DEFAULT), &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Wrong(format!("{DEFAULT}: {error}"))),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }
}

fn read(path: &Path, named_by: &str) -> Result<File, Wrong> {
    let text = fs::read_to_string(path).map_err(|error| Wrong(format!("{named_by}: {}: {error}", path.display())))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<File, Wrong> {
    let table: Table = text.parse().map_err(|error| broken(path, text, &error))?;
    let mut values = BTreeMap::new();
    flatten("", table, &mut values);
    let unknown: Vec<&str> = values.keys().map(String::as_str).filter(|name| !is_known(name)).collect();
    if unknown.is_empty() {
        return Ok(File { path: path.to_owned(), values });
    }
    let known: Vec<&str> = keys::ALL.iter().map(|key| key.name).collect();
    Err(Wrong(format!("{}: unknown key {}; known are {}", path.display(), unknown.join(", "), known.join(", "))))
}

fn broken(path: &Path, text: &str, error: &toml::de::Error) -> Wrong {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    Wrong(format!("{}, line {}: {}", path.display(), before.lines().count().max(1), error.message()))
}

/// Tables within tables become names with dots. An empty table says nothing; a list of tables stays what it is, which no
/// key wants.
fn flatten(prefix: &str, table: Table, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) if !inner.is_empty() || is_table(&name) => flatten(&name, inner, into),
            value => drop(into.insert(name, value)),
        }
    }
}

fn is_known(name: &str) -> bool {
    keys::ALL.iter().any(|key| key.name == name)
}

fn is_table(name: &str) -> bool {
    keys::ALL.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}
