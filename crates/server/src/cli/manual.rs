//! `hookswitch completion` and `hookswitch man`: made of the command line itself, so that they say what it does.
use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::say;
use crate::ending::Ended;

/// Writes what a shell needs to complete commands and flags.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch completion bash > /etc/bash_completion.d/hookswitch")]
pub(crate) struct Completion {
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completion {
    /// Writes it on standard output.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn run(self, mut program: Command) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "hookswitch", &mut script);
        say(&String::from_utf8_lossy(&script))
    }
}

/// Writes man pages: one of the program, one of each command and of each verb.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch man /usr/local/share/man/man1")]
pub(crate) struct Manual {
    /// The folder, which is made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Manual {
    /// Writes them.
    ///
    /// # Errors
    /// When they can't be written.
    pub(crate) fn run(self, mut program: Command) -> Ended {
        fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        program.build();
        let pages = self.page(&program, "hookswitch")?;
        say(&format!("{pages} pages in {}\n", self.folder.display()))
    }

    /// A command's page, and those of the commands below it; how many there are.
    fn page(&self, command: &Command, name: &str) -> anyhow::Result<usize> {
        let mut page = Vec::new();
        // A page's name may not have blanks, and `hookswitch clients list` is what stands in it all the same.
        Man::new(command.clone().display_name(name.to_owned())).title(name.to_uppercase()).render(&mut page).context("a page")?;
        let path = self.folder.join(format!("{name}.1"));
        fs::write(&path, page).with_context(|| path.display().to_string())?;
        let mut pages = 1;
        for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
            pages += self.page(below, &format!("{name}-{}", below.get_name()))?;
        }
        Ok(pages)
    }
}
