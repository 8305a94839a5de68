//! The log: to standard error, one line an event, as text for people or as JSON for programs.
//!
//! No secret may get there at any level. Our own crates log none; what other crates say on `trace` can't be vouched for
//! (header fields, handshakes), so it is never shown.
use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use serde_json::json;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt as _, registry::LookupSpan, util::SubscriberInitExt as _,
};

use crate::ending::{Ended, Ending};

const LEVEL: &str = "RUST_LOG";
/// What every target of ours begins with.
const OURS: &str = "hookswitch";

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object a line, and nothing else.
    Json,
}

/// Chosen once, when the log starts; text until then.
static FORMAT: OnceLock<Format> = OnceLock::new();

/// Starts the log. `level` is the one that counts where `RUST_LOG` says nothing.
///
/// # Errors
/// If `RUST_LOG` can't be understood.
pub(crate) fn start(format: Format, level: &str) -> Ended {
    let wanted = env::var(LEVEL).ok().filter(|wanted| !wanted.is_empty());
    let wanted = wanted.as_deref().unwrap_or(level);
    let level = EnvFilter::try_new(wanted).map_err(|error| Ending::Usage(format!("{LEVEL}: {error}")))?;
    let subscriber = tracing_subscriber::registry().with(level).with(filter_fn(can_be_vouched_for)).with(lines(format));
    subscriber.try_init().map_err(anyhow::Error::from)?;
    if format == Format::Json {
        // The usual words of a panic are no JSON.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    let _first = FORMAT.set(format);
    Ok(())
}

/// The last line before the program ends badly, whatever the level. In the format of the log, once that is known.
pub(crate) fn last_word(words: &str) {
    let line = match FORMAT.get() {
        Some(Format::Json) => {
            json!({"timestamp": jiff::Timestamp::now().to_string(), "level": "ERROR", "message": words}).to_string()
        }
        Some(Format::Text) | None => format!("error: {words}"),
    };
    // Nobody is left to be told if this fails.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn can_be_vouched_for(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::DEBUG || event.target().starts_with(OURS)
}

fn lines<S: Subscriber + for<'a> LookupSpan<'a>>(format: Format) -> Box<dyn Layer<S> + Send + Sync> {
    let lines = fmt::layer().with_writer(io::stderr);
    match format {
        Format::Text => lines.with_ansi(is_coloured()).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    }
}

fn is_coloured() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
