//! The SQLite engine: one writer thread that groups what waits into one flush, and a few readers.
mod open;
mod readers;
mod writer;

pub(crate) use open::{connect, reader_of, set_up_writer};
pub(crate) use readers::start_readers;
pub(crate) use writer::start_writer;
