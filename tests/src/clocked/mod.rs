//! What takes minutes, hours or days: the server runs inside the test, on a clock that the test turns.
mod breaker;
mod expiry;
pub(crate) mod packages;
mod retries;
mod tripped;
