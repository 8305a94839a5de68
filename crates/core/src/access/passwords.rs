//! Password hashes: argon2id with the crate's recommended cost, on a thread that may block.
use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{PasswordHash, SaltString},
};
use hookswitch_model::refusal::Refusal;

/// The PHC string of a new password; takes tens of milliseconds on purpose.
///
/// # Errors
/// `Internal` if the system has no random numbers or threads to give.
pub async fn hash(password: String) -> Result<String, Refusal> {
    tokio::task::spawn_blocking(move || hash_now(&password)).await.map_err(Refusal::internal)?
}

/// The same on the thread that asks.
pub(super) fn hash_now(password: &str) -> Result<String, Refusal> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(Refusal::internal)?;
    let salt = SaltString::encode_b64(&salt).map_err(Refusal::internal)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(Refusal::internal)?.to_string())
}

/// True if the password is the one behind the PHC string; false also for a string that is none.
pub async fn verify(password: String, phc: String) -> bool {
    let check =
        move || PasswordHash::new(&phc).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_another_is_not() {
        let phc = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(phc.starts_with("$argon2id$"), "{phc}");
        assert!(verify("correct horse battery".to_owned(), phc.clone()).await);
        assert!(!verify("correct horse batterz".to_owned(), phc).await);
        assert!(!verify("anything".to_owned(), "no hash".to_owned()).await);
    }
}
