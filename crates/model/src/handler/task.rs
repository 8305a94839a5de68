//! What a handler's task may look like, and what kind of handler it makes. Whether the address may be reached and the script is there is
//! found out where that is known.

/// The scheme of scripts.
pub const SCRIPT: &str = "script://";
/// The scheme of databases.
pub const SQL: &str = "sql://";

/// What is called: said by the scheme of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's own program behind a URL; it gets the payload.
    Http,
    /// A program of this machine.
    Script,
    /// Ready made: statements in a database.
    Sql,
    /// Ready made: a message by SMTP.
    Mail,
    /// Ready made: a message to a chat room's webhook.
    Chat,
    /// Ready made: REST requests as they were configured, to a CRM above all.
    Rest,
    /// Ready made: JSON-RPC calls of a running Kamailio.
    Kamailio,
}

/// Every scheme, and the kind that it says. Where a kind speaks HTTP, what stands behind the plus says how.
pub const SCHEMES: &[(&str, Kind)] = &[
    ("http", Kind::Http),
    ("https", Kind::Http),
    ("script", Kind::Script),
    ("sql", Kind::Sql),
    ("smtp", Kind::Mail),
    ("smtps", Kind::Mail),
    ("chat+https", Kind::Chat),
    ("chat+http", Kind::Chat),
    ("rest+https", Kind::Rest),
    ("rest+http", Kind::Rest),
    ("kamailio+https", Kind::Kamailio),
    ("kamailio+http", Kind::Kamailio),
];

impl Kind {
    /// The kind of a normalised task.
    #[must_use]
    pub fn of(task: &str) -> Self {
        let scheme = task.split_once("://").map_or("http", |(scheme, _)| scheme);
        SCHEMES.iter().find(|(known, _)| *known == scheme).map_or(Self::Http, |(_, kind)| *kind)
    }

    /// True for a kind that is configured (`settings`) rather than programmed.
    #[must_use]
    pub fn is_ready_made(self) -> bool {
        !matches!(self, Self::Http | Self::Script)
    }

    /// True for what people read: they never get a password.
    #[must_use]
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Mail | Self::Chat)
    }

    /// True for a kind that is called over HTTP, so that static headers can go along.
    #[must_use]
    pub fn is_over_http(self) -> bool {
        matches!(self, Self::Http | Self::Chat | Self::Rest | Self::Kamailio)
    }
}

/// The URL that a task over HTTP names: `https://...` for `chat+https://...`.
#[must_use]
pub fn url(task: &str) -> &str {
    let (scheme, _) = task.split_once("://").unwrap_or_default();
    scheme.split_once('+').map_or(task, |(kind, _)| &task[kind.len() + 1..])
}

/// Normalises a task: a URL typed without a scheme means `http://`, and schemes are lower case.
///
/// # Errors
/// What is wrong with it, in plain words: another scheme, nothing behind it, or spaces.
pub fn normalise(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    if typed.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not contain spaces".to_owned());
    }
    let (scheme, rest) = match typed.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => ("http".to_owned(), typed.trim_start_matches("//")),
    };
    if !SCHEMES.iter().any(|(known, _)| *known == scheme) {
        let words = "must be an http:// or https:// URL, script://name, or begin with one of sql://, smtp://, smtps://, chat+https://, \
                     rest+https:// and kamailio+http://";
        return Err(words.to_owned());
    }
    // The path of a file follows three slashes.
    if rest.is_empty() || (rest.starts_with('/') && scheme != "sql") {
        return Err(format!("must name something behind {scheme}://"));
    }
    Ok(format!("{scheme}://{rest}"))
}

/// True for what can stand before `://`: `127.0.0.1:5000/api?next=http://...` holds that too, but not behind a scheme.
#[must_use]
pub fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_says_the_kind_and_how_it_is_reached() {
        let task = normalise("Chat+HTTPS://hooks.example/x?y=+://").unwrap();
        assert_eq!((Kind::of(&task), url(&task)), (Kind::Chat, "https://hooks.example/x?y=+://"));
        assert_eq!((Kind::of("http://h/+"), url("http://h/a+b://c")), (Kind::Http, "http://h/a+b://c"));
        assert_eq!(Kind::of("smtps://mail.example:465"), Kind::Mail);
        assert!(normalise("kamailio://h/RPC").unwrap_err().contains("kamailio+http://"));
    }
}
