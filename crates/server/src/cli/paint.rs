//! Colours: on a terminal only, and never where `NO_COLOR` is set.
use std::io::IsTerminal as _;

/// Whether and how words are coloured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// A heading, or what matters most.
    Strong,
    /// As it should be.
    Good,
    /// To be looked at.
    Attention,
    /// Wrong.
    Bad,
    /// Less important.
    Quiet,
}

impl Paint {
    /// For standard output.
    pub(super) fn of_output() -> Self {
        Self(std::io::stdout().is_terminal() && wanted())
    }

    /// For standard error.
    pub(super) fn of_errors() -> Self {
        Self(std::io::stderr().is_terminal() && wanted())
    }

    /// Never.
    #[cfg(test)]
    pub(super) const fn off() -> Self {
        Self(false)
    }

    /// The words in that tone; as they are, where colours are not wanted.
    pub(super) fn on(self, tone: Tone, words: &str) -> String {
        let code = match tone {
            _ if !self.0 => return words.to_owned(),
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Attention => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
        };
        format!("\x1b[{code}m{words}\x1b[0m")
    }
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How a word of ours is to be taken, whatever column it stands in.
pub(super) fn tone_of(word: &str) -> Option<Tone> {
    match word {
        "active" | "enabled" | "success" | "done" | "delivered" => Some(Tone::Good),
        "stopped" | "disabled" | "retrying" | "waiting" | "paused" | "skipped" | "shadow" => Some(Tone::Attention),
        "dead" | "failure" | "failed" | "forbidden" | "cancelled" | "archived" => Some(Tone::Bad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_coloured_where_colours_are_not_wanted() {
        assert_eq!(Paint(false).on(Tone::Bad, "dead"), "dead");
        assert_eq!(Paint(true).on(Tone::Bad, "dead"), "\x1b[31mdead\x1b[0m");
    }
}
