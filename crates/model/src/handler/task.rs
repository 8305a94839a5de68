//! What a handler's task may look like. Whether the address may be reached and the script is there is found out
//! where that is known.

/// The scheme of scripts.
pub const SCRIPT: &str = "script://";
/// The scheme of databases.
pub const SQL: &str = "sql://";

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
    if !["http", "https", "script", "sql"].contains(&scheme.as_str()) {
        return Err("must be an http:// or https:// URL, script://name, or sql:// with a database".to_owned());
    }
    // The path of a file follows three slashes.
    if rest.is_empty() || (rest.starts_with('/') && scheme != "sql") {
        return Err(format!("must name something behind {scheme}://"));
    }
    Ok(format!("{scheme}://{rest}"))
}

/// `127.0.0.1:5000/api?next=http://...` holds `://` too, but not behind a scheme.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}
