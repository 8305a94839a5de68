//! What pages are made of.
//!
//! | file | subject |
//! |---|---|
//! | `words` | times, amounts, numbers, states: as people read them |
//! | `input` | one box to fill in: of a form or of a filter |
//! | `form` | a method's parameters as a form, what was typed as parameters, refusals at their fields |
//! | `list` | a `search` method as a page: filters, order, paging, all in the address |
//! | `table` | rows and columns; cards where it is narrow |
//! | `picture` | small pictures, as SVG |
//! | `day` | the last 24 hours: sums, pictures, the way to the rows |
//! | `json` | bodies and values as people read them |
//! | `happened` | events, objects, clients and handlers by their names |
//! | `tabs` | pages beside each other |
//! | `waterfall` | all that handlers did about one action |
pub(crate) mod day;
pub(crate) mod form;
pub(crate) mod happened;
pub(crate) mod input;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod picture;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod waterfall;
pub(crate) mod words;
