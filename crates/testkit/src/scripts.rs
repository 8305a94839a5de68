//! Files in a server's scripts folder.
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The scripts folder of a server.
#[derive(Debug, Clone)]
pub struct Scripts {
    folder: PathBuf,
}

impl Scripts {
    /// In this folder, which is made when it is not there.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("the scripts folder can be made");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("and its mode set");
        Self { folder: folder.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An executable script.
    pub fn add(&self, name: &str, text: &str) {
        self.add_with_mode(name, text, 0o755);
    }

    /// A `/bin/sh` script: only its lines are given.
    pub fn shell(&self, name: &str, lines: &str) {
        self.add(name, &format!("#!/bin/sh\n{lines}\n"));
    }

    /// With this mode.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn add_with_mode(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::write(&path, text).expect("a script can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("and its mode set");
    }

    /// What a script left behind; empty if it left nothing.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}
