//! `hookswitch import`: clients and their accounts from a CSV file, through the API of a running server.
//!
//! | file | subject |
//! |---|---|
//! | `mapping` | which column is which field |
//! | `file` | lines, and the clients that they are about |
//! | `send` | a hundred at a time, each under an idempotency key of its own |
//! | `report` | refused lines |
//! | `twins` | what stands twice in the file, for a dry run |
mod file;
mod mapping;
mod report;
mod send;
mod twins;

use std::{ffi::OsString, path::PathBuf, pin::pin};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    meter::Meter,
    remote::{Remote, Server},
    say,
    stop::asked_to_stop,
};
use crate::{
    cli::block_on,
    ending::{Ended, Ending},
};
use file::{Lines, Next, Survey};
use mapping::Mapping;
use report::Report;
use send::{CALLS_MAX, Done, HEADER, Sender};
use twins::Twins;

/// The error of a caller who may not.
const ACCESS_DENIED: i64 = -32003;
/// Warnings of handlers that are shown.
const WARNINGS_MAX: usize = 10;

/// Makes clients with their accounts from a CSV file.
///
/// A line is a client, an account or both; lines that follow one another with the same client are his accounts. Columns are mapped by
/// --map, or have the fields' own names (name, credit, account.accname). Try it with --dry-run first. An import that was broken
/// off goes on when the same command is run again within 24 hours: nothing is made twice. Handlers are asked and told as always.
/// Refused lines go into a report with the reason. Ends with status 1 if there were any.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  hookswitch import clients.csv --map 'name=Company,credit=Limit,account.accname=SIP user' --dry-run"
)]
pub(crate) struct Import {
    /// The file, in UTF-8, with the names of its columns in the first line
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which columns are which fields; all others are left out
    #[arg(long, value_name = "FIELD=COLUMN,...", value_delimiter = ',')]
    map: Vec<String>,
    /// A value for every line that has none of its own
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// What stands between columns
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Look at every line, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before handlers: for an admin of the whole system. The log has a row for each that was not asked
    #[arg(long)]
    skip_before: bool,
    /// A client whose name is there already gets the accounts of his lines
    #[arg(long)]
    into_existing: bool,
    /// Where refused lines go [default: the file's name with .refused.csv]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Requests at once: the server shares a flush of its disk among them
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    #[command(flatten)]
    remote: Remote,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [one] if one.is_ascii() && *one != b'"' => Ok(*one),
        _ => Err("must be one character, such as ; or \\t".to_owned()),
    }
}

impl Import {
    /// Imports.
    ///
    /// # Errors
    /// When lines were refused, or it can't go on.
    pub(crate) fn run(self) -> Ended {
        let server = self.remote.clone().needed_server()?;
        let lines = Lines::open(&self.file, self.delimiter)?;
        let mapping = Mapping::new(&lines.headings, &self.map, &self.set)?;
        let Survey { name, lines: all } = file::survey(&self.file, &format!("{:?}{:?}{}", self.map, self.set, self.delimiter))?;
        let report = Report::new(self.report_file(), &lines.headings, self.delimiter);
        block_on(async {
            let headers = self.headers(&server).await?;
            let sender = Sender { server, name, headers, dry_run: self.dry_run, into_existing: self.into_existing };
            let run = Run { sender, report, meter: Meter::of("lines"), total: Done::default(), all };
            self.all_of(run, lines, &mapping).await
        })?
    }

    fn report_file(&self) -> PathBuf {
        let beside = || {
            let mut name: OsString = self.file.clone().into();
            name.push(".refused.csv");
            PathBuf::from(name)
        };
        self.report.clone().unwrap_or_else(beside)
    }

    /// Says that this is an import, if that is the caller's to say.
    async fn headers(&self, server: &Server) -> Ended<Vec<(&'static str, &'static str)>> {
        let headers = vec![(HEADER, if self.skip_before { "skip-before" } else { "ask-before" })];
        // Without a name it is refused whoever asks: for the right reason, or for the other.
        let probe = vec![(send::CLIENT, json!({"dry_run": true}))];
        let answers = server.batch(&headers, probe).await?;
        match answers.into_iter().next().and_then(Result::err) {
            Some(refused) if refused.code == ACCESS_DENIED && self.skip_before => {
                Err(anyhow!("--skip-before: {}", refused.message).into())
            }
            Some(refused) if refused.code == ACCESS_DENIED => Ok(Vec::new()),
            _ => Ok(headers),
        }
    }

    async fn all_of(&self, mut run: Run, mut lines: Lines, mapping: &Mapping) -> Ended {
        let (mut sending, mut groups, mut at_end) = (JoinSet::new(), Vec::new(), false);
        let mut twins = self.dry_run.then(Twins::default);
        let mut stop = pin!(asked_to_stop());
        while !at_end || !sending.is_empty() {
            while !at_end && sending.len() < usize::from(self.connections) {
                match lines.next(mapping)? {
                    Next::Group(group) => {
                        for (row, why) in twins.iter_mut().flat_map(|twins| twins.of(&group)) {
                            run.report.refuse(&row, &why)?;
                        }
                        groups.push(group);
                    }
                    Next::Unread(row, why) => {
                        run.total.lines += 1;
                        run.report.refuse(&row, &why)?;
                    }
                    Next::End => at_end = true,
                }
                if groups.len() == CALLS_MAX || (at_end && !groups.is_empty()) {
                    sending.spawn(run.sender.clone().send(std::mem::take(&mut groups)));
                }
            }
            tokio::select! {
                sent = sending.join_next() => match sent {
                    Some(sent) => run.take(sent.context("sending")?)?,
                    None => continue,
                },
                () = &mut stop => return run.stopped(),
            }
        }
        run.over()
    }
}

/// An import under way.
struct Run {
    sender: Sender,
    report: Report,
    meter: Meter,
    total: Done,
    /// About how many lines there are.
    all: i64,
}

impl Run {
    fn take(&mut self, done: anyhow::Result<Done>) -> Ended {
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                self.report.close()?;
                let words = format!("broken off after {} lines; the same command goes on with it", self.total.lines);
                return Err(Ending::Failed(error.context(words)));
            }
        };
        self.total.clients += done.clients;
        self.total.accounts += done.accounts;
        self.total.lines += done.lines;
        self.total.warnings.extend(done.warnings.into_iter().take(WARNINGS_MAX.saturating_sub(self.total.warnings.len())));
        for (row, why) in &done.refused {
            self.report.refuse(row, why)?;
        }
        let refused = if self.report.refused > 0 { format!(", {} refused", self.report.refused) } else { String::new() };
        self.meter.show(self.total.lines, self.all.max(self.total.lines), &refused);
        Ok(())
    }

    fn stopped(mut self) -> Ended {
        self.report.close()?;
        let words = format!("stopped after {} lines; the same command goes on with it", self.total.lines);
        Err(Ending::Failed(anyhow!(words)))
    }

    fn over(mut self) -> Ended {
        self.report.close()?;
        let Self { sender, report, meter, total, .. } = self;
        let seconds = meter.seconds();
        drop(meter);
        for warning in &total.warnings {
            tracing::warn!("a handler says: {}", super::objects::table::visible(warning));
        }
        let what = if sender.dry_run { "could be made; nothing was changed" } else { "made" };
        say(&format!("{} clients, {} accounts {what}, in {seconds:.1} s\n", total.clients, total.accounts))?;
        match report.refused {
            0 => Ok(()),
            refused => Err(anyhow!("{refused} lines were refused; {} says why", report.path().display()).into()),
        }
    }
}
