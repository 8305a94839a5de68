//! Times, amounts, numbers and states, as people read them: numbers with their units, times relative with the exact one on hover, a
//! state always as colour, word and shape.
use hookswitch_model::{json::MASK, moment::Moment};
use serde_json::Value;

use crate::{html::Html, markup};

/// So much of what others write stands in a row.
const SAID_BYTES_MAX: usize = 400;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What stands where there is nothing.
pub(crate) fn nothing() -> Html {
    markup!("<span class=\"quiet\">–</span>")
}

/// A text of a JSON object, or nothing.
pub(crate) fn text(value: &Value) -> Html {
    match value {
        Value::Null => nothing(),
        Value::String(text) if text.is_empty() => nothing(),
        Value::String(text) => Html::text(text),
        other => Html::text(&other.to_string()),
    }
}

/// A time as ISO 8601: how long ago, and the exact one on hover.
pub(crate) fn ago(now: Moment, iso: &Value) -> Html {
    let Some(moment) = iso.as_str().and_then(Moment::parse) else { return nothing() };
    let exact = exact(moment);
    markup!("<time datetime=\"{}\" title=\"{}\">{}</time>", moment.iso(), exact, relative(now, moment))
}

/// When something is to be done: a time that has come says so.
pub(crate) fn due(now: Moment, iso: &Value) -> Html {
    match iso.as_str().and_then(Moment::parse) {
        Some(moment) if moment <= now => markup!("<time datetime=\"{}\" title=\"{}\">due</time>", moment.iso(), exact(moment)),
        _ => ago(now, iso),
    }
}

/// The exact time: `2026-11-23 21:14:07 UTC`.
pub(crate) fn exact(moment: Moment) -> String {
    let iso = moment.iso();
    let (date, rest) = iso.split_once('T').unwrap_or((&iso, ""));
    format!("{date} {} UTC", rest.get(..8).unwrap_or(rest))
}

/// How long ago, or in how long.
pub(crate) fn relative(now: Moment, moment: Moment) -> String {
    let seconds = now.seconds() - moment.seconds();
    match seconds {
        -4..=4 => "now".to_owned(),
        5.. => format!("{} ago", span(seconds)),
        _ => format!("in {}", span(-seconds)),
    }
}

/// A span of time in its greatest unit.
pub(crate) fn span(seconds: i64) -> String {
    match seconds {
        ..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        DAY..63_072_000 => counted(seconds / DAY, "day", "days"),
        _ => format!("{} years", seconds / 31_536_000),
    }
}

/// How many of what: `1 day`, `1,204 deliveries`.
pub(crate) fn counted(number: i64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(&number.to_string())) }
}

/// A number with its thousands apart.
pub(crate) fn number(number: i64) -> String {
    grouped(&number.to_string())
}

/// Milliseconds, or seconds where there are many.
pub(crate) fn milliseconds(value: &Value) -> Html {
    match value.as_f64() {
        None => nothing(),
        // Where only whole ones are known, no more is said.
        Some(ms) if value.is_i64() && ms < 1.0 => Html::text("< 1 ms"),
        Some(ms) if ms < 10.0 && !value.is_i64() => Html::text(&format!("{ms:.1} ms")),
        Some(ms) if ms < 10_000.0 => Html::text(&format!("{ms:.0} ms")),
        Some(ms) => Html::text(&format!("{:.1} s", ms / 1_000.0)),
    }
}

/// An amount: two decimals at least, thousands apart, what is below zero in its own colour. Digits are never counted with.
pub(crate) fn money(value: &Value) -> Html {
    let Value::Number(number) = value else { return nothing() };
    let shown = amount(&number.to_string());
    let class = if shown.starts_with('-') { "money below" } else { "money" };
    markup!("<span class=\"{}\">{}</span>", class, shown)
}

/// An amount's digits as people read them.
pub(crate) fn amount(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    format!("{}.{fraction:0<2}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    format!("{sign}{}", groups.join(","))
}

/// The kinds of states: colour and shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Refused,
    Bad,
    Waiting,
    Held,
    Off,
}

