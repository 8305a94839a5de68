//! The snapshot of keys, users and resellers, and how a key becomes a caller.
use std::{collections::HashMap, net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;
use hookswitch_hooks::rules::Resellers;
use hookswitch_model::{event::Actor, moment::Moment, objects::company::TIMEZONE_DEFAULT, refusal::Refusal};
use hookswitch_store::{Store, Tx, tables};
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use super::Caller;

/// How deep the tree of resellers may be: bounds every walk to the top.
pub const RESELLER_DEPTH_MAX: usize = 16;

/// SHA-256 of a key: keys are long and random, so that a fast hash suffices.
#[must_use]
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// A new key: 32 random bytes as 64 hexadecimal digits.
///
/// # Errors
/// `Internal` if the system has no random numbers to give.
pub fn new_key() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(hex::encode(bytes))
}

struct Key {
    users_id: i64,
    expires_at: Option<Moment>,
}

struct KnownUser {
    caller: Caller,
    allowed_ips: Vec<IpNet>,
    active: bool,
}

/// One reseller, as far as access needs it.
#[derive(Debug, Clone)]
pub struct Reseller {
    /// The one above; `None` at the top.
    pub parent_id: Option<i64>,
    /// The currency of its new clients.
    pub currencies_id: i64,
    /// Where its days begin.
    pub timezone: String,
    /// False if stopped: its users are refused.
    pub active: bool,
}

/// Keys, users and the tree of resellers at one moment.
pub struct Snapshot {
    /// The version of all this in the database.
    pub version: i64,
    keys: HashMap<[u8; 32], Key>,
    users: HashMap<i64, KnownUser>,
    resellers: HashMap<i64, Reseller>,
}

impl Snapshot {
    /// Reads it whole.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn load(tx: &Tx) -> Result<Self, hookswitch_store::Error> {
        let version = tables::versions::read(tx, tables::versions::ACCESS)?;
        let mut users = HashMap::new();
        for user in tables::users::all(tx)? {
            let caller = Caller {
                users_id: user.id,
                actor: Actor::User { id: user.id, login: user.login.clone() },
                companies_id: user.companies_id,
                role: user.role,
                from: None,
            };
            let known = KnownUser { caller, active: user.is_active(), allowed_ips: user.allowed_ips };
            users.insert(user.id, known);
        }
        let mut keys = HashMap::new();
        for key in tables::users::all_keys(tx)? {
            keys.insert(key.hash, Key { users_id: key.users_id, expires_at: key.expires_at });
        }
        let mut resellers = HashMap::new();
        for company in tables::companies::all(tx)? {
            let reseller = Reseller {
                parent_id: company.parent_id,
                currencies_id: company.currencies_id,
                active: company.is_active(),
                timezone: company.timezone,
            };
            resellers.insert(company.id, reseller);
        }
        Ok(Self { version, keys, users, resellers })
    }

    /// A reseller by id.
    #[must_use]
    pub fn reseller(&self, companies_id: i64) -> Option<&Reseller> {
        self.resellers.get(&companies_id)
    }

    /// Where the caller's days begin: at its reseller; UTC for the whole system.
    #[must_use]
    pub fn timezone(&self, caller: &Caller) -> &str {
        let reseller = caller.companies_id.and_then(|id| self.reseller(id));
        reseller.map_or(TIMEZONE_DEFAULT, |reseller| &reseller.timezone)
    }

    /// Where the days of a reseller begin.
    #[must_use]
    pub fn timezone_of(&self, companies_id: i64) -> &str {
        self.reseller(companies_id).map_or(TIMEZONE_DEFAULT, |reseller| &reseller.timezone)
    }

    /// True if `companies_id` is `top` or below it.
    #[must_use]
    pub fn is_within(&self, companies_id: i64, top: i64) -> bool {
        self.way_up(companies_id).any(|id| id == top)
    }

    /// A reseller and everything above it, from below.
    fn way_up(&self, companies_id: i64) -> impl Iterator<Item = i64> {
        let above = move |id: &i64| self.resellers.get(id).and_then(|reseller| reseller.parent_id);
        std::iter::successors(Some(companies_id), above).take(RESELLER_DEPTH_MAX)
    }

    /// How many resellers stand above this one.
    #[must_use]
    pub fn depth(&self, companies_id: i64) -> usize {
        self.way_up(companies_id).count() - 1
    }

    /// True if the caller may see objects of this reseller.
    #[must_use]
    pub fn sees(&self, caller: &Caller, companies_id: i64) -> bool {
        caller.companies_id.is_none_or(|top| self.is_within(companies_id, top))
    }

    /// The resellers whose objects the caller sees, in order of id; `None` = all.
    #[must_use]
    pub fn scope(&self, caller: &Caller) -> Option<Vec<i64>> {
        Some(self.within(caller.companies_id?))
    }

    /// A reseller and those below it, in order of id.
    #[must_use]
    pub fn within(&self, top: i64) -> Vec<i64> {
        let mut ids: Vec<i64> = self.resellers.keys().copied().filter(|id| self.is_within(*id, top)).collect();
        ids.sort_unstable();
        ids
    }

    fn caller_of(&self, key: &str, from: IpAddr, now: Moment) -> Option<Caller> {
        let key = self.keys.get(&key_hash(key))?;
        if key.expires_at.is_some_and(|end| end <= now) {
            return None;
        }
        self.caller_of_user(key.users_id, from)
    }

    /// A user that may act now, from this address.
    fn caller_of_user(&self, users_id: i64, from: IpAddr) -> Option<Caller> {
        let user = self.users.get(&users_id)?;
        let reseller_is_active =
            user.caller.companies_id.is_none_or(|id| self.way_up(id).all(|id| self.reseller(id).is_some_and(|r| r.active)));
        let address_is_allowed = user.allowed_ips.is_empty() || user.allowed_ips.iter().any(|net| net.contains(&from));
        (user.active && reseller_is_active && address_is_allowed).then(|| Caller { from: Some(from), ..user.caller.clone() })
    }
}

