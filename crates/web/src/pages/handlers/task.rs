//! A task in parts, as the form asks for it: scheme, host and port, path; or the name of a script.
use crate::params::Params;

/// The boxes of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// `http`, `https` or `script`.
    pub(super) scheme: String,
    /// Host and port.
    pub(super) host: String,
    pub(super) path: String,
    pub(super) script: String,
}

/// Takes a task apart; one that is none stands where a host does.
pub(super) fn apart(task: &str) -> Parts {
    let (scheme, rest) = task.split_once("://").unwrap_or(("http", task));
    if scheme == "script" {
        return Parts { scheme: scheme.to_owned(), script: rest.to_owned(), ..Parts::default() };
    }
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    Parts { scheme: scheme.to_owned(), host: host.to_owned(), path: path.to_owned(), script: String::new() }
}

/// Puts together what was typed; `None` = nothing was. Who types or pastes a whole address into the box for the host means that.
pub(super) fn together(form: &Params) -> Option<String> {
    let scheme = form.text("scheme").unwrap_or("http");
    if scheme == "script" {
        return form.text("script").map(|name| format!("script://{name}"));
    }
    let host = form.text("task")?;
    let path = form.text("task_path").unwrap_or_default();
    let between = if path.is_empty() || path.starts_with(['/', '?', '#']) { "" } else { "/" };
    let before = if host.contains("://") { String::new() } else { format!("{scheme}://") };
    let host = if path.is_empty() { host } else { host.trim_end_matches('/') };
    Some(format!("{before}{host}{between}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(scheme: &str, host: &str, path: &str) -> Option<String> {
        let pairs = [("scheme", scheme), ("task", host), ("task_path", path)];
        together(&pairs.into_iter().map(|(name, text)| (name, text.to_owned())).collect())
    }

    #[test]
    fn what_is_taken_apart_comes_together_again() {
        for task in ["http://127.0.0.1:5000/api", "https://crm.example", "http://[::1]:80/a/b?c=http://d", "https://h?x"] {
            let Parts { scheme, host, path, .. } = apart(task);
            assert_eq!(typed(&scheme, &host, &path).as_deref(), Some(task));
        }
        assert_eq!(apart("script://x.py").script, "x.py");
    }

    #[test]
    fn it_is_understood_however_it_is_typed() {
        for (host, path) in [
            ("127.0.0.1:5000/api", ""),
            ("127.0.0.1:5000", "api"),
            ("127.0.0.1:5000/", "/api"),
            ("http://127.0.0.1:5000", "/api"),
        ] {
            assert_eq!(typed("http", host, path).as_deref(), Some("http://127.0.0.1:5000/api"), "{host} {path}");
        }
        assert_eq!(typed("http", " ", "/api"), None);
    }
}
