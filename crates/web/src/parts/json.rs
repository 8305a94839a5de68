//! Bodies and values, as people read them.
use serde_json::Value;

use crate::{html::Html, markup};

/// So much of a body stands on a page; the rest is behind a link.
pub(crate) const SHOWN_BYTES_MAX: usize = 12 << 10;

/// A body: indented if it is JSON, and cut if it is long. The flag says whether it was cut.
pub(crate) fn body(text: &str) -> (Html, bool) {
    let pretty = serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array());
    let pretty = pretty.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned());
    let shown = cut(&pretty, SHOWN_BYTES_MAX);
    (markup!("<pre tabindex=\"0\"><code>{}</code></pre>", shown), shown.len() < pretty.len())
}

/// The beginning of a text, at most so many bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let end = text.floor_char_boundary(bytes.min(text.len()));
    &text[..end]
}

/// A value in a line.
pub(crate) fn value(value: &Value) -> Html {
    match value {
        Value::String(text) => markup!("<code>{}</code>", cut(text, 500)),
        other => markup!("<code>{}</code>", cut(&other.to_string(), 500)),
    }
}

/// What became of a key: the old value struck out, the new one beside it.
pub(crate) fn change(old: Option<&Value>, new: Option<&Value>) -> Html {
    let old = old.map(|old| markup!("<del>{}</del>", value(old)));
    let new = new.map(|new| markup!("<ins>{}</ins>", value(new)));
    Html::joined(old.into_iter().chain(new), " → ")
}
