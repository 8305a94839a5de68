//! Names of the first API generation, and the present ones behind them: of methods, of events, of patterns of events.
//!
//! They differ in the collection only, so that one short list is all there is to know. What comes in under an old name is
//! known inside by the present one; what goes out to someone who asked by an old name is renamed on its way.
use std::borrow::Cow;

/// Collections: as the first generation named them, and as they are named now.
pub const COLLECTIONS: &[(&str, &str)] = &[
    ("accounts", "clients.accounts"),
    ("clients_packages", "clients.packages"),
    ("clients.subscriptions", "clients.packages"),
    ("transactions", "accounting.transactions"),
];

/// The present name of a method, an event or a pattern of events; `None` if it is not a name of the first generation.
#[must_use]
pub fn present(name: &str) -> Option<String> {
    COLLECTIONS.iter().find_map(|(old, now)| Some(format!("{now}{}", within(old, name)?)))
}

/// The name that an event has for someone who asked for it by this name or pattern.
#[must_use]
pub fn as_asked(asked: &str, events_id: &'static str) -> Cow<'static, str> {
    let renamed = COLLECTIONS.iter().find_map(|(old, now)| {
        within(old, asked)?;
        Some(format!("{old}{}", within(now, events_id)?))
    });
    renamed.map_or(Cow::Borrowed(events_id), Cow::Owned)
}

/// What follows a collection in a name: its dot and the rest.
fn within<'a>(collection: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(collection).filter(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_of_methods_events_and_patterns_have_present_ones() {
        for (old, now) in [
            ("accounts.search", "clients.accounts.search"),
            ("accounts.*", "clients.accounts.*"),
            ("clients_packages.assign", "clients.packages.assign"),
            ("clients.subscriptions.renew", "clients.packages.renew"),
            ("clients.subscriptions.*", "clients.packages.*"),
            ("transactions.create_no_negative", "accounting.transactions.create_no_negative"),
        ] {
            assert_eq!(present(old).as_deref(), Some(now), "{old}");
        }
    }

    #[test]
    fn present_names_and_half_names_are_no_old_ones() {
        for name in [
            "clients.accounts.create",
            "clients.*",
            "clients.packages.renew",
            "accounts",
            "accountsx.create",
            "clients.subscriptions",
        ] {
            assert_eq!(present(name), None, "{name}");
        }
    }

    #[test]
    fn who_asked_by_an_old_name_gets_that_name_back() {
        assert_eq!(as_asked("clients.subscriptions.*", "clients.packages.renew"), "clients.subscriptions.renew");
        assert_eq!(as_asked("clients_packages.renew", "clients.packages.renew"), "clients_packages.renew");
        assert_eq!(as_asked("accounts.*", "clients.accounts.create"), "accounts.create");
        for asked in ["clients.accounts.*", "clients.*", "clients.accounts.create"] {
            assert_eq!(as_asked(asked, "clients.accounts.create"), "clients.accounts.create", "{asked}");
        }
    }
}
