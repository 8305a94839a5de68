//! Names and patterns of events, as handlers list them: the present ones, and those of the first API generation.
use std::borrow::Cow;

use crate::event::{self, CATALOGUE, Stage, aliases};

/// True if the name matches: exactly, or by a pattern that ends in `.*`.
#[must_use]
pub fn matches(pattern: &str, events_id: &str) -> bool {
    let pattern = &*present(pattern);
    match pattern.strip_suffix(".*") {
        Some(prefix) => events_id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == events_id,
    }
}

/// What is wrong with a name or pattern: it must mean at least one event.
pub(super) fn name_error(pattern: &str) -> Option<String> {
    if CATALOGUE.iter().any(|kind| matches(pattern, kind.events_id)) {
        return None;
    }
    Some(match pattern {
        _ if pattern.ends_with(".*") => format!("{pattern} matches no event of the catalogue"),
        _ => format!("{pattern} is not in the catalogue of events"),
    })
}

/// True if some event of this name or pattern can be had at this stage. A pattern may match others besides: these
/// are left out.
pub(super) fn offered_at(pattern: &str, stage: Stage) -> bool {
    match event::kind(&present(pattern)) {
        Some(kind) => kind.stages.contains(&stage),
        None => CATALOGUE.iter().any(|kind| matches(pattern, kind.events_id) && kind.stages.contains(&stage)),
    }
}

/// A name or pattern in present words.
fn present(pattern: &str) -> Cow<'_, str> {
    aliases::present(pattern).map_or(Cow::Borrowed(pattern), Cow::Owned)
}
