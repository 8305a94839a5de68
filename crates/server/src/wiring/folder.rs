//! The data folder: made for its owner alone, and ours while its lock is held.
//!
//! The lock is `flock` on a file in it: it goes with the process, however that ends, and says nothing about yesterday. A
//! database file that lies elsewhere has a lock of its own beside it, because two data folders may name the same one. On PostgreSQL that is
//! how it should be: each node has a data folder of its own, and its lock is about that node.
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use crate::{
    config::{DATABASE_FILE, Settings},
    ending::{Ended, Ending},
};

const LOCK_FILE: &str = "lock";
/// What shows that a folder is a data folder, whatever its mode.
const OUR_FILES: [&str; 3] = [LOCK_FILE, DATABASE_FILE, "master.key"];
const PRIVATE: u32 = 0o700;
const OPEN_TO_OTHERS: u32 = 0o077;
/// Whoever may write here may run programs as us: only we.
const SCRIPTS: u32 = 0o755;

/// A script that was being started when a server was killed holds its lock for a moment longer.
const LOCK_TRIES: u32 = 20;
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// A data folder that no other process works on while this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    _locks: Vec<Flock<File>>,
}

impl Folder {
    /// Makes the folder and what must be in it, if absent, and takes the lock.
    ///
    /// # Errors
    /// When it can't be made, or another process has it.
    pub(crate) fn make(settings: &Settings) -> Ended<Self> {
        make_private(&settings.data).map_err(|error| unusable(&settings.data, &error))?;
        let folder = Self::lock(settings)?;
        let scripts = DirBuilder::new().recursive(true).mode(SCRIPTS).create(&settings.scripts);
        scripts.map_err(|error| Ending::Failed(anyhow::anyhow!("the scripts folder {}: {error}", settings.scripts.display())))?;
        Ok(folder)
    }

    /// Takes the lock of a folder that has a database; makes nothing.
    ///
    /// # Errors
    /// When there is no database, or another process has it.
    pub(crate) fn existing(settings: &Settings) -> Ended<Self> {
        match settings.database.file() {
            Some(file) if !file.is_file() => Err(Ending::Database(format!("there is no database {}", file.display()))),
            None if !settings.data.is_dir() => {
                Err(Ending::Database(format!("there is no data folder {}", settings.data.display())))
            }
            _ => Self::lock(settings),
        }
    }

    /// Takes the locks of a database that is named by its file alone, of whatever data folder that is.
    ///
    /// # Errors
    /// When another process has it.
    pub(crate) fn of_file(database: &Path) -> Ended<Self> {
        let inside = database.with_file_name(LOCK_FILE);
        let outside = beside(database);
        let is_inside = inside.exists() || database.file_name().is_some_and(|name| name == DATABASE_FILE);
        let mut files = Vec::with_capacity(2);
        if is_inside {
            files.push(inside);
        }
        if !is_inside || outside.exists() {
            files.push(outside);
        }
        Ok(Self { _locks: files.iter().map(|file| lock(file)).collect::<Ended<_>>()? })
    }

    fn lock(settings: &Settings) -> Ended<Self> {
        let data = settings.data.as_path();
        // A server's database is meant to be shared, by nodes that have a data folder each.
        let elsewhere = settings.database.file().filter(|file| file.parent() != Some(data));
        let files = [Some(data.join(LOCK_FILE)), elsewhere.map(beside)].into_iter().flatten();
        let locks = files.map(|file| lock(&file)).collect::<Ended<_>>()?;
        Ok(Self { _locks: locks })
    }
}

/// Makes the folder of a new database, if absent.
///
/// # Errors
/// When it can't be made.
pub(super) fn make_folder_of(database: &Path) -> Ended {
    let Some(folder) = database.parent() else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(PRIVATE).create(folder).map_err(|error| unusable(folder, &error))
}

fn beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    name.into()
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Ending {
    Ending::Database(format!("{}: {error}", path.display()))
}

