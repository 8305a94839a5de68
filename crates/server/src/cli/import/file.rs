//! The file: its name for idempotency keys, its lines, and the clients that they are about.
//!
//! It is read twice. The first time it is counted and hashed: the same file with the same mapping is the same import, so that what a run
//! that was broken off has done is not done again. The second time it is read as it is sent, never held whole.
use std::{
    fs::File,
    io::{BufReader, Read as _},
    path::Path,
};

use anyhow::Context as _;
use csv::{ByteRecord, Reader, ReaderBuilder};
use hookswitch_model::Object;
use sha2::{Digest as _, Sha256};

use super::mapping::{Line, Mapping};

/// Hexadecimal digits of an import's name: enough that no two files share one.
const NAME_DIGITS: usize = 24;
/// Accounts of one client that follow one another.
const ACCOUNTS_MAX: usize = 1_000;
const BLOCK: usize = 1 << 16;

/// What is known of a file before it is read.
pub(super) struct Survey {
    /// Of its content and how that is read.
    pub(super) name: String,
    /// About how many lines of data there are: an upper bound, as a cell may have line ends.
    pub(super) lines: i64,
}

/// Counts and hashes a file.
///
/// # Errors
/// When it can't be read.
pub(super) fn survey(path: &Path, how_it_is_read: &str) -> anyhow::Result<Survey> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let mut hasher = Sha256::new_with_prefix(how_it_is_read);
    let (mut block, mut lines, mut last) = (vec![0; BLOCK], 0, b'\n');
    loop {
        let read = file.read(&mut block).with_context(|| path.display().to_string())?;
        if read == 0 {
            break;
        }
        hasher.update(&block[..read]);
        lines += block[..read].iter().filter(|byte| **byte == b'\n').count();
        last = block[read - 1];
    }
    let whole = lines + usize::from(last != b'\n');
    let name = hex::encode(hasher.finalize()).chars().take(NAME_DIGITS).collect();
    Ok(Survey { name, lines: i64::try_from(whole.saturating_sub(1)).unwrap_or(i64::MAX) })
}

/// One client with his accounts: what lines that follow one another say of him.
#[derive(Debug)]
pub(super) struct Group {
    /// His first line.
    pub(super) row: Row,
    /// None: his accounts are for a client that is there, by his id.
    pub(super) client: Option<Object>,
    pub(super) accounts: Vec<(Row, Object)>,
}

/// A line as it stands in the file, for the report.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) record: ByteRecord,
}

/// What the file has next.
pub(super) enum Next {
    Group(Group),
    /// A line that can't be read, and why.
    Unread(Row, String),
    End,
}

/// The lines of a file.
pub(super) struct Lines {
    reader: Reader<BufReader<File>>,
    pub(super) headings: Vec<String>,
    /// A line of the next group.
    ahead: Option<(Row, Line)>,
    unread: Option<(Row, String)>,
}

impl Lines {
    /// Opens a file and reads its headings.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn open(path: &Path, delimiter: u8) -> anyhow::Result<Self> {
        let file = BufReader::new(File::open(path).with_context(|| path.display().to_string())?);
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(file);
        let headings = reader.headers().with_context(|| format!("{}: its first line", path.display()))?;
        let headings = headings.iter().map(|heading| heading.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        Ok(Self { reader, headings, ahead: None, unread: None })
    }

    /// The next client, or a line that can't be read.
    ///
    /// # Errors
    /// When the file can't be read on.
    pub(super) fn next(&mut self, mapping: &Mapping) -> anyhow::Result<Next> {
        if let Some((row, why)) = self.unread.take() {
            return Ok(Next::Unread(row, why));
        }
        let Some((row, line)) = self.take(mapping)? else {
            return Ok(self.unread.take().map_or(Next::End, |(row, why)| Next::Unread(row, why)));
        };
        let (client, account) = (Some(line.client).filter(|client| !client.is_empty()), line.account);
        let mut group = Group { row: row.clone(), client, accounts: Vec::new() };
        group.add(row, account);
        while group.accounts.len() < ACCOUNTS_MAX
            && let Some((row, line)) = self.take(mapping)?
        {
            let is_his = group.client.as_ref().is_some_and(|client| line.client.get("name").is_some() && *client == line.client);
            if !is_his || line.account.is_empty() {
                self.ahead = Some((row, line));
                break;
            }
            group.add(row, line.account);
        }
        Ok(Next::Group(group))
    }

    /// One line; none at the end, or at one that can't be read.
    fn take(&mut self, mapping: &Mapping) -> anyhow::Result<Option<(Row, Line)>> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let mut record = ByteRecord::new();
        if !self.reader.read_byte_record(&mut record).context("reading the file")? {
            return Ok(None);
        }
        let row = Row { line: record.position().map_or(0, csv::Position::line), record };
        match cells(&row.record, self.headings.len()) {
            Ok(cells) => {
                let line = mapping.read(&cells);
                Ok(Some((row, line)))
            }
            Err(why) => {
                self.unread = Some((row, why));
                Ok(None)
            }
        }
    }
}

impl Group {
    fn add(&mut self, row: Row, account: Object) {
        if !account.is_empty() {
            self.accounts.push((row, account));
        }
    }
}

fn cells(record: &ByteRecord, columns: usize) -> Result<Vec<&str>, String> {
    if record.len() != columns {
        return Err(format!("has {} columns, the first line has {columns}", record.len()));
    }
    record.iter().map(std::str::from_utf8).collect::<Result<_, _>>().map_err(|_| "is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut lines = Lines::open(file.path(), b',').unwrap();
        let mapping = Mapping::new(&lines.headings, &[], &[]).unwrap();
        let mut all = Vec::new();
        loop {
            match lines.next(&mapping).unwrap() {
                Next::End => return all,
                Next::Unread(row, why) => all.push(format!("{} {why}", row.line)),
                Next::Group(group) => all.push(format!("{} has {}", group.row.line, group.accounts.len())),
            }
        }
    }

    #[test]
    fn lines_of_one_client_are_one_and_unreadable_ones_are_told_in_their_place() {
        let text = "\u{feff}name,account.accname\nA,a1\nA,a2\nB,\nbroken\nC,c1\nC,c2\n";
        let expected = ["2 has 2", "4 has 0", "5 has 1 columns, the first line has 2", "6 has 2"];
        assert_eq!(groups(text), expected);
    }

    #[test]
    fn the_same_file_read_in_another_way_is_another_import() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "name\nA\nB").unwrap();
        let (one, other) = (survey(file.path(), "x").unwrap(), survey(file.path(), "y").unwrap());
        assert_eq!(one.lines, 2);
        assert_ne!(one.name, other.name);
        assert_eq!(one.name, survey(file.path(), "x").unwrap().name);
    }
}
