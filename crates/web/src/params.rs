//! What a query string or a form holds: names and texts, in order, a name more than once where that is meant.
use url::form_urlencoded;

/// Fields of a form at most: far more than any of ours has.
const FIELDS_MAX: usize = 2_000;

/// Names and texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string or a form's body.
    pub(crate) fn read(encoded: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(encoded).take(FIELDS_MAX).map(|(name, text)| (name.into_owned(), text.into_owned())).collect(),
        )
    }

    /// The last text of this name, without white space around it: of a box that may be ticked and the hidden `false` before it, the
    /// box counts. `None` if there is none, or nothing in it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same as it was typed, empty or not.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// All texts of this name that are not empty.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
    }

    /// A whole number of this name.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// True if there is something of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The same with one name set to this, or without it.
    pub(crate) fn with(&self, name: &str, text: Option<&str>) -> Self {
        let others = self.0.iter().filter(|(known, _)| known != name).cloned();
        let set = text.map(|text| (name.to_owned(), text.to_owned()));
        Self(others.chain(set).collect())
    }

    /// Sets one name to this.
    pub(crate) fn set(&mut self, name: &str, text: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), text.to_owned()));
    }

    /// As a query string, without what is empty.
    pub(crate) fn query(&self) -> String {
        let filled = self.0.iter().filter(|(_, text)| !text.trim().is_empty());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish()
    }

    /// A path with this behind it.
    pub(crate) fn href(&self, path: &str) -> String {
        let query = self.query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

impl<'a> FromIterator<(&'a str, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (&'a str, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
    }
}
