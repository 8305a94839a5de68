//! Pages beside each other: links to each of them, the one that is open marked.
use crate::{html::Html, markup};

/// Address and words of each; `here` = the address of the one that is open.
pub(crate) fn tabs(title: &str, here: &str, pages: &[(&str, &str)]) -> Html {
    let one = |(href, words): &(&str, &str)| {
        let current = if *href == here { Html::of(" aria-current=\"page\"".to_owned()) } else { Html::default() };
        markup!("<a href=\"{}\"{}>{}</a>", *href, current, *words)
    };
    markup!("<nav class=\"tabs\" aria-label=\"{}\">{}</nav>", title, Html::joined(pages.iter().map(one), ""))
}
