//! What an action must have for itself while it is committed, so that nobody else changes what it is decided by.
//!
//! One writer decides one thing after another. Where several commit at once, each first takes what it concerns, in the order of
//! [`Subject`], and only then reads: what it finds is as the last one left it. An action of a client shares the configuration
//! with all others and has its client alone; who changes the configuration has it alone, so that no commit slips between. Who
//! only reads, as a draft or a dry run does, takes nothing: what it found is found out anew in the commit.
use hookswitch_model::Object;
use hookswitch_store::{Error, Subject, Tx, tables};

use crate::methods::params;

/// Finds the client that a request is about; `None` if there is nothing of that id. What belongs to a client belongs to
/// it for ever, so that it may be looked up before the client is taken.
pub(crate) type Whose = fn(&Tx, &Object) -> Result<Option<i64>, Error>;

/// Whose state an action is decided by and changes.
#[derive(Clone, Copy)]
pub enum Concerns {
    /// What steers all actions: handlers, resellers, users, packages, custom fields.
    Configuration,
    /// A client that nobody knows of yet.
    NewClient,
    /// A client: how it is found.
    Client(Whose),
    /// A client, and which addresses others have, if the request is about addresses.
    ClientAndAddresses(Whose),
    /// A resync: its id is the request's.
    Resync,
}

/// The client that was taken; `None` if none was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held(Option<i64>);

impl Concerns {
    /// Takes all of it until the transaction ends, and what a repeated request has in common with itself.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) fn take(self, tx: &mut Tx, request: &Object, repeated: Option<Subject>) -> Result<Held, Error> {
        match self {
            Self::Configuration => tx.lock(Subject::Configuration)?,
            _ => tx.lock_shared(Subject::Configuration)?,
        }
        if let Some(repeated) = repeated {
            tx.lock(repeated)?;
        }
        if let Self::Resync = self {
            tx.lock(Subject::Resync(params::id(request)))?;
        }
        let client = self.client(tx, request)?;
        if let Some(id) = client {
            tx.lock(Subject::Client(id))?;
        }
        if let Self::ClientAndAddresses(_) = self
            && ["ips", "tech_prefix"].into_iter().any(|name| request.contains_key(name))
        {
            tx.lock(Subject::Addresses)?;
        }
        Ok(Held(client))
    }

    /// Looks once more where nothing was found: an object that came in between was drafted from without having its client.
    ///
    /// # Errors
    /// [`Error::Again`] then.
    pub(crate) fn confirm(self, tx: &Tx, request: &Object, held: Held) -> Result<(), Error> {
        let came_late = held.0.is_none() && self.client(tx, request)?.is_some();
        if came_late { Err(Error::Again) } else { Ok(()) }
    }

    fn client(self, tx: &Tx, request: &Object) -> Result<Option<i64>, Error> {
        match self {
            Self::Client(whose) | Self::ClientAndAddresses(whose) => whose(tx, request),
            Self::Configuration | Self::NewClient | Self::Resync => Ok(None),
        }
    }
}

/// The client itself, by `id`.
#[allow(clippy::unnecessary_wraps)] // a `Whose`
pub(crate) fn itself(_: &Tx, request: &Object) -> Result<Option<i64>, Error> {
    Ok(Some(params::id(request)))
}

/// The client that is named as `clients_id`.
#[allow(clippy::unnecessary_wraps)] // a `Whose`
pub(crate) fn named(_: &Tx, request: &Object) -> Result<Option<i64>, Error> {
    Ok(params::integer(request, "clients_id"))
}

/// The client of the account `id`.
pub(crate) fn of_account(tx: &Tx, request: &Object) -> Result<Option<i64>, Error> {
    tables::accounts::client_of(tx, params::id(request))
}

/// The client of the client package `id`.
pub(crate) fn of_client_package(tx: &Tx, request: &Object) -> Result<Option<i64>, Error> {
    tables::client_packages::client_of(tx, params::id(request))
}
