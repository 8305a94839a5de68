//! Names of events as people write them: one, or `clients.*` for all that begin so.

/// True if no pattern was given, or one of them means this event.
pub(super) fn means(patterns: &[String], events_id: &str) -> bool {
    let one = |pattern: &String| match pattern.strip_suffix('*') {
        Some(beginning) => events_id.starts_with(beginning),
        None => events_id == pattern,
    };
    patterns.is_empty() || patterns.iter().any(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_what_begins_so() {
        let patterns = ["clients.accounts.*".to_owned(), "clients.create".to_owned()];
        assert!(means(&patterns, "clients.accounts.update") && means(&patterns, "clients.create"));
        assert!(!means(&patterns, "clients.update") && means(&[], "clients.update"));
    }
}