fn make_private(data: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE).create(data)?;
    let open = fs::metadata(data)?.permissions().mode() & OPEN_TO_OTHERS != 0;
    if open && is_ours(data)? {
        // As a supervisor makes it, for example.
        fs::set_permissions(data, Permissions::from_mode(PRIVATE))?;
    } else if open {
        tracing::warn!(folder = %data.display(), "others can enter the data folder; it holds other things too, so its mode is left");
    }
    Ok(())
}

/// Empty, or with a file of ours: nobody else's folder is closed to others.
fn is_ours(data: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(data)?.next().is_none() || OUR_FILES.iter().any(|name| data.join(name).exists()))
}

fn lock(path: &Path) -> Ended<Flock<File>> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let mut file = open.map_err(|error| unusable(path, &error))?;
    for _ in 0..LOCK_TRIES {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(signed(lock)),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, error)) => return Err(unusable(path, &error)),
        };
        thread::sleep(LOCK_EVERY);
    }
    Err(Ending::Locked(format!("{} is locked: {} works on this database", path.display(), holder(&mut file))))
}

/// Leaves our process id in the file, for whoever finds it locked.
fn signed(mut lock: Flock<File>) -> Flock<File> {
    let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    if let Err(error) = written {
        tracing::debug!(%error, "the lock file could not be signed");
    }
    lock
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // Without the number the sentence is true as well.
    let _ = file.take(32).read_to_string(&mut text);
    match text.trim() {
        "" => "another process".to_owned(),
        id => format!("process {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, flags::Flags};

    fn settings(data: &Path, database: Option<&Path>) -> Settings {
        let mut flags = Flags::default();
        flags.place.data = Some(data.display().to_string());
        flags.place.database = database.map(|path| format!("sqlite:{}", path.display()));
        read(&flags)
    }

    fn read(flags: &Flags) -> Settings {
        Settings::read(flags, &|_| None).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_is_made_for_its_owner_alone_and_locked() {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(&home.path().join("data"), None);
        let folder = Folder::make(&settings).unwrap();
        assert_eq!(mode(&settings.data), 0o700);
        assert_eq!(mode(&settings.scripts) & 0o022, 0);
        let second = Folder::make(&settings).unwrap_err();
        assert_eq!(second.status(), 3);
        assert!(second.to_string().contains(&format!("locked: process {}", std::process::id())), "{second}");
        drop(folder);
        Folder::make(&settings).unwrap();
    }

    #[test]
    fn a_folder_that_others_could_enter_is_closed_only_if_it_is_ours() {
        let home = tempfile::tempdir().unwrap();
        let (ours, theirs) = (home.path().join("ours"), home.path().join("theirs"));
        for folder in [&ours, &theirs] {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(theirs.join("letter.txt"), "").unwrap();
        Folder::make(&settings(&ours, None)).unwrap();
        Folder::make(&settings(&theirs, None)).unwrap();
        assert_eq!((mode(&ours), mode(&theirs)), (0o700, 0o755));
    }

    #[test]
    fn two_data_folders_can_not_share_a_database() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("shared.db");
        let of = |name: &str| settings(&home.path().join(name), Some(&database));
        let first = Folder::make(&of("one")).unwrap();
        assert_eq!(Folder::make(&of("two")).unwrap_err().status(), 3);
        drop(first);
        Folder::make(&of("two")).unwrap();
    }

    #[test]
    fn two_data_folders_may_share_a_server_s_database_but_each_is_one_process_s() {
        let home = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let mut flags = Flags::default();
            flags.place.data = Some(home.path().join(name).display().to_string());
            flags.place.database = Some("postgres://me@db/h".to_owned());
            read(&flags)
        };
        assert_eq!(Folder::existing(&of("one")).unwrap_err().status(), 3);
        assert!(!of("one").data.exists());
        let _first = Folder::make(&of("one")).unwrap();
        let _second = Folder::make(&of("two")).unwrap();
        assert_eq!(Folder::existing(&of("one")).unwrap_err().status(), 3);
    }

    #[test]
    fn where_there_is_no_database_nothing_is_made() {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(&home.path().join("data"), None);
        assert_eq!(Folder::existing(&settings).unwrap_err().status(), 3);
        assert!(!settings.data.exists());
    }
}
