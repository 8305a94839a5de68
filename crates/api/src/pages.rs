//! What pages for people ask of the API: the same door, the same bounds, the same slowing down of guesses.
use std::net::IpAddr;

use axum::{body::Body, http::HeaderMap};
use hookswitch_core::{
    Answer, Call, Core,
    access::sessions::{Kind, Session},
};
use hookswitch_model::refusal::Refusal;

use crate::{Api, RequestSpan, body::Room};

/// What a form sent, and its share of the memory that bodies have: to be kept until the request is answered.
#[derive(Debug)]
pub struct Sent {
    /// As it came.
    pub bytes: Vec<u8>,
    /// Given back when it is dropped.
    pub room: Kept,
}

/// A share of the memory that bodies have.
#[derive(Debug)]
pub struct Kept {
    _room: Room,
}

impl Api {
    /// What the product can do.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.parts.core
    }

    /// Runs a call for a page, within its span: counted and logged as any other.
    ///
    /// # Errors
    /// Every refusal of the contract.
    pub async fn call(&self, span: &RequestSpan, call: Call) -> Result<Answer, Refusal> {
        self.perform(span, &HeaderMap::new(), call).await
    }

    /// Signs a user in.
    ///
    /// # Errors
    /// `auth-failed`, or `too_many` for one who guesses: with the seconds after which the next guess may be tried.
    pub async fn sign_in(
        &self,
        login: &str,
        password: &str,
        from: IpAddr,
        kind: Kind,
    ) -> Result<Session, (Refusal, Option<u64>)> {
        let signed_in = self.parts.core.sign_in(login, password, from, kind).await;
        signed_in.map_err(|refusal| self.slowed_down(refusal, from))
    }

    /// A wrong password is noted, one too many slowed down.
    pub(crate) fn slowed_down(&self, refusal: Refusal, from: IpAddr) -> (Refusal, Option<u64>) {
        match refusal {
            Refusal::AuthFailed(_) => {
                let rejected = self.rejected(refusal, from);
                (rejected.refusal, rejected.retry_after_seconds)
            }
            other => (other, None),
        }
    }

    /// Reads what a form sent, within the bounds of any body.
    ///
    /// # Errors
    /// Why it can't be read, in plain words.
    pub async fn body(&self, headers: &HeaderMap, body: Body) -> Result<Sent, Refusal> {
        let held = self.parts.bodies.read(headers, body).await.map_err(|unread| Refusal::TooLarge(unread.words()))?;
        Ok(Sent { bytes: held.bytes, room: Kept { _room: held.room } })
    }
}
