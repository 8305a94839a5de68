//! What pages for people ask of the API: the same door, the same bounds, the same slowing down of guesses.
use std::net::IpAddr;

use axum::{body::Body, http::HeaderMap};
use hookswitch_core::{Answer, Call, Core, access::sessions::Session};
use hookswitch_model::refusal::Refusal;

use crate::Api;

impl Api {
    /// What the product can do.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.parts.core
    }

    /// Runs a call for a page: counted and logged as any other.
    ///
    /// # Errors
    /// Every refusal of the contract.
    pub async fn call(&self, call: Call) -> Result<Answer, Refusal> {
        self.perform(&HeaderMap::new(), call).await
    }

    /// Signs a user in.
    ///
    /// # Errors
    /// `auth-failed`, or `too_many` for one who guesses: with the seconds after which the next guess may be tried.
    pub async fn sign_in(&self, login: &str, password: &str, from: IpAddr) -> Result<Session, (Refusal, Option<u64>)> {
        match self.parts.core.sign_in(login, password, from).await {
            Ok(session) => Ok(session),
            Err(refusal @ Refusal::AuthFailed(_)) => {
                let rejected = self.rejected(refusal, from);
                Err((rejected.refusal, rejected.retry_after_seconds))
            }
            Err(refusal) => Err((refusal, None)),
        }
    }

    /// Reads what a form sent, within the bounds of any body.
    ///
    /// # Errors
    /// Why it can't be read, in plain words.
    pub async fn body(&self, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
        let held = self.parts.bodies.read(headers, body).await.map_err(|unread| Refusal::TooLarge(unread.words()))?;
        Ok(held.bytes)
    }
}
