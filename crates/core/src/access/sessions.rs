//! Who is signed in with a password: for people at a browser and for programs that speak the Management API.
//!
//! A session is 32 random bytes that only its bearer has; the database has their hash, so that every node knows it and a restart
//! ends none. What its user may do is asked of the snapshot at each request: who is disabled, or calls from where he may not, is
//! out at once.
use std::{
    net::IpAddr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use hookswitch_model::{moment::Moment, refusal::Refusal};
use hookswitch_store::{Tx, tables};
use sha2::{Digest as _, Sha256};

use super::{Caller, keys, passwords};
use crate::Core;

/// An unused session ends after this.
pub const IDLE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// Any session ends after this.
pub const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Sessions of one user at once; who signs in once more ends the one that was not used for longest.
const OF_ONE_USER_MAX: i64 = 32;
/// That it is used is written down this often at most.
const SEEN_EVERY: Duration = Duration::from_secs(5 * 60);
/// So long that may take.
const NOTED_WITHIN: Duration = Duration::from_millis(500);
/// No digits of a time come near this.
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Checked for a login that nobody has, so that its answer takes as long as another's.
static NOBODYS: LazyLock<String> = LazyLock::new(|| passwords::hash_now("nobody's").unwrap_or_default());

/// For whom a session is: the programs of a user don't end the sessions of its browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A browser.
    Web,
    /// A program that speaks the Management API.
    Program,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Program => "program",
        }
    }
}

/// Somebody who has signed in.
#[derive(Debug)]
pub struct Session {
    /// What its bearer shows from now on: 64 hexadecimal digits.
    pub token: String,
    /// Who it is.
    pub caller: Arc<Caller>,
}

/// A user whose password was right, and what that is stored as.
struct Known {
    users_id: i64,
    caller: Arc<Caller>,
    phc: String,
}

impl Core {
    /// Signs a user in.
    ///
    /// # Errors
    /// `auth-failed`, in the same words whatever was wrong; `too_many` if too many passwords are being checked.
    pub async fn sign_in(&self, login: &str, password: &str, from: IpAddr, kind: Kind) -> Result<Session, Refusal> {
        let Known { users_id, caller, phc } = self.known(login, password, from).await?;
        let token = keys::new_key()?;
        let (hash, login) = (keys::key_hash(&token), login.to_owned());
        let begun = self.store.write_again(|| {
            let (phc, login) = (phc.clone(), login.clone());
            move |tx: &mut Tx<'_>| {
                let now = tx.now();
                tables::sessions::cut(tx, before(now, IDLE_MAX))?;
                // It may have been changed while it was checked.
                let stands = tables::users::with_password(tx, &login)? == Some((users_id, Some(phc.clone())));
                if stands {
                    let new = tables::sessions::New { hash: &hash, users_id, kind: kind.word(), proof: &proof(&phc) };
                    tables::sessions::begin(tx, new, OF_ONE_USER_MAX)?;
                }
                Ok::<_, hookswitch_store::Error>(stands)
            }
        });
        if begun.await? { Ok(Session { token, caller }) } else { Err(wrong()) }
    }

    /// Who has this login and this password: for one request, without a session.
    ///
    /// # Errors
    /// As [`Core::sign_in`].
    pub async fn by_password(&self, login: &str, password: &str, from: IpAddr) -> Result<Arc<Caller>, Refusal> {
        Ok(self.known(login, password, from).await?.caller)
    }

    async fn known(&self, login: &str, password: &str, from: IpAddr) -> Result<Known, Refusal> {
        let turn = self.turns.take(from).await?;
        let wanted = login.to_owned();
        let found = self.store.read(move |tx| tables::users::with_password(tx, &wanted)).await?;
        let (users_id, phc) = found.map_or((None, None), |(id, phc)| (Some(id), phc));
        let is_right = passwords::verify(password.to_owned(), phc.clone().unwrap_or_else(|| NOBODYS.clone())).await;
        drop(turn);
        let (Some(users_id), Some(phc), true) = (users_id, phc, is_right) else { return Err(wrong()) };
        let caller = self.access.caller_of_user(users_id, from).await?.ok_or_else(wrong)?;
        Ok(Known { users_id, caller, phc })
    }

    /// Who shows this token; `None` if nobody does any more. `is_use` is false for what a page does by itself while nobody touches it.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn signed_in(&self, token: &str, from: IpAddr, is_use: bool) -> Result<Option<Arc<Caller>>, Refusal> {
        let hash = keys::key_hash(token);
        let Some(session) = self.store.read(move |tx| tables::sessions::get(tx, &hash)).await? else { return Ok(None) };
        let now = self.store.clock().now();
        let is_old = session.c_dt < before(now, AGE_MAX) || session.seen_dt < before(now, IDLE_MAX);
        let is_of_this_password = session.password_hash.is_some_and(|phc| proof(&phc)[..] == session.proof[..]);
        if is_old || !is_of_this_password {
            return Ok(None);
        }
        if is_use && session.seen_dt < before(now, SEEN_EVERY) {
            let noted = self.store.write(move |tx| tables::sessions::seen(tx, &hash, now));
            // Where nothing can be written, pages can be read all the same.
            if !matches!(tokio::time::timeout(NOTED_WITHIN, noted).await, Ok(Ok(()))) {
                tracing::debug!("that a session is in use could not be noted");
            }
        }
        self.access.caller_of_user(session.users_id, from).await
    }

    /// Ends the session of this token, if there is one.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn sign_out(&self, token: &str) -> Result<(), Refusal> {
        let hash = keys::key_hash(token);
        Ok(self.store.write(move |tx| tables::sessions::end(tx, &hash)).await?)
    }
}

fn wrong() -> Refusal {
    Refusal::AuthFailed("the login or the password is wrong".to_owned())
}

/// What a session keeps of the password that it was begun with.
fn proof(phc: &str) -> [u8; 32] {
    Sha256::digest(phc.as_bytes()).into()
}

fn before(now: Moment, by: Duration) -> Moment {
    Moment(now.0 - i64::try_from(by.as_secs()).unwrap_or(i64::MAX / MICROS_PER_SECOND) * MICROS_PER_SECOND)
}
