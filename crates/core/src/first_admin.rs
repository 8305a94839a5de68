//! The first user of a new database: without one nobody could make another.
use hookswitch_model::refusal::{FieldErrors, Refusal};
use hookswitch_store::{Sequence, Subject, tables};

use crate::{
    Core,
    access::{
        keys::{key_hash, new_key},
        passwords,
    },
};

/// The login of the first admin.
pub const LOGIN: &str = "admin";

/// What was made for the first admin, to be shown once. `None` = it was given from outside and is known there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAdmin {
    /// The login.
    pub login: String,
    /// The API key, if it was made here.
    pub key: Option<String>,
    /// The password, if it was made here.
    pub password: Option<String>,
}

/// Makes the first admin if there is no user yet, with what was given and the rest made up.
///
/// # Errors
/// `Invalid` if a given key is not 32-128 visible ASCII characters, or a given password has under 12.
pub async fn first_admin(core: &Core, key: Option<String>, password: Option<String>) -> Result<Option<FirstAdmin>, Refusal> {
    let nobody = core.store.read(|tx| Ok::<_, Refusal>(tables::users::all(tx)?.is_empty())).await?;
    if !nobody {
        return Ok(None);
    }
    check(key.as_deref(), password.as_deref())?;
    let (made_key, made_password) = (made(key.as_ref(), 64)?, made(password.as_ref(), 20)?);
    let key = key.or_else(|| made_key.clone()).unwrap_or_default();
    let phc = passwords::hash(password.or_else(|| made_password.clone()).unwrap_or_default()).await?;
    let id = core.store.next_id(Sequence::Users).await?;
    let made_it = core
        .store
        .write(move |tx| {
            tx.lock(Subject::Configuration)?;
            if !tables::users::all(tx)?.is_empty() {
                return Ok::<_, Refusal>(false);
            }
            let user = hookswitch_model::objects::user::User::system_admin(id, LOGIN, tx.now());
            tables::users::insert(tx, &user, Some(&phc))?;
            tables::users::add_key(tx, id, &key_hash(&key))?;
            tables::versions::bump(tx, tables::versions::ACCESS)?;
            Ok(true)
        })
        .await?;
    core.access.reload().await?;
    Ok(made_it.then(|| FirstAdmin { login: LOGIN.to_owned(), key: made_key, password: made_password }))
}

/// Something random of that many characters, where nothing was given.
fn made(given: Option<&String>, characters: usize) -> Result<Option<String>, Refusal> {
    match given {
        Some(_) => Ok(None),
        None => new_key().map(|key| Some(key.chars().take(characters).collect())),
    }
}

fn check(key: Option<&str>, password: Option<&str>) -> Result<(), Refusal> {
    let mut errors = FieldErrors::new();
    if key.is_some_and(|key| !(32..=128).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
        errors.add("HOOKSWITCH_ADMIN_KEY", "must be 32 to 128 visible ASCII characters");
    }
    if password.is_some_and(|password| password.chars().count() < 12) {
        errors.add("HOOKSWITCH_ADMIN_PASSWORD", "must have at least 12 characters");
    }
    errors.or(())
}
