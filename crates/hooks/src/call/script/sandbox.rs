//! `hookswitch __script`: what stands between the server and a script.
//!
//! Limits and landlock are put by a process on itself, between `fork` and `exec`; doing that in the server's own fork
//! would take unsafe code. So the server starts itself once more, as this: it sets the limits, closes the data folder
//! and becomes the script. It takes about a millisecond, because no runtime is started and no configuration is read:
//! a program's `main` must come here before anything else.
//!
//! Landlock knows no "all but this folder". It knows what is open, and a rule for a folder opens all that is in it. So
//! everything *beside* the data folder is opened, level by level from the root. What follows for a script:
//! - the folders on the way to the data folder can be passed through, but not listed or written to, and what was made
//!   in them after the script's start is closed;
//! - `no_new_privs` is set: `sudo` and other setuid programs don't work.
//!
//! - nothing can be learnt of the server's process, its environment included (the server says so of itself, see
//!   `cli::serve`, and root gives up the right to look all the same).
//!
//! What it does not stop: a child that leaves the process group (`setsid`) outlives the time limit. Processor time,
//! memory and the closed folder bind it all the same.
use std::{
    convert::Infallible,
    ffi::OsString,
    fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode},
    thread,
    time::Duration,
};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _,
};
use nix::{
    sys::{prctl::set_pdeathsig, signal::Signal},
    unistd::{Pid, getppid},
};
use rlimit::Resource;
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

/// The command by which the server starts itself.
pub const COMMAND: &str = "__script";

/// The exit status when the script could not be started; what stands before the reason on standard error.
pub(super) const FAILED_STATUS: u8 = 126;
pub(super) const FAILED_PREFIX: &str = "hookswitch: ";

/// Entries beside the data folder that are opened, on all levels together; what is beyond stays closed.
const SIBLINGS_MAX: usize = 10_000;

/// The newest rights that this was tried with; older kernels know fewer, which is fine.
const RIGHTS: ABI = ABI::V5;

/// What one script may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processor time of each of its processes.
    pub processor_seconds: u64,
    /// Memory that each of its processes may fill (`RLIMIT_DATA`; not the address space, of which Node reserves much
    /// more than it uses).
    pub memory_bytes: u64,
    /// Files open at once.
    pub open_files: u64,
    /// The size of each file that it writes.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processor_seconds: 60, memory_bytes: 1 << 30, open_files: 1_024, file_bytes: 256 << 20 }
    }
}

impl Limits {
    /// For a process that lives so long. Its processor time counts from its start to its end, over all calls: what it may use
    /// for one it may use besides what its whole life could come to on every processor. So it can never meet the limit by
    /// answering calls; one that spins in a call is killed at the call's time limit, and one that spins between calls at
    /// the end of its life.
    pub(super) fn for_life(self, life: Duration) -> Self {
        let processors = thread::available_parallelism().map_or(1, |count| count.get() as u64);
        let processor_seconds = self.processor_seconds.saturating_add(life.as_secs().saturating_mul(processors));
        Self { processor_seconds, ..self }
    }
}

/// What [`main`] reads back; the script's own arguments follow.
pub(super) fn arguments(limits: Limits, scripts_dir: &Path, data_dir: &Path, file: &Path) -> Vec<OsString> {
    let Limits { processor_seconds, memory_bytes, open_files, file_bytes } = limits;
    let numbers = [u64::from(process::id()), processor_seconds, memory_bytes, open_files, file_bytes];
    let numbers = numbers.into_iter().map(|number| number.to_string().into());
    let paths = [scripts_dir, data_dir, file].map(|path| path.as_os_str().to_owned());
    std::iter::once(COMMAND.into()).chain(numbers).chain(paths).collect()
}

/// Becomes the script. `arguments` are those after [`COMMAND`]. Returns only if that fails; the reason then stands on
/// standard error.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Err(reason) = become_script(arguments.into_iter());
    eprintln!("{FAILED_PREFIX}{reason}");
    ExitCode::from(FAILED_STATUS)
}

fn become_script(mut arguments: impl Iterator<Item = OsString>) -> Result<Infallible, String> {
    let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
    let numbers = (number(), number(), number(), number(), number());
    let (Some(server), Some(processor_seconds), Some(memory_bytes), Some(open_files), Some(file_bytes)) = numbers else {
        return Err(format!("{COMMAND} is for the server's own use"));
    };
    let mut path = || arguments.next().map(PathBuf::from);
    let (Some(scripts_dir), Some(data_dir), Some(file)) = (path(), path(), path()) else {
        return Err(format!("{COMMAND} is for the server's own use"));
    };
    die_with(server)?;
    limit(Limits { processor_seconds, memory_bytes, open_files, file_bytes })
        .map_err(|error| format!("no limits could be set: {error}"))?;
    forget_tracing();
    close(&data_dir, &scripts_dir).map_err(|error| format!("the data folder could not be closed to it: {error}"))?;
    Err(not_started(&Command::new(file).args(arguments).exec()))
}

/// Killed by the kernel when the server ends, however it ends.
fn die_with(server: u64) -> Result<(), String> {
    set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("it could not be tied to the server: {error}"))?;
    // The server may have ended before.
    let parent_is_server = i32::try_from(server).is_ok_and(|server| getppid() == Pid::from_raw(server));
    if parent_is_server { Ok(()) } else { Err("the server has ended".to_owned()) }
}

