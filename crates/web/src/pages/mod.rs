//! One page a file, or a folder where it is several; its template beside it.
//!
//! | page | question it answers |
//! |---|---|
//! | `overview` | is anything wrong? |
//! | `handlers` | who is asked before, who is told after, and does each do its job? |
//! | `log` | what was sent to handlers, and what came back? |
//! | `queue` | what was not told yet, and why? |
//! | `events` | what happened, and what came of it? |
//! | `resyncs` | how far have resyncs come? |
//! | `loops` | which handlers answer each other? |
//! | [`clients`] | who pays; what happened to client 42, and does everybody know? |
//! | `accounts` | what does a softswitch know a client's calls by? |
//! | `packages`, `client_packages` | what can be had for a fee; who has it? |
//! | `transactions` | what was paid and charged? |
//! | `custom_fields` | which keys of its own does a carrier keep? |
//! | `resellers` | who are the resellers? |
//! | `users` | who may call and sign in? |
//! | `status` | how is the program itself? |
//! | `login`, `refused` | who are you; why is there no page |
//!
//! Several of them are made alike: `plain` is a page that is a list or a form and nothing else, `thing` what the pages of all objects
//! have in common, `names` what the objects are called that rows name by id, `pick` how a client is found among 100,000, `custom` the
//! boxes of custom fields.
pub(crate) mod accounts;
pub(crate) mod client_packages;
pub(crate) mod clients;
pub(crate) mod custom;
pub(crate) mod custom_fields;
pub(crate) mod events;
pub(crate) mod handlers;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod loops;
pub(crate) mod names;
pub(crate) mod overview;
pub(crate) mod packages;
pub(crate) mod pick;
pub(crate) mod plain;
pub(crate) mod queue;
pub(crate) mod refused;
pub(crate) mod resellers;
pub(crate) mod resyncs;
pub(crate) mod status;
pub(crate) mod thing;
pub(crate) mod transactions;
pub(crate) mod users;
