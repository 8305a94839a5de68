//! `hookswitch config`: what counts, and where it came from. What it prints is a configuration file itself.
use std::fmt::Write as _;

use clap::Args;

use crate::{
    cli::say,
    config::{self, Settings, Shown, flags::Flags},
    ending::Ended,
};

/// Prints every setting that counts, and where it came from; starts nothing.
///
/// Takes the flags of `serve`, so that it shows what `serve` would do. What it prints can be used as a configuration file.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch config --config /etc/hookswitch/hookswitch.toml")]
pub(crate) struct Config {
    #[command(flatten)]
    flags: Flags,
}

impl Config {
    /// Prints them.
    ///
    /// # Errors
    /// If one is wrong.
    pub(crate) fn run(self) -> Ended {
        let settings = Settings::read(&self.flags, &config::environment)?;
        let level = config::variable(&config::environment, "RUST_LOG")?;
        say(&text(&settings, level.as_deref()))
    }
}

fn text(settings: &Settings, level: Option<&str>) -> String {
    let file = settings.file.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let lines: Vec<(String, String)> = settings.shown.iter().map(line).collect();
    let width = lines.iter().map(|(setting, _)| setting.chars().count()).max().unwrap_or(0);
    let mut text = format!("# configuration file: {file}\n");
    for (setting, origin) in lines {
        // Writing to a text can't fail.
        let _ = writeln!(text, "{setting:width$}  # {origin}");
    }
    let (level, origin) = level.map_or(("info", "default"), |level| (level, "RUST_LOG"));
    let _ = writeln!(text, "# level of the log: {level} ({origin})");
    text
}

fn line(shown: &Shown) -> (String, String) {
    match &shown.value {
        Some(value) => (format!("{} = {value}", shown.key), shown.origin.to_string()),
        None => (format!("# {}", shown.key), "not set".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_a_configuration_file_that_says_the_same() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("some.toml");
        std::fs::write(&file, "listen = \"0.0.0.0:1\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n[breaker]\nseconds = 0\n").unwrap();
        let mut flags = Flags::default();
        flags.place.config = Some(file.display().to_string());
        let first = Settings::read(&flags, &|_| None).unwrap();
        let printed = text(&first, None);
        std::fs::write(&file, &printed).unwrap();
        let second = Settings::read(&flags, &|_| None).unwrap();
        assert_eq!(Settings { shown: first.shown.clone(), ..second }, first, "{printed}");
    }
}