impl Kind {
    fn of(word: &str) -> Self {
        match word {
            "success" | "enabled" | "active" | "activated" | "done" | "in step" | "alive" | "allowed" | "delivered" => Self::Good,
            "forbidden" | "refused" => Self::Refused,
            "failed" | "failing" | "dead" | "gone" | "incomplete" | "unreachable" | "lost" | "tripped" => Self::Bad,
            "waiting" | "retrying" | "pending" | "new" | "counting" | "running" | "delivering" | "behind" | "skipped"
            | "never told" => Self::Waiting,
            "paused" | "paused by breaker" | "stopped" | "deactivated" | "leaving" => Self::Held,
            _ => Self::Off,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused => "refused",
            Self::Bad => "bad",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Off => "off",
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Self::Good => "●",
            Self::Refused => "⊘",
            Self::Bad => "✕",
            Self::Waiting => "◔",
            Self::Held => "◐",
            Self::Off => "○",
        }
    }
}

/// A state: colour, word and shape. *Forbidden* is shown as `refused`: a handler that said no worked well.
pub(crate) fn state(word: &str) -> Html {
    let word = word.replace('_', " ");
    let kind = Kind::of(&word);
    let shown = if word == "forbidden" { "refused" } else { &word };
    markup!("<span class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</span>", kind.class(), kind.shape(), shown)
}

/// What went wrong, below a state: two lines of it.
pub(crate) fn why(text: &str) -> Html {
    match text.is_empty() {
        true => Html::default(),
        false => markup!("<span class=\"why\">{}</span>", super::json::cut_by_markup(text, 240)),
    }
}

/// What somebody wrote, as far as a row can hold it: the page behind the row has more.
pub(crate) fn said(text: &str) -> Html {
    let shown = super::json::cut_by_markup(text, SAID_BYTES_MAX);
    match shown.len() {
        0 => nothing(),
        length if length < text.len() => markup!("{}…", shown),
        _ => Html::text(shown),
    }
}

/// A task as it may be read by everybody who sees the handler: a password in its address is masked.
pub(crate) fn task(task: &str) -> String {
    let Some((scheme, rest)) = task.split_once("://") else { return task.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    match authority.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{MASK}@{host}{behind}"),
        None => task.to_owned(),
    }
}

/// A link to another page.
pub(crate) fn link(href: &str, inner: impl crate::html::Put) -> Html {
    markup!("<a href=\"{}\">{}</a>", href, inner)
}

/// A text in the letters of machines: ids, payloads.
pub(crate) fn code(text: &str) -> Html {
    markup!("<code>{}</code>", text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        for (digits, shown) in
            [("0", "0.00"), ("-3.2", "-3.20"), ("1234567.5", "1,234,567.50"), ("999999999.999999", "999,999,999.999999")]
        {
            assert_eq!(amount(digits), shown);
        }
        assert!(money(&json!(-1)).to_string().contains("below"));
        assert!(money(&Value::Null).to_string().contains('–'));
    }

    #[test]
    fn times_are_told_as_people_do() {
        let at = |seconds: i64| Moment(seconds * 1_000_000);
        for (seconds, words) in [(0, "now"), (59, "59 s ago"), (60, "1 min ago"), (7_200, "2 h ago"), (86_400, "1 day ago")] {
            assert_eq!(relative(at(1_000_000), at(1_000_000 - seconds)), words);
        }
        assert_eq!(relative(at(0), at(40)), "in 40 s");
        assert_eq!(exact(at(0)), "1970-01-01 00:00:00 UTC");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(said("no <room>").to_string(), "no &lt;room&gt;");
        let long = said(&"\"".repeat(64 << 10)).to_string();
        assert!(long.len() < SAID_BYTES_MAX + 10 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_password_in_an_address_is_masked() {
        assert_eq!(task("http://crm:s3cret@127.0.0.1:1/a@b"), "http://crm:********@127.0.0.1:1/a@b");
        for plain in ["http://127.0.0.1:1/a:b@c", "script://x.py", "sql://user@host/db", "http://user@host/"] {
            assert_eq!(task(plain), plain);
        }
    }

    #[test]
    fn refused_is_not_failed() {
        assert!(state("forbidden").to_string().contains("refused"));
        assert!(!state("forbidden").to_string().contains("bad"));
        assert!(state("failed").to_string().contains("bad"));
    }
}
