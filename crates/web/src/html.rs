//! Markup that is made in code: whatever goes into it is escaped, unless it is markup itself. There is no way from a text to markup
//! past that, so that a script in a client's name stays a text everywhere.
use std::fmt::{self, Display, Formatter};

use askama::filters::HtmlSafe;

/// Markup, to be shown as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// A text, escaped.
    pub(crate) fn text(text: &str) -> Self {
        Self(Escaped(text).to_string())
    }

    /// What [`markup!`](crate::markup) has put together.
    pub(crate) fn of(markup: String) -> Self {
        Self(markup)
    }

    /// True if there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds more.
    pub(crate) fn push(&mut self, more: &Html) {
        self.0.push_str(&more.0);
    }

    /// Several, one after another.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Html>, between: &str) -> Self {
        let parts: Vec<String> = parts.into_iter().map(|part| part.0).collect();
        Self(parts.join(&Escaped(between).to_string()))
    }
}

impl Display for Html {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// What can be put into markup.
pub(crate) trait Put {
    /// Writes it, escaped if it is not markup.
    fn put(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

impl Put for Html {
    fn put(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Put for str {
    fn put(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

impl Put for String {
    fn put(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.as_str().put(f)
    }
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).put(f)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Put for $number {
            fn put(&self, f: &mut Formatter<'_>) -> fmt::Result {
                Display::fmt(self, f)
            }
        })*
    };
}
numbers!(i64, i32, u64, u32, usize, f64);

/// Shows what it holds as markup may hold it.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: Put> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.put(f)
    }
}

/// Puts markup together: a literal whose `{}` are filled with texts, numbers (escaped) and markup (as it is).
#[macro_export]
macro_rules! markup {
    ($literal:literal $(, $value:expr)* $(,)?) => {
        $crate::html::Html::of(format!($literal $(, $crate::html::Escaped(&$value))*))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_markup_is_not() {
        let inner = markup!("<b>{}</b>", "a<b>&\"'");
        assert_eq!(inner.to_string(), "<b>a&lt;b&gt;&amp;&quot;&#39;</b>");
        assert_eq!(
            markup!("<i title=\"{}\">{}</i>", "\" onclick=\"x", inner).to_string(),
            format!("<i title=\"&quot; onclick=&quot;x\">{inner}</i>")
        );
        assert_eq!(Html::joined([Html::text("<"), Html::text("é")], " < ").to_string(), "&lt; &lt; é");
    }
}
