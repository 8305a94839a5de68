//! `hookswitch export`: a list of any length as CSV, page after page.
use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use hookswitch_core::registry::{self, Gives};
use hookswitch_model::field::{Field, Kind, LEGACY_BYTES_MAX};
use serde_json::{Value, json};

use super::{
    meter::Meter,
    objects::{table::cell, values},
    remote::{Remote, Server},
};
use crate::{
    cli::block_on,
    ending::{Ended, Ending},
};

/// Rows of a page.
const PAGE: usize = 1_000;

/// Writes clients, accounts or transactions as CSV.
///
/// Page after page, in the order of ids; what changes meanwhile may be in it or not. A text that a spreadsheet would take for a formula
/// gets an apostrophe in front, which import takes off again.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch export clients --where status=active --to clients.csv")]
pub(crate) struct Export {
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Only rows with this value; any filter of the list
    #[arg(long = "where", value_name = "NAME=VALUE")]
    filters: Vec<String>,
    /// Only these columns, in this order
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    columns: Vec<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Clients,
    Accounts,
    Transactions,
}

impl What {
    fn method(self) -> &'static str {
        match self {
            Self::Clients => "clients.search",
            Self::Accounts => "clients.accounts.search",
            Self::Transactions => "accounting.transactions.search",
        }
    }

    /// The columns of a file, if nothing is said: what was not of the first generation of the API, and no passwords.
    fn columns(self) -> (Vec<&'static str>, Vec<&'static str>) {
        let fields: &[Field] = match registry::find(self.method()).map(|method| method.gives) {
            Some(Gives::Rows(fields)) => fields,
            _ => &[],
        };
        let usual = |field: &&Field| !matches!(field.kind, Kind::Any { bytes: LEGACY_BYTES_MAX }) && field.name != "password";
        (fields.iter().filter(usual).map(|field| field.name).collect(), fields.iter().map(|field| field.name).collect())
    }
}

impl Export {
    /// Writes it.
    ///
    /// # Errors
    /// When the server refuses, or the file can't be written.
    pub(crate) fn run(self) -> Ended {
        let (usual, known) = self.what.columns();
        let columns: Vec<String> = match self.columns.is_empty() {
            true => usual.into_iter().map(str::to_owned).collect(),
            false => self.columns.clone(),
        };
        if let Some(unknown) = columns.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Ending::Usage(format!("--columns: there is no {unknown}; there are {}", known.join(", "))));
        }
        let filters = self.filters()?;
        let server = self.remote.clone().needed_server()?;
        let out: Box<dyn Write + Send> = match &self.to {
            Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
            None => Box::new(io::stdout()),
        };
        Ok(block_on(self.write(&server, filters, &columns, out))??)
    }

    fn filters(&self) -> Ended<Value> {
        let mut filters = json!({});
        for pair in &self.filters {
            let (name, text) = pair.split_once('=').ok_or_else(|| Ending::Usage(format!("--where {pair} must be NAME=VALUE")))?;
            let list = registry::find(self.what.method()).and_then(|method| method.takes.list());
            let column = list.and_then(|list| list.columns.iter().find(|column| column.name == name));
            filters[name] = column.map_or_else(|| text.into(), |column| values::of_column(column.kind, &[text.to_owned()]));
        }
        Ok(filters)
    }

    async fn write(&self, server: &Server, filters: Value, columns: &[String], out: Box<dyn Write + Send>) -> anyhow::Result<()> {
        let mut file = csv::Writer::from_writer(out);
        file.write_record(columns).context("writing")?;
        let (mut after, mut done, mut all) = (json!(0), 0, 0);
        let mut meter = Meter::of("rows");
        loop {
            let mut params = filters.clone();
            (params["limit"], params["after_id"]) = (PAGE.into(), after);
            // Counted once, with the first page.
            params["with_total"] = (done == 0).into();
            let answer = server.call(self.what.method(), params).await?;
            all = answer["total"].as_i64().unwrap_or(all);
            let Some(rows) = answer.get("rows").unwrap_or(&answer).as_array() else { bail!("the server gave no list") };
            for row in rows {
                file.write_record(columns.iter().map(|name| guarded(&row[name]))).context("writing")?;
            }
            done += i64::try_from(rows.len()).unwrap_or(0);
            meter.show(done, all, "");
            match rows.last().filter(|_| rows.len() == PAGE) {
                Some(last) => after = last["id"].clone(),
                None => break,
            }
        }
        file.flush().context("writing")
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn guarded(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => cell(other),
    }
}
