//! Warnings as a header: a JSON array that holds whatever handlers said, in the few signs that a header may have, and no
//! longer than clients and proxies take.
use axum::http::HeaderValue;

/// The whole value; many programs refuse a header of over 8 KiB.
const BYTES_MAX: usize = 8_000;
/// Of one warning: a handler's own may have as many.
const CHARACTERS_MAX: usize = 500;
/// Room for what stands for those that were left out.
const REST_BYTES: usize = 40;

/// The value of `Hookswitch-Warnings`; `None` = there are none.
pub(super) fn header(warnings: &[String]) -> Option<HeaderValue> {
    if warnings.is_empty() {
        return None;
    }
    let mut text = String::from("[");
    for (index, warning) in warnings.iter().enumerate() {
        let item = quoted(warning);
        if text.len() + item.len() + REST_BYTES > BYTES_MAX {
            text.push_str(&format!("\"and {} more\",", warnings.len() - index));
            break;
        }
        text.push_str(&item);
        text.push(',');
    }
    text.pop();
    text.push(']');
    HeaderValue::try_from(text).ok()
}

/// A JSON text in visible ASCII.
fn quoted(warning: &str) -> String {
    let mut text = String::from("\"");
    for character in warning.chars().take(CHARACTERS_MAX) {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            ' '..='~' => text.push(character),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(warnings: &[&str]) -> Vec<String> {
        let warnings: Vec<String> = warnings.iter().map(|&warning| warning.to_owned()).collect();
        let value = header(&warnings).unwrap();
        assert!(value.len() <= BYTES_MAX && value.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)), "{value:?}");
        serde_json::from_slice(value.as_bytes()).unwrap()
    }

    #[test]
    fn whatever_was_said_comes_back() {
        for warnings in [&["plain"][..], &["a \"b\" \\c", "Zoë\r\n\u{7f}\u{0}", "\u{1f4de}"], &[""]] {
            assert_eq!(read(warnings), warnings);
        }
        assert_eq!(header(&[]), None);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let long = "\u{1f4de}".repeat(600);
        assert_eq!(read(&[&long]), ["\u{1f4de}".repeat(500)]);
        assert_eq!(read(&[&long, &long, "short"]), [&*"\u{1f4de}".repeat(500), "and 2 more"]);
    }
}
