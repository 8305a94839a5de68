//! The SQLite engine: one writer thread that groups what waits into one flush, and a few readers.
mod open;
mod pages;
mod readers;
mod writer;

pub(crate) use open::{connect, damaged, look_at, reader_of, set_up_alone, set_up_writer};
pub(crate) use pages::{copy_pages, is_sound};
pub(crate) use readers::start_readers;
pub(crate) use writer::start_writer;
