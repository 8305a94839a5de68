//! Pages that are a list and nothing else, or a form and nothing else.
use askama::Template;

use crate::{html::Html, visitor::Page};

/// A list: filters, table, pages.
#[derive(Template)]
#[template(path = "pages/list.html")]
pub(crate) struct ListPage {
    pub(crate) page: Page,
    /// Address and words of the button beside the title.
    pub(crate) button: Option<(String, String)>,
    pub(crate) filters: Html,
    pub(crate) table: Html,
    pub(crate) pager: Html,
}

/// A form.
#[derive(Template)]
#[template(path = "pages/sheet.html")]
pub(crate) struct SheetPage {
    pub(crate) page: Page,
    pub(crate) form: Html,
}
