//! How the demo looks: coloured on a terminal, plain elsewhere or where `NO_COLOR` is set.
use std::io::{IsTerminal as _, Write as _};

/// Standard output, with or without colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    coloured: bool,
}

#[derive(Debug, Clone, Copy)]
enum Colour {
    Bold,
    Dim,
    Green,
    Red,
    Cyan,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Cyan => "36",
        }
    }
}

impl Screen {
    pub(super) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { coloured: wanted && std::io::stdout().is_terminal() }
    }

    /// A step of the story begins.
    pub(super) fn step(self, text: &str) -> std::io::Result<()> {
        self.line(Colour::Bold, "\n", text)
    }

    /// What is sent.
    pub(super) fn request(self, text: &str) -> std::io::Result<()> {
        self.line(Colour::Dim, "  > ", text)
    }

    /// What came back.
    pub(super) fn answer(self, text: &str) -> std::io::Result<()> {
        self.line(Colour::Green, "  < ", text)
    }

    /// What was refused.
    pub(super) fn refusal(self, text: &str) -> std::io::Result<()> {
        self.line(Colour::Red, "  < ", text)
    }

    /// What the after handler was told.
    pub(super) fn event(self, text: &str) -> std::io::Result<()> {
        self.line(Colour::Cyan, "  * the after handler is told: ", text)
    }

    /// Without any colour.
    pub(super) fn plain(self, text: &str) -> std::io::Result<()> {
        writeln!(std::io::stdout().lock(), "{text}")
    }

    fn line(self, colour: Colour, lead: &str, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.coloured { writeln!(out, "{lead}\x1b[{}m{text}\x1b[0m", colour.code()) } else { writeln!(out, "{lead}{text}") }
    }
}