/// The snapshot that counts now, shared by all.
#[derive(Clone)]
pub struct Access {
    now: Arc<ArcSwap<Snapshot>>,
    store: Store,
    /// One at a time asks whether the snapshot is old.
    renewing: Arc<tokio::sync::Mutex<()>>,
}

impl Access {
    /// Reads the snapshot for the first time.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn load(store: Store) -> Result<Self, hookswitch_store::Error> {
        let snapshot = store.read(Snapshot::load).await?;
        Ok(Self { now: Arc::new(ArcSwap::from_pointee(snapshot)), store, renewing: Arc::default() })
    }

    /// The snapshot that counts now.
    #[must_use]
    pub fn now(&self) -> Arc<Snapshot> {
        self.now.load_full()
    }

    /// Reads it again after a change; an older one never replaces a newer one.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn reload(&self) -> Result<(), hookswitch_store::Error> {
        let fresh = Arc::new(self.store.read(Snapshot::load).await?);
        self.now.rcu(|old| if old.version > fresh.version { Arc::clone(old) } else { Arc::clone(&fresh) });
        Ok(())
    }

    /// The same, also where the key was made on another node a moment ago: a right one is never refused.
    ///
    /// # Errors
    /// As [`Access::authenticate`].
    pub async fn authenticate_anew(&self, key: &str, from: IpAddr) -> Result<Arc<Caller>, Refusal> {
        let known = self.authenticate(key, from);
        if known.is_ok() || !self.store.has_several_writers() {
            return known;
        }
        let _one_at_a_time = self.renewing.lock().await;
        let known = self.authenticate(key, from);
        if known.is_err() && self.is_old().await? {
            self.reload().await?;
            return self.authenticate(key, from);
        }
        known
    }

    /// The caller that this user is now, called from an address; `None` if it may not act. Also where the user was made on another
    /// node a moment ago.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn caller_of_user(&self, users_id: i64, from: IpAddr) -> Result<Option<Arc<Caller>>, Refusal> {
        let known = || self.now.load().caller_of_user(users_id, from.to_canonical()).map(Arc::new);
        if let Some(caller) = known() {
            return Ok(Some(caller));
        }
        if self.store.has_several_writers() && self.is_old().await? {
            self.reload().await?;
        }
        Ok(known())
    }

    async fn is_old(&self) -> Result<bool, Refusal> {
        let version = self.now.load().version;
        let newest = self.store.read(|tx| tables::versions::read(tx, tables::versions::ACCESS)).await?;
        Ok(newest != version)
    }

    /// The caller behind a key, called from an address.
    ///
    /// # Errors
    /// `auth-failed`; the words do not tell a wrong key from one that may not be used from here.
    pub fn authenticate(&self, key: &str, from: IpAddr) -> Result<Arc<Caller>, Refusal> {
        let now = self.store.clock().now();
        let unmapped = from.to_canonical();
        self.now
            .load()
            .caller_of(key, unmapped, now)
            .map(Arc::new)
            .ok_or_else(|| Refusal::AuthFailed("the key is missing or wrong".to_owned()))
    }
}

impl Resellers for Access {
    fn is_within(&self, companies_id: i64, top: i64) -> bool {
        self.now.load().is_within(companies_id, top)
    }
}
