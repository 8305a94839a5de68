//! Lines that were refused, as a file of the same columns and two more: which line it was, and why. Put right there, the report is
//! imported in its turn.
use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use csv::Writer;

use super::{file::Row, mapping::NOTES};

/// The report; there is no file before there is something to tell.
pub(super) struct Report {
    path: PathBuf,
    headings: Vec<String>,
    delimiter: u8,
    file: Option<Writer<BufWriter<File>>>,
    /// How many lines it has.
    pub(super) refused: u64,
}

impl Report {
    /// A report with these columns, and those two once.
    pub(super) fn new(path: PathBuf, headings: &[String], delimiter: u8) -> Self {
        Self { path, headings: headings.to_vec(), delimiter, file: None, refused: 0 }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One line that was refused.
    ///
    /// # Errors
    /// When it can't be written down.
    pub(super) fn refuse(&mut self, row: &Row, why: &str) -> anyhow::Result<()> {
        self.refused += 1;
        let shown = self.path.display().to_string();
        let kept = |heading: &&String| !NOTES.contains(&heading.as_str());
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = File::create(&self.path).with_context(|| shown.clone())?;
                let mut file = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(BufWriter::new(file));
                let headings = NOTES.into_iter().chain(self.headings.iter().filter(kept).map(String::as_str));
                file.write_record(headings).with_context(|| shown.clone())?;
                self.file.insert(file)
            }
        };
        let line = row.line.to_string();
        let cells = row.record.iter().zip(self.headings.iter()).filter(|(_, heading)| kept(heading)).map(|(cell, _)| cell);
        // A line that is too short stays so: it has as many cells as there are headings here.
        let missing = self.headings.len().saturating_sub(row.record.len());
        let record = [line.as_bytes(), why.as_bytes()].into_iter().chain(cells).chain(std::iter::repeat_n(&b""[..], missing));
        file.write_record(record).context(shown)
    }

    /// Writes out what is held.
    ///
    /// # Errors
    /// When it can't be.
    pub(super) fn close(&mut self) -> anyhow::Result<()> {
        match &mut self.file {
            Some(file) => file.flush().with_context(|| self.path.display().to_string()),
            None => Ok(()),
        }
    }
}