/// The rights to look into other processes, which root has: with one of them a script could read the server's environment,
/// and in that the first admin's key.
fn forget_tracing() {
    for right in [CapabilitySet::SYS_PTRACE, CapabilitySet::PERFMON, CapabilitySet::SYS_ADMIN] {
        // Who may not give it up does not have it.
        let _not_root = remove_capability_from_bounding_set(right);
    }
}

fn limit(limits: Limits) -> io::Result<()> {
    let wanted = [
        (Resource::CPU, limits.processor_seconds),
        (Resource::DATA, limits.memory_bytes),
        (Resource::NOFILE, limits.open_files),
        (Resource::FSIZE, limits.file_bytes),
        (Resource::CORE, 0),
    ];
    for (resource, limit) in wanted {
        // Never above what the server itself was given.
        let most = resource.get_hard()?;
        // At the hard limit of processor time the kernel kills without saying why (SIGXCPU), which it does at the soft one.
        let hard = if resource == Resource::CPU { limit.saturating_add(1) } else { limit };
        resource.set(limit.min(most), hard.min(most))?;
    }
    Ok(())
}

/// True if this kernel can close a folder. Where it can't, scripts run all the same, and the log says so once at start.
#[must_use]
pub fn landlock_available() -> bool {
    let required = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    required.handle_access(AccessFs::from_all(ABI::V1)).is_ok_and(|ruleset| ruleset.create().is_ok())
}

/// Closes the data folder to this process and all that come from it, all but the scripts folder.
fn close(data_dir: &Path, scripts_dir: &Path) -> Result<(), String> {
    if !landlock_available() {
        return Ok(());
    }
    let data = data_dir.canonicalize().map_err(|error| error.to_string())?;
    let scripts = scripts_dir.canonicalize().map_err(|error| error.to_string())?;
    if data.starts_with(&scripts) {
        return Err("it is the scripts folder or within it".to_owned());
    }
    let rights = AccessFs::from_all(RIGHTS);
    let created = Ruleset::default().handle_access(rights).and_then(Ruleset::create);
    let mut ruleset = created.map_err(|error| error.to_string())?;
    let scripts = std::iter::once(Open { path: scripts, is_folder: true });
    for Open { path, is_folder } in scripts.chain(around(&data).take(SIBLINGS_MAX)) {
        let rights = if is_folder { rights } else { AccessFs::from_file(RIGHTS) };
        // What can't be opened (gone, or not a file at all) stays closed.
        if let Ok(path) = PathFd::new(&path) {
            let _closed = (&mut ruleset).add_rule(PathBeneath::new(path, rights)).map(|_| ());
        }
    }
    ruleset.restrict_self().map(|_| ()).map_err(|error| error.to_string())
}

struct Open {
    path: PathBuf,
    is_folder: bool,
}

/// Everything beside this folder and beside the folders above it, from the root down: what no script can do without
/// comes first. No links: a rule for one would open what it leads to, which may be the folder itself; and what it leads
/// to has a rule of its own.
fn around(folder: &Path) -> impl Iterator<Item = Open> {
    let steps = folder.ancestors().filter_map(|below| Some((below.parent()?.to_owned(), below.file_name()?.to_owned())));
    let steps: Vec<_> = steps.collect();
    steps.into_iter().rev().flat_map(|(above, way)| {
        let entries = fs::read_dir(above).into_iter().flatten().flatten();
        entries.filter(move |entry| entry.file_name() != way).filter_map(|entry| {
            let kind = entry.file_type().ok().filter(|kind| !kind.is_symlink())?;
            Some(Open { path: entry.path(), is_folder: kind.is_dir() })
        })
    })
}

/// Why a script could not be started, in words that say what to do.
pub(super) fn not_started(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it could not be started: the interpreter named in its first line is missing".to_owned(),
        io::ErrorKind::ExecutableFileBusy => "it could not be started: it is being written".to_owned(),
        io::ErrorKind::ArgumentListTooLong => "it could not be started: its arguments are too long".to_owned(),
        // ENOEXEC has no kind of its own.
        _ if error.raw_os_error() == Some(nix::libc::ENOEXEC) => {
            "it could not be started: it is no program and has no first line such as #!/bin/sh".to_owned()
        }
        other => format!("it could not be started: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beside_the_folder_is_opened_and_no_link() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("a/data");
        for folder in ["a/data/scripts", "a/beside", "b"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("a/file"), "").unwrap();
        std::os::unix::fs::symlink(&data, root.path().join("a/link")).unwrap();
        let first = around(&data).next().unwrap().path;
        assert_eq!(first.parent(), Some(Path::new("/")), "from the root down: {first:?}");
        let mut open: Vec<_> = around(&data)
            .filter_map(|open| Some((open.path.strip_prefix(root.path()).ok()?.to_str()?.to_owned(), open.is_folder)))
            .collect();
        open.sort();
        let expected = [("a/beside", true), ("a/file", false), ("b", true)];
        assert_eq!(open, expected.map(|(path, is_folder)| (path.to_owned(), is_folder)));
    }

    #[test]
    fn a_limit_is_never_raised_above_the_servers() {
        let hard = Resource::NOFILE.get_hard().unwrap();
        assert!(Limits::default().open_files.min(hard) <= hard);
    }
}
