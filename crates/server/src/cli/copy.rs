//! `hookswitch copy`: from one database into another, of whatever engines.
//!
//! Neither may be used meanwhile: their locks are held. Until the copy is whole and compared, its target is not served; broken off,
//! it goes on where it was.
use std::path::Path;

use clap::Args;
use hookswitch_store::{
    MasterKey, Store,
    moving::{self, CopyError, Kind, Progress, Stand},
};
use tokio::time::Instant;

use super::meter::Meter;
use crate::{
    cli::{block_on, say},
    config::{
        self, Database, Settings,
        flags::{Flags, KeyPlace},
    },
    ending::{Ended, Ending},
    wiring::{self, Side},
};

/// Copies everything from one database into a new one, which may be of the other engine.
///
/// Stop the server first: neither database may be in use. At the end the rows of every table are counted and the sums of the ledger
/// compared; before that the new database can't be served. A copy that was broken off goes on where it was when the same command is
/// run again. Secrets stay sealed: the key file goes with the new database.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  hookswitch copy --from sqlite:./hookswitch-data/hookswitch.db --to postgres://hookswitch@db.example/hookswitch"
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
        let (source, target) = (Side::existing(source)?, Side::new(target)?);
        let (stand, seconds) = block_on(between(&source, &target, &key))??;
        say(&text(&stand, seconds, &target.database, &settings.key_file))
    }
}

async fn between(source: &Side, target: &Side, key: &MasterKey) -> Ended<(Stand, f64)> {
    let about = |side: &Side| {
        let shown = side.database.to_string();
        move |error| Ending::Database(format!("{shown}: {error}"))
    };
    let from = Store::open(source.options(key)).map_err(about(source))?;
    let to = Store::open_to_fill(target.options(key)).map_err(about(target))?;
    let copied = async {
        wiring::nobody_uses(&from).await?;
        wiring::nobody_uses(&to).await?;
        let mut meter = Meter::of("rows");
        let copied = moving::take_over(&from, &to, |at| show(&mut meter, &at)).await;
        told(copied, &to, &meter)
    };
    let copied = copied.await;
    for store in [from, to] {
        wiring::close_store(store, Instant::now() + wiring::CLOSE).await;
    }
    copied
}

/// Fills a new database, and shows how far that has come; tells how both stand, and how many seconds it took.
///
/// # Errors
/// When it can't be begun or gone on with, or the copy is not the same as its source.
pub(super) async fn fill(from: &Store, to: &Store, kind: Kind) -> Ended<(Stand, f64)> {
    let mut meter = Meter::of("rows");
    let copied = moving::copy(from, to, kind, |at| show(&mut meter, &at)).await;
    told(copied, to, &meter)
}

fn show(meter: &mut Meter, at: &Progress) {
    meter.show(at.done, at.all, &format!(", {}", at.table));
}

fn told(copied: Result<Stand, CopyError>, to: &Store, meter: &Meter) -> Ended<(Stand, f64)> {
    match copied {
        Ok(stand) => Ok((stand, meter.seconds())),
        Err(error @ (CopyError::InUse | CopyError::OtherSource | CopyError::Used)) => {
            Err(Ending::Database(format!("{}: {error}", to.shown())))
        }
        Err(error) => Err(Ending::Failed(anyhow::Error::new(error).context("copying"))),
    }
}

fn text(stand: &Stand, seconds: f64, target: &Database, key_file: &Path) -> String {
    let scheme = if target.file().is_some() { "sqlite:" } else { "" };
    let (rows, tables) = (stand.all_rows(), stand.rows.len());
    format!(
        "copied {rows} rows of {tables} tables in {seconds:.1} s: {} clients, {} transactions, {} events, {} deliveries that wait\n\
         counted and compared: the rows of every table, each balance with its transactions, the sums of both\n\
         serve it with the same key file: hookswitch serve --database {scheme}{target} --key-file {}\n",
        stand.rows_of("clients"),
        stand.rows_of("transactions"),
        stand.rows_of("events"),
        stand.rows_of("deliveries"),
        key_file.display()
    )
}
