//! Who reads a page: the door is asked in his name, and every page shows who he is.
use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use hookswitch_api::{Api, RequestSpan};
use hookswitch_core::{
    Answer, Call,
    access::{Caller, Right},
    registry,
};
use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::Value;

use crate::{answer::Failure, assets, notice::Notice, params::Params};

/// Who reads, and what he asked for.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) api: Api,
    pub(crate) caller: Arc<Caller>,
    /// The path that he asked for.
    pub(crate) path: String,
    /// What stands behind its `?`.
    pub(crate) query: Params,
    pub(crate) notice: Option<Notice>,
    pub(crate) theme: Theme,
    /// What is recorded of his request.
    pub(crate) span: RequestSpan,
}

/// Which colours he has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Those of his system.
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Visitor {
    /// The present moment.
    pub(crate) fn now(&self) -> Moment {
        self.api.core().store().clock().now()
    }

    /// The day that it is where he is: `2026-11-23`.
    pub(crate) fn today(&self) -> String {
        let zone = self.api.core().timezone(&self.caller);
        let now = jiff::Timestamp::from_microsecond(self.now().0).unwrap_or_default();
        // A reseller's zone was one when it was saved.
        let zone = jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC);
        zone.to_datetime(now).date().to_string()
    }

    /// Runs a method in his name.
    ///
    /// # Errors
    /// Every refusal of the contract.
    pub(crate) async fn act(&self, method: &'static str, params: Object) -> Result<Answer, Refusal> {
        // A page can't be asked for a method that there is none of.
        let method = registry::find(method).ok_or_else(|| Refusal::internal(format!("no method {method}")))?;
        self.api.call(&self.span, Call::new(method, params, Arc::clone(&self.caller))).await
    }

    /// The same for one that only reads: `params` is an object.
    ///
    /// # Errors
    /// Every refusal of the contract.
    pub(crate) async fn ask(&self, method: &'static str, params: Value) -> Result<Value, Refusal> {
        let Value::Object(params) = params else { return Err(Refusal::internal("parameters are an object")) };
        Ok(self.act(method, params).await?.result)
    }

    /// True if his role allows it.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.caller.demand(right).is_ok()
    }

    /// True if he sees the whole system.
    pub(crate) fn sees_all(&self) -> bool {
        self.caller.companies_id.is_none()
    }

    /// What every page shows: its title, and where in the navigation it stands.
    pub(crate) fn page(&self, title: impl Into<String>, here: &'static str) -> Page {
        Page {
            title: title.into(),
            here,
            path: self.path.clone(),
            login: self.caller.login().to_owned(),
            role: self.caller.role.word(),
            administers: self.may(Right::Administer),
            operates: self.may(Right::Operate),
            notice: self.notice.clone(),
            theme: self.theme,
        }
    }
}

/// What the frame of a page shows.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// The word of the navigation under which it stands.
    pub(crate) here: &'static str,
    pub(crate) path: String,
    pub(crate) login: String,
    pub(crate) role: &'static str,
    /// True if he may save handlers and users.
    pub(crate) administers: bool,
    /// True if he may change anything at all.
    pub(crate) operates: bool,
    pub(crate) notice: Option<Notice>,
    pub(crate) theme: Theme,
}

#[expect(clippy::unused_self, reason = "templates ask their page")]
impl Page {
    pub(crate) fn style(&self) -> &'static str {
        assets::style()
    }

    pub(crate) fn script(&self) -> &'static str {
        assets::script()
    }

    pub(crate) fn icon(&self) -> &'static str {
        assets::icon()
    }

    /// A key by which a form counts once, however often it is sent.
    pub(crate) fn once(&self) -> String {
        once()
    }

    /// True if the page stands under this word of the navigation.
    pub(crate) fn is_at(&self, word: &str) -> bool {
        self.here == word
    }
}

/// A key by which a form counts once, however often it is sent.
pub(crate) fn once() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        // Pages are served to who is signed in only: `session` has put him there.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Failure(Refusal::internal("a page without a visitor")))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Failure> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
