//! The one thread that starts scripts, and buries them.
//!
//! A thread of its own, for three reasons. Starting a process blocks. A script is killed by the kernel when the
//! *thread* that started it ends (`PR_SET_PDEATHSIG`, see [`super::sandbox`]), so it must be one that lives as long as
//! there are calls. And only it reaps: a process group's number can't be given to a new script while the old
//! group's last process is being waited for.
use std::{
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use tokio::sync::oneshot;

use super::{folder, sandbox};

/// How often a killed group that is not quite dead is looked at.
const BURY_EVERY: Duration = Duration::from_millis(20);

/// How long the dead are waited for when the last caller has gone.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Where scripts live and what they may use.
#[derive(Debug)]
pub(in crate::call) struct Place {
    pub(in crate::call) scripts_dir: PathBuf,
    pub(in crate::call) data_dir: PathBuf,
    pub(in crate::call) program: Option<PathBuf>,
    pub(in crate::call) limits: sandbox::Limits,
}

/// Starts scripts; cheap to clone. The thread begins with the first script and ends with the last clone.
#[derive(Clone)]
pub(in crate::call) struct Starter(Arc<Shared>);

struct Shared {
    place: Arc<Place>,
    thread: Mutex<Option<mpsc::Sender<Order>>>,
}

/// What to start.
pub(super) struct Script {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) environment: Vec<(&'static str, String)>,
    /// How long it may live; zero = one call. A worker may use that much processor time besides, on each processor.
    pub(super) lives: Duration,
}

/// Waiting orders are bounded by the calls in flight: each of them waits for its own.
enum Order {
    Start { script: Box<Script>, answer: oneshot::Sender<Result<Running, String>>, graveyard: mpsc::Sender<Order> },
    Bury(Pid),
}

/// A script that runs. Dropped, its whole process group is killed and buried.
pub(super) struct Running {
    pub(super) pid: Pid,
    pub(super) pipes: Option<(ChildStdin, ChildStdout, ChildStderr)>,
    graveyard: mpsc::Sender<Order>,
}

impl Starter {
    pub(in crate::call) fn new(place: Place) -> Self {
        Self(Arc::new(Shared { place: Arc::new(place), thread: Mutex::default() }))
    }

    /// Starts a script, or says in plain words why it can't be started.
    pub(super) async fn start(&self, script: Script) -> Result<Running, String> {
        let orders = self.orders().map_err(|error| format!("no thread to start scripts: {error}"))?;
        let (answer, started) = oneshot::channel();
        let gone = "the thread that starts scripts has ended";
        let order = Order::Start { script: Box::new(script), answer, graveyard: orders.clone() };
        orders.send(order).map_err(|_| gone)?;
        started.await.map_err(|_| gone)?
    }

    /// Where scripts are.
    pub(super) fn scripts_dir(&self) -> &Path {
        &self.0.place.scripts_dir
    }

    fn orders(&self) -> io::Result<mpsc::Sender<Order>> {
        let mut thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = &*thread {
            return Ok(orders.clone());
        }
        let (orders, work) = mpsc::channel();
        let place = self.0.place.clone();
        thread::Builder::new().name("scripts".to_owned()).spawn(move || run(&place, &work))?;
        Ok(thread.insert(orders).clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_group(self.pid);
        // The thread is gone only when the process ends.
        let _sent = self.graveyard.send(Order::Bury(self.pid));
    }
}

/// Kills what is left of a group. Its first process has not been waited for yet, so the number is still the group's.
pub(super) fn kill_group(group: Pid) {
    match killpg(group, Signal::SIGKILL) {
        // ESRCH: nobody left.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => tracing::warn!(%group, %error, "a script's process group could not be killed"),
    }
}

fn run(place: &Place, orders: &mpsc::Receiver<Order>) {
    let mut dying = Vec::new();
    while let Some(order) = next(orders, &mut dying) {
        match order {
            Order::Bury(group) => dying.push(group),
            // Its caller has given up already.
            Order::Start { answer, .. } if answer.is_closed() => {}
            Order::Start { script, answer, graveyard } => {
                let started = start(place, &script, graveyard);
                // If the caller gave up meanwhile, what comes back is dropped, and so killed.
                let _given_up = answer.send(started);
            }
        }
        bury(&mut dying);
    }
    let farewell = Instant::now();
    while !dying.is_empty() && farewell.elapsed() < FAREWELL_MAX {
        thread::sleep(BURY_EVERY);
        bury(&mut dying);
    }
}

/// The next order; meanwhile the dying are looked at. `None` when nobody is left to give one.
fn next(orders: &mpsc::Receiver<Order>, dying: &mut Vec<Pid>) -> Option<Order> {
    while !dying.is_empty() {
        match orders.recv_timeout(BURY_EVERY) {
            Ok(order) => return Some(order),
            Err(mpsc::RecvTimeoutError::Timeout) => bury(dying),
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
        }
    }
    orders.recv().ok()
}

/// Reaps what has ended of each group, and forgets those of which nothing is left: not the first process alone, because
/// as process 1 of a container we inherit its children too.
fn bury(dying: &mut Vec<Pid>) {
    dying.retain(|group| {
        loop {
            match waitpid(Pid::from_raw(-group.as_raw()), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return true,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    });
}

fn start(place: &Place, script: &Script, graveyard: mpsc::Sender<Order>) -> Result<Running, String> {
    let file = folder::check(&place.scripts_dir, &script.name).map_err(|unfit| unfit.to_string())?;
    let mut command = match &place.program {
        Some(program) => {
            let mut command = Command::new(program);
            let limits = place.limits.for_life(script.lives);
            command.args(sandbox::arguments(limits, &place.scripts_dir, &place.data_dir, &file));
            command
        }
        None => Command::new(&file),
    };
    command
        .args(&script.args)
        .env_clear()
        .envs(script.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&place.scripts_dir)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| sandbox::not_started(&error))?;
    Running::new(child, graveyard).ok_or_else(|| "its pipes are missing".to_owned())
}

impl Running {
    fn new(mut child: Child, graveyard: mpsc::Sender<Order>) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(child.id()).ok()?);
        let mut running = Self { pid, pipes: None, graveyard };
        running.pipes = Some((child.stdin.take()?, child.stdout.take()?, child.stderr.take()?));
        Some(running)
    }
}
