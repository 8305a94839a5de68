//! The command line's part of the configuration. Everything is text here: what it means, and whether it may be, is
//! decided in one place for all layers.
use clap::Args;

/// Which database: what every command that works on a data folder takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Place {
    /// The configuration file [env: HOOKSWITCH_CONFIG] [default: ./hookswitch.toml if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<String>,
    /// The data folder [env: HOOKSWITCH_DATA] [default: ./hookswitch-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// The database: sqlite:, sqlite:FILE or postgres://USER@HOST/DATABASE; the environment or the file is the place for a password [env: HOOKSWITCH_DATABASE] [default: hookswitch.db in the data folder]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// What opens the database's secrets [env: HOOKSWITCH_KEY_FILE] [default: master.key in the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<String>,
}

/// What commands take that are told their databases by flags of their own.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KeyPlace {
    /// The configuration file [env: HOOKSWITCH_CONFIG] [default: ./hookswitch.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// The data folder [env: HOOKSWITCH_DATA] [default: ./hookswitch-data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// What opens the secrets of both [env: HOOKSWITCH_KEY_FILE] [default: master.key in the data folder]
    #[arg(long, value_name = "FILE")]
    key_file: Option<String>,
}

impl From<KeyPlace> for Place {
    fn from(KeyPlace { config, data, key_file }: KeyPlace) -> Self {
        Self { config, data, database: None, key_file }
    }
}

/// Every setting that has a flag.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Flags {
    /// Where to listen; port 0 picks a free one [env: HOOKSWITCH_LISTEN] [default: 127.0.0.1:3080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// The folder of script:// handlers [env: HOOKSWITCH_SCRIPTS] [default: scripts in the data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) scripts: Option<String>,
    /// How the log is written: text or json [env: HOOKSWITCH_LOG] [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log: Option<String>,
    /// Where traces go, to a collector of OpenTelemetry over HTTP [env: HOOKSWITCH_OTLP] [default: nowhere]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

impl Flags {
    /// Where only the database matters.
    pub(crate) fn of_place(place: Place) -> Self {
        Self { place, ..Self::default() }
    }
}
