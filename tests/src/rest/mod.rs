//! The Core API over REST: the same methods at addresses of their own.
mod answers;
mod errors;
mod keys;
mod odd;
mod queries;
mod verbs;
