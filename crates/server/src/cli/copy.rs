//! `hookswitch copy`: from one database into another, of whatever engines.
//!
//! Neither may be used meanwhile: their locks are held. Until the copy is whole and compared, its target is not served; broken off,
//! it goes on where it was.
use std::path::Path;

use clap::Args;
use hookswitch_store::{
    Clock, Database, Options, Store,
    moving::{self, CopyError, Kind, Stand},
};
use tokio::time::Instant;

use super::meter::Meter;
use crate::{
    cli::{block_on, say},
    config::{
        self, Settings,
        flags::{Flags, KeyPlace},
    },
    ending::{Ended, Ending},
    wiring::{self, Folder},
};

/// Copies everything from one database into a new one, which may be of the other engine.
///
/// Stop the server first: neither database may be in use. At the end the rows of every table are counted and the sums of the ledger
/// compared; before that the new database can't be served. A copy that was broken off goes on where it was when the same command is
/// run again. Secrets stay sealed: the key file goes with the new database.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  hookswitch copy --from sqlite:./hookswitch-data/hookswitch.db --to sqlite:/srv/hookswitch/hookswitch.db"
)]
pub(crate) struct Copy {
    /// The database to copy
    #[arg(long, value_name = "URL")]
    from: String,
    /// The new one: it must be empty, or hold a part of this very copy
    #[arg(long, value_name = "URL")]
    to: String,
    #[command(flatten)]
    place: KeyPlace,
}

impl Copy {
    /// Copies.
    ///
    /// # Errors
    /// When one of them can't be used, or the copy is not the same as its source.
    pub(crate) fn run(self) -> Ended {
        let Self { from, to, place } = self;
        let settings = Settings::read(&Flags::of_place(place.into()), &config::environment)?;
        let source = config::database("--from", &from, &settings.data)?;
        let target = config::database("--to", &to, &settings.data)?;
        if source == target {
            return Err(Ending::Usage("--from and --to are the same database".to_owned()));
        }
        let key = wiring::key(&settings)?;
        if !source.is_file() {
            return Err(Ending::Database(format!("there is no database {}", source.display())));
        }
        let _source = Folder::of_file(&source)?;
        wiring::make_folder_of(&target)?;
        let _target = Folder::of_file(&target)?;
        let options = |path: &Path| Options {
            database: Database::Sqlite(path.to_owned()),
            key: key.clone(),
            clock: Clock::system(),
            faults: None,
        };
        let of = |path: &Path, error| Ending::Database(format!("{}: {error}", path.display()));
        block_on(async {
            let from = Store::open(options(&source)).map_err(|error| of(&source, error))?;
            let to = Store::open_to_fill(options(&target)).map_err(|error| of(&target, error))?;
            let copied = fill(&from, &to, Kind::Copy).await;
            for store in [from, to] {
                wiring::close_store(store, Instant::now() + wiring::CLOSE).await;
            }
            copied
        })?
        .map_err(|error| match error {
            Ending::Database(words) => Ending::Database(format!("{}: {words}", target.display())),
            other => other,
        })
        .and_then(|(stand, seconds)| say(&text(&stand, seconds, &target, &settings.key_file)))
    }
}

/// Fills a new database, and shows how far that has come; tells how both stand, and how many seconds it took.
///
/// # Errors
/// When it can't be begun or gone on with, or the copy is not the same as its source.
pub(super) async fn fill(from: &Store, to: &Store, kind: Kind) -> Ended<(Stand, f64)> {
    let mut meter = Meter::of("rows");
    let copied = moving::copy(from, to, kind, |at| meter.show(at.done, at.all, &format!(", {}", at.table))).await;
    match copied {
        Ok(stand) => Ok((stand, meter.seconds())),
        Err(error @ (CopyError::InUse | CopyError::OtherSource)) => Err(Ending::Database(error.to_string())),
        Err(error) => Err(Ending::Failed(anyhow::Error::new(error).context("copying"))),
    }
}

fn text(stand: &Stand, seconds: f64, target: &Path, key_file: &Path) -> String {
    let (rows, tables) = (stand.all_rows(), stand.rows.len());
    format!(
        "copied {rows} rows of {tables} tables in {seconds:.1} s: {} clients, {} transactions, {} events, {} deliveries that wait\n\
         counted and compared: the rows of every table, each balance with its transactions, the sums of both\n\
         serve it with the same key file: hookswitch serve --database sqlite:{} --key-file {}\n",
        stand.rows_of("clients"),
        stand.rows_of("transactions"),
        stand.rows_of("events"),
        stand.rows_of("deliveries"),
        target.display(),
        key_file.display()
    )
}
