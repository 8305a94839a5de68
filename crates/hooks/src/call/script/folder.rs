//! From `script://name` to a file that may be started.
//!
//! A script runs with the server's rights, so the folder decides who can make one: neither it, nor a script, may be
//! writable by group or others, and no link may lead out of it. Checked when a handler is saved, so that a mistake is
//! seen at once, and again at every start, because files change.
use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, eaccess};

/// As long as a file name may be.
const NAME_BYTES_MAX: usize = 255;

const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Why there is no such script, or why it may not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Such as one with a slash.
    #[error("a script is named by its file name alone, such as script://provision.py")]
    Name,
    /// Nothing there.
    #[error("there is no script {0} in the scripts folder")]
    Absent(String),
    /// A folder, a socket...
    #[error("{0} is not a regular file")]
    NotAFile(String),
    /// A link, or part of one, that leads elsewhere.
    #[error("{0} is a link out of the scripts folder")]
    Outside(String),
    /// No `x` for us.
    #[error("{0} is not executable (chmod +x)")]
    NotExecutable(String),
    /// The script itself.
    #[error("{0} may be written by others (chmod go-w)")]
    Writable(String),
    /// The folder, or one within it on the way to a link's target.
    #[error("the scripts folder may be written by others (chmod go-w)")]
    FolderWritable,
    /// It is missing, for example.
    #[error("the scripts folder can't be read: {0}")]
    Folder(io::ErrorKind),
}

/// What tells a file from the one that stood in its place before: which one it is, its size, and when it was written and
/// its mode changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print([i64; 5], [u64; 2]);

impl Print {
    /// As it is now, links resolved; `None` if it can't be seen.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let found = fs::metadata(file).ok()?;
        let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
        let [written, written_ns, changed, changed_ns] = times;
        let bytes = i64::try_from(found.size()).unwrap_or(i64::MAX);
        Some(Self([bytes, written, written_ns, changed, changed_ns], [found.dev(), found.ino()]))
    }
}

/// The file to start, links resolved. `name` is what follows `script://`.
///
/// # Errors
/// What is wrong with it, in words for the one who saves the handler.
pub fn check(scripts_dir: &Path, name: &str) -> Result<PathBuf, Unfit> {
    let plain = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.starts_with('.');
    if !plain || name.chars().any(|character| character == '/' || character.is_control()) {
        return Err(Unfit::Name);
    }
    let folder = scripts_dir.canonicalize().map_err(|error| Unfit::Folder(error.kind()))?;
    let file = folder.join(name).canonicalize().map_err(|_| Unfit::Absent(name.to_owned()))?;
    if !file.starts_with(&folder) {
        return Err(Unfit::Outside(name.to_owned()));
    }
    check_folders(&folder, &file)?;
    check_file(&file, name)?;
    Ok(file)
}

/// Names of files that a list shows at most.
const LISTED_MAX: usize = 1_000;

/// The names of what lies in the folder itself and could be meant as a script: no folders, nothing hidden.
pub fn names(scripts_dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(scripts_dir) else { return Vec::new() };
    let is_shown =
        |name: &String| !name.starts_with('.') && fs::metadata(scripts_dir.join(name)).is_ok_and(|found| found.is_file());
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(is_shown).take(LISTED_MAX).collect();
    names.sort_unstable();
    names
}

/// The folders from the file up to the scripts folder: who may write to one may put another file in its place.
fn check_folders(folder: &Path, file: &Path) -> Result<(), Unfit> {
    for between in file.ancestors().skip(1).take_while(|between| between.starts_with(folder)) {
        let metadata = fs::metadata(between).map_err(|error| Unfit::Folder(error.kind()))?;
        if writable_by_others(&metadata) {
            return Err(Unfit::FolderWritable);
        }
    }
    Ok(())
}

fn check_file(file: &Path, name: &str) -> Result<(), Unfit> {
    let metadata = fs::metadata(file).map_err(|_| Unfit::Absent(name.to_owned()))?;
    if !metadata.is_file() {
        return Err(Unfit::NotAFile(name.to_owned()));
    }
    if writable_by_others(&metadata) {
        return Err(Unfit::Writable(name.to_owned()));
    }
    eaccess(file, AccessFlags::X_OK).map_err(|_| Unfit::NotExecutable(name.to_owned()))
}

fn writable_by_others(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & WRITABLE_BY_OTHERS != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            folder.mode("", 0o755);
            folder
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        }

        fn file(&self, name: &str, mode: u32) {
            fs::write(self.path().join(name), "#!/bin/sh\n").unwrap();
            self.mode(name, mode);
        }

        fn check(&self, name: &str) -> Result<PathBuf, Unfit> {
            check(self.path(), name)
        }
    }

    #[test]
    fn a_plain_executable_file_is_fit() {
        let folder = Folder::new();
        folder.file("good.sh", 0o700);
        assert_eq!(folder.check("good.sh"), Ok(folder.path().canonicalize().unwrap().join("good.sh")));
    }

    #[test]
    fn a_path_is_no_name() {
        let folder = Folder::new();
        for name in ["", ".", "..", ".hidden", "a/b", "/bin/sh", "../up", "a\nb", "a\0b", &"x".repeat(256)] {
            assert_eq!(folder.check(name), Err(Unfit::Name), "{name:?}");
        }
    }

    #[test]
    fn each_thing_that_is_wrong_has_its_own_words() {
        let folder = Folder::new();
        folder.file("plain.txt", 0o644);
        folder.file("open.sh", 0o777);
        folder.file("group.sh", 0o770);
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert_eq!(folder.check("absent"), Err(Unfit::Absent("absent".into())));
        assert_eq!(folder.check("plain.txt"), Err(Unfit::NotExecutable("plain.txt".into())));
        assert_eq!(folder.check("open.sh"), Err(Unfit::Writable("open.sh".into())));
        assert_eq!(folder.check("group.sh"), Err(Unfit::Writable("group.sh".into())));
        assert_eq!(folder.check("folder"), Err(Unfit::NotAFile("folder".into())));
        folder.file("good.sh", 0o755);
        folder.mode("", 0o775);
        assert_eq!(folder.check("good.sh"), Err(Unfit::FolderWritable));
        assert!(matches!(check(Path::new("/does/not/exist"), "good.sh"), Err(Unfit::Folder(io::ErrorKind::NotFound))));
    }

    #[test]
    fn a_link_may_lead_within_the_folder_but_not_out_of_it() {
        let folder = Folder::new();
        let version = folder.path().join("v2");
        fs::create_dir(&version).unwrap();
        folder.mode("v2", 0o755);
        folder.file("v2/provision.py", 0o755);
        symlink("v2/provision.py", folder.path().join("provision.py")).unwrap();
        symlink("/bin/sh", folder.path().join("shell")).unwrap();
        symlink("nowhere", folder.path().join("broken")).unwrap();
        assert!(folder.check("provision.py").is_ok());
        assert_eq!(folder.check("shell"), Err(Unfit::Outside("shell".into())));
        assert_eq!(folder.check("broken"), Err(Unfit::Absent("broken".into())));
        folder.mode("v2", 0o757);
        assert_eq!(folder.check("provision.py"), Err(Unfit::FolderWritable));
    }
}
