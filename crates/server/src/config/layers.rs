//! Which layer wins, and a note of what won, for `hookswitch config`.
use std::{fmt, path::PathBuf};

use toml::Value;

use super::{Environment, Wrong, file::File, flags::Flags, keys::Key, variable};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// The file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(&'static str),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "{}", path.display()),
            Self::Variable(name) | Self::Flag(name) => out.write_str(name),
        }
    }
}

/// One setting as it counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// The key in the file.
    pub(crate) key: &'static str,
    /// The value as TOML; none = not set.
    pub(crate) value: Option<Value>,
    /// Who said so.
    pub(crate) origin: Origin,
}

/// All layers, asked key by key.
pub(super) struct Layers<'a> {
    pub(super) flags: &'a Flags,
    pub(super) environment: Environment<'a>,
    pub(super) file: Option<File>,
    /// What won, in the order in which it was asked for.
    pub(super) shown: Vec<Shown>,
}

impl Layers<'_> {
    /// The value that counts, read by `read`, which says what it must be if it isn't.
    pub(super) fn take<T>(
        &mut self,
        key: &'static Key,
        default: impl Into<Value>,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        let (value, origin) = self.find(key)?.unwrap_or_else(|| (default.into(), Origin::Default));
        let taken = read(&value).map_err(|words| wrong(key, &origin, &words))?;
        self.note(key, value, origin);
        Ok(taken)
    }

    /// The same for a setting that may be absent.
    pub(super) fn take_if_set<T>(
        &mut self,
        key: &'static Key,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<Option<T>, Wrong> {
        let Some((value, origin)) = self.find(key)? else {
            self.shown.push(Shown { key: key.name, value: None, origin: Origin::Default });
            return Ok(None);
        };
        let taken = read(&value).map_err(|words| wrong(key, &origin, &words))?;
        self.note(key, value, origin);
        Ok(Some(taken))
    }

    fn note(&mut self, key: &'static Key, value: Value, origin: Origin) {
        let value = Some(key.shown.map_or(value.clone(), |shown| shown(&value)));
        self.shown.push(Shown { key: key.name, value, origin });
    }

    fn find(&self, key: &'static Key) -> Result<Option<(Value, Origin)>, Wrong> {
        if let Some(flag) = &key.flag
            && let Some(text) = (flag.given)(self.flags)
        {
            return Ok(Some((Value::from(text.as_str()), Origin::Flag(flag.name))));
        }
        if let Some(name) = key.variable
            && let Some(text) = variable(self.environment, name)?
        {
            return Ok(Some((Value::from(text), Origin::Variable(name))));
        }
        for (name, meaning) in key.others {
            // Empty is as good as not set, as these have it.
            if let Some(text) = variable(self.environment, name)?.filter(|text| !text.trim().is_empty()) {
                let Some(value) = meaning(text.trim()) else { continue };
                return Ok(Some((Value::from(value), Origin::Variable(name))));
            }
        }
        let said = |file: &File| Some((file.get(key.name)?.clone(), Origin::File(file.path.clone())));
        Ok(self.file.as_ref().and_then(said))
    }
}

/// A flag and a variable name their key already.
fn wrong(key: &Key, origin: &Origin, words: &str) -> Wrong {
    Wrong(match origin {
        Origin::Flag(_) | Origin::Variable(_) => format!("{origin} {words}"),
        Origin::File(_) | Origin::Default => format!("{origin}: {} {words}", key.name),
    })
}
