//! One table of methods: name, parameters, right, what it does. JSON-RPC reads it now; REST, the descriptions, the
//! command line and the forms will read the same rows.
//!
//! A method is one of three kinds ([`Run`]): it reads, it acts (through the one door, `perform`), or it works on
//! the deliveries and handlers themselves (`Steer`), which changes no billing object and raises no event.
use std::{future::Future, pin::Pin};

use hookswitch_model::{
    Object,
    event::Kind,
    field::Field,
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Sequence, Tx};
use serde_json::Value;

use crate::{
    Core,
    access::Right,
    methods,
    perform::{At, Draft},
};

/// Checks the shape of a method's own parameters without a database: unknown names, types, what is missing.
/// Gives them normalised, with every wrong field named in one answer.
pub type Check = fn(&Object) -> Result<Object, FieldErrors>;

/// What a steering method gives: an answer, later.
pub type Steered<'a> = Pin<Box<dyn Future<Output = Result<Value, Refusal>> + Send + 'a>>;

/// A changing method: how it is drafted, and what the door must know before.
pub struct Act {
    /// The events that it may raise and that before handlers may be asked about. Empty: nobody is ever asked.
    pub events: &'static [Kind],
    /// Where the id of its new object comes from, if it makes one.
    pub new_id: Option<Sequence>,
    /// Validates the request against the present state and says what would be written.
    pub draft: fn(&Tx, &At, &Object) -> Result<Draft, Refusal>,
    /// What must be known anew, in memory, before the caller is answered.
    pub touches: Touches,
}

/// What is kept in memory of what a method changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// Nothing.
    Rows,
    /// The handlers: saved ones count at once.
    Handlers,
    /// Keys, users, resellers.
    Access,
}

/// How a method is run.
pub enum Run {
    /// From one snapshot of the database.
    Read(fn(&Tx, &At, &Object) -> Result<Value, Refusal>),
    /// Through the one door.
    Act(Act),
    /// On handlers and deliveries.
    Steer(for<'a> fn(&'a Core, At, Object) -> Steered<'a>),
}

/// One method of the Core API.
pub struct Method {
    /// The exact name, such as `clients.accounts.create`.
    pub name: &'static str,
    /// One line for the descriptions.
    pub about: &'static str,
    /// What it asks of the caller's role.
    pub right: Right,
    /// The fields that it may be sent, for the descriptions.
    pub params: &'static [Field],
    /// Checks the shape of what it is sent.
    pub check: Check,
    /// True if an idempotency key makes it return its first success.
    pub idempotent: bool,
    /// Keys of its result that a replay leaves out: keys, secrets, passwords.
    pub hidden_in_replay: &'static [&'static str],
    /// How it is run.
    pub run: Run,
}

impl Method {
    /// True if it takes the filters of a list.
    #[must_use]
    pub fn takes_filters(&self) -> bool {
        ["search", "resend", "discard"].into_iter().any(|verb| self.name.rsplit('.').next() == Some(verb))
    }

    /// True if it changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        !matches!(self.run, Run::Read(_))
    }
}

/// Every method, one list an object, in the order of the contract.
pub static METHODS: &[&[Method]] = &[
    methods::clients::METHODS,
    methods::accounts::METHODS,
    methods::transactions::METHODS,
    methods::companies::METHODS,
    methods::users::METHODS,
    methods::handlers::METHODS,
    methods::events::METHODS,
    methods::executions::METHODS,
    methods::deliveries::METHODS,
    methods::system::METHODS,
];

/// Finds a method by its exact name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().flat_map(|object| object.iter()).find(|method| method.name == name)
}
