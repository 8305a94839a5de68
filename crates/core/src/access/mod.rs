//! Who may call what, and whose objects it sees.
//!
//! Keys, users and the tree of resellers are an immutable snapshot in memory, swapped whole when one of them is
//! saved: authenticating a call costs a hash and a lookup, never a query.
//!
//! | file | subject |
//! |---|---|
//! | [`caller`] | who calls: user, role, reseller |
//! | [`keys`] | the snapshot: keys, users, tree of resellers |
//! | [`passwords`] | hashing, which is slow on purpose |
//! | [`sessions`] | who is signed in with a password |
//! | [`turns`] | whose password is checked next |
pub mod caller;
pub mod keys;
pub mod passwords;
pub mod sessions;
pub mod turns;

pub use caller::{Caller, Right};
pub use keys::{Access, Snapshot};
