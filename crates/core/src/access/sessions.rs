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
use hookswitch_store::tables;
use tokio::sync::Semaphore;

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
/// Checking a password takes some 20 MB and a processor for tens of milliseconds: so many at once.
const CHECKS_MAX: usize = 2;
/// So long one waits for his turn.
const TURN_WITHIN: Duration = Duration::from_secs(10);
/// No digits of a time come near this.
const MICROS_PER_SECOND: i64 = 1_000_000;

static CHECKS: Semaphore = Semaphore::const_new(CHECKS_MAX);
/// Checked for a login that nobody has, so that its answer takes as long as another's.
static NOBODYS: LazyLock<String> = LazyLock::new(|| passwords::hash_now("nobody's").unwrap_or_default());

/// Somebody who has signed in.
#[derive(Debug)]
pub struct Session {
    /// What its bearer shows from now on: 64 hexadecimal digits.
    pub token: String,
    /// Who it is.
    pub caller: Arc<Caller>,
}

impl Core {
    /// Signs a user in.
    ///
    /// # Errors
    /// `auth-failed`, in the same words whatever was wrong; `too_many` if too many passwords are being checked.
    pub async fn sign_in(&self, login: &str, password: &str, from: IpAddr) -> Result<Session, Refusal> {
        let wanted = login.to_owned();
        let known = self.store.read(move |tx| tables::users::with_password(tx, &wanted)).await?;
        let (users_id, phc) = known.map_or((None, None), |(id, phc)| (Some(id), phc));
        let is_right = {
            let turn = tokio::time::timeout(TURN_WITHIN, CHECKS.acquire()).await;
            let _turn = turn.map_err(|_| Refusal::TooMany("too many people are signing in; try again".to_owned()))?;
            passwords::verify(password.to_owned(), phc.unwrap_or_else(|| NOBODYS.clone())).await
        };
        let users_id = users_id.filter(|_| is_right).ok_or_else(wrong)?;
        let caller = self.access.caller_of_user(users_id, from).await?.ok_or_else(wrong)?;
        let token = keys::new_key()?;
        let hash = keys::key_hash(&token);
        self.store
            .write(move |tx| {
                let now = tx.now();
                tables::sessions::cut(tx, before(now, IDLE_MAX))?;
                tables::sessions::begin(tx, &hash, users_id, OF_ONE_USER_MAX)
            })
            .await?;
        Ok(Session { token, caller })
    }

    /// Who shows this token; `None` if nobody does any more.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn signed_in(&self, token: &str, from: IpAddr) -> Result<Option<Arc<Caller>>, Refusal> {
        let hash = keys::key_hash(token);
        let Some(session) = self.store.read(move |tx| tables::sessions::get(tx, &hash)).await? else { return Ok(None) };
        let now = self.store.clock().now();
        if session.c_dt < before(now, AGE_MAX) || session.seen_dt < before(now, IDLE_MAX) {
            return Ok(None);
        }
        if session.seen_dt < before(now, SEEN_EVERY) {
            self.store.write(move |tx| tables::sessions::seen(tx, &hash, now)).await?;
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

fn before(now: Moment, by: Duration) -> Moment {
    Moment(now.0 - i64::try_from(by.as_secs()).unwrap_or(i64::MAX / MICROS_PER_SECOND) * MICROS_PER_SECOND)
}
