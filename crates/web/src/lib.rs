//! The web section: pages for people, made on the server, over the one door.
//!
//! A page asks the same methods that the Core API offers ([`visitor`]), so that it can show nothing and do nothing that its reader's
//! role and reseller do not allow, and a handler's refusal reaches the form as it reaches any caller. Everything works without
//! JavaScript except live updates.
//!
//! | place | subject |
//! |---|---|
//! | `routes` | which address is which page |
//! | [`pages`] | one page a file, its template beside it |
//! | [`parts`] | what pages are made of: tables, filters, forms, pictures, words |
//! | `visitor` | who reads: asks the door in his name, and what every page shows of him |
//! | `session` | signing in and out; a form that came too late is kept |
//! | `security` | what a browser is told about our pages; what another site may not send |
//! | `answer` | from a page to an answer; refusals for people |
//! | `params` | query strings and forms |
//! | `html` | markup made in code: escaped, unless it is markup |
//! | `notice` | what is said on the next page |
//! | `assets` | style and script, from the binary |
mod answer;
mod assets;
mod html;
mod notice;
mod pages;
mod params;
mod parts;
mod routes;
mod security;
mod session;
mod visitor;

use axum::Router;
use hookswitch_api::Api;

/// Every address of the web section, to be served beside the API's.
pub fn pages(api: Api) -> Router {
    routes::routes(api)
}
