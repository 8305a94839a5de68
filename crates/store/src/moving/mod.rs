//! From one database into another: copies between engines, backups, and what a restored backup is made from.
//!
//! ```text
//!   copy       a snapshot of the source, table by table in the order of keys     copy.rs, portion.rs
//!                -> the target, a few portions and how far they come in one transaction
//!              at the end: rows counted, sums of the ledger compared             stand.rs
//!   backup     one SQLite file: of SQLite page by page, of another engine a copy backup.rs
//!   withheld   a backup, or a part of a copy, is not served                      withheld.rs
//! ```
//!
//! | file | subject |
//! |---|---|
//! | [`catalogue`] | every table, its columns and its key |
//! | `row`, `portion` | rows of any table, read and written |
//! | `copy` | a copy from its beginning, or its middle, to its end |
//! | `stand` | what must be the same in both |
//! | `withheld` | why a database is not to be served; how far a copy has come |
//! | `backup` | files of backups |
mod backup;
pub mod catalogue;
mod copy;
mod portion;
mod row;
mod stand;
#[cfg(test)]
mod tests;
mod withheld;

pub use backup::{Backup, Held, copy_pages, finish_backup, work_on};
pub use catalogue::{Column, Table};
pub use copy::{CopyError, Progress, copy, take_over};
pub use stand::{Stand, Sum};
pub use withheld::{Kind, Withheld, is_new, release};
pub(crate) use withheld::{refuse, withhold_if_new};
