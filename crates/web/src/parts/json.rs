//! Bodies and values, as people read them.
use serde_json::Value;

use crate::{html::Html, markup};

/// So much of a body stands on a page; the rest is behind a link.
pub(crate) const SHOWN_BYTES_MAX: usize = 12 << 10;
/// So much its markup may take: a text that is all quotes takes six times its length.
const MARKUP_BYTES_MAX: usize = 18 << 10;

/// A body: indented if it is JSON, and cut if it is long. The flag says whether it was cut.
pub(crate) fn body(text: &str) -> (Html, bool) {
    let pretty = serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array());
    let pretty = pretty.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned());
    let shown = cut_by_markup(cut(&pretty, SHOWN_BYTES_MAX), MARKUP_BYTES_MAX);
    (markup!("<pre tabindex=\"0\"><code>{}</code></pre>", shown), shown.len() < pretty.len())
}

/// The beginning of a text, at most so many bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let end = text.floor_char_boundary(bytes.min(text.len()));
    &text[..end]
}

/// The beginning of a text whose markup has at most so many bytes: of what strangers write, much may have to be escaped.
pub(crate) fn cut_by_markup(text: &str, bytes_max: usize) -> &str {
    let mut bytes = 0;
    let end = text.char_indices().find(|(_, character)| {
        bytes += match character {
            '&' | '\'' => 5,
            '<' | '>' => 4,
            '"' => 6,
            other => other.len_utf8(),
        };
        bytes > bytes_max
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// A value in a line.
pub(crate) fn value(value: &Value) -> Html {
    match value {
        Value::String(text) => markup!("<code>{}</code>", cut_by_markup(text, 600)),
        other => markup!("<code>{}</code>", cut_by_markup(&other.to_string(), 600)),
    }
}

/// What became of a key: the old value struck out, the new one beside it.
pub(crate) fn change(old: Option<&Value>, new: Option<&Value>) -> Html {
    let old = old.map(|old| markup!("<del>{}</del>", value(old)));
    let new = new.map(|new| markup!("<ins>{}</ins>", value(new)));
    Html::joined(old.into_iter().chain(new), " → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_however_much_of_it_is_escaped() {
        for text in ["x", "\"", "<", "é", "\n"] {
            let (markup, was_cut) = body(&text.repeat(1 << 20));
            assert!(was_cut && markup.to_string().len() < MARKUP_BYTES_MAX + 100, "{text}");
        }
        let (markup, was_cut) = body("{\"a\":\"<b>\"}");
        assert!(!was_cut && markup.to_string().contains("&quot;a&quot;: &quot;&lt;b&gt;&quot;"), "{markup}");
    }
}
