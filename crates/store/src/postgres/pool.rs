//! A connection that is made again when it is lost, and what is known of the server meanwhile.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Session, address::Address, session::Limits};
use crate::Error;

/// So long a closure waits for a server that has gone away, as in a restart.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(100);
/// So long after an attempt that failed the others don't try.
const GIVEN_UP_FOR: Duration = Duration::from_millis(500);

/// When all attempts to connect were given up last, known to all who connect.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Option<Instant>>);

impl Outage {
    fn is_fresh(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| since.elapsed() < GIVEN_UP_FOR)
    }

    fn note(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(super) address: Address,
    pub(super) tls: MakeRustlsConnect,
    pub(super) limits: Limits,
    pub(super) outage: Arc<Outage>,
}

impl Dialer {
    /// The same with other limits.
    pub(crate) fn within(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Connects once.
    pub(crate) fn dial(&self) -> Result<Session, Error> {
        Session::connect(&self.address, self.tls.clone(), self.limits)
    }
}

/// A thread's connection.
pub(crate) struct Link {
    dialer: Dialer,
    session: Option<Session>,
}

impl Link {
    /// With a connection that is there already.
    pub(crate) fn new(dialer: Dialer, session: Option<Session>) -> Self {
        Self { dialer, session }
    }

    /// Connects before there is anything to do, so that neither a caller waits for it nor a lack of file descriptors hinders it then. If
    /// it fails, it is tried again when there is.
    pub(crate) fn warm_up(&mut self) {
        if self.session.is_none() {
            match self.dialer.dial() {
                Ok(session) => self.session = Some(session),
                Err(error) => {
                    tracing::warn!(%error, "a connection to the database could not be made; it is tried again when it is needed")
                }
            }
        }
    }

    /// The connection, made anew if need be.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the server can't be had for a while.
    pub(crate) fn session(&mut self) -> Result<&Session, Error> {
        if self.session.as_ref().is_some_and(|session| !session.is_usable()) {
            self.session = None;
        }
        match self.session {
            Some(ref session) => Ok(session),
            None => Ok(self.session.insert(again(&self.dialer)?)),
        }
    }
}

fn again(dialer: &Dialer) -> Result<Session, Error> {
    if dialer.outage.is_fresh() {
        return Err(Error::Unreachable("the last attempts to connect have failed".to_owned()));
    }
    let end = Instant::now() + PATIENCE;
    loop {
        match dialer.dial() {
            Ok(session) => {
                dialer.outage.note(None);
                return Ok(session);
            }
            Err(error) if Instant::now() + PAUSE > end || dialer.outage.is_fresh() => {
                dialer.outage.note(Some(Instant::now()));
                tracing::error!(%error, "the database can't be reached");
                return Err(Error::Unreachable(error.to_string()));
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
