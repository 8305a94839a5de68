//! Lists that grow while somebody looks: filters, a switch for live mode, rows, pages.
use askama::Template;

use crate::{html::Html, visitor::Page};

/// Such a list.
#[derive(Template)]
#[template(path = "pages/live.html")]
pub(crate) struct LivePage {
    pub(crate) page: Page,
    /// Pages beside it.
    pub(crate) tabs: Html,
    /// Between title and filters.
    pub(crate) above: Html,
    pub(crate) filters: Html,
    /// What there is to know about what was found.
    pub(crate) note: Html,
    pub(crate) table: Html,
    pub(crate) pager: Html,
    /// True if new rows come in at the top.
    pub(crate) is_live: bool,
}
