//! One table of methods: name, parameters, right, what it does. JSON-RPC, REST and the descriptions read it; the forms will
//! read the same rows.
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
use hookswitch_store::{Sequence, Tx, tables::search::List};
use serde_json::Value;

use crate::{
    Core,
    access::Right,
    concerns::Concerns,
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
    /// What it must have for itself while it is committed.
    pub concerns: Concerns,
    /// The events that it may raise and that before handlers may be asked about. Empty: nobody is ever asked.
    pub events: &'static [Kind],
    /// Where the id of its new object comes from, if it makes one.
    pub new_id: Option<Sequence>,
    /// How many fees it may charge: ids for their transactions are taken ahead.
    pub fees: usize,
    /// Validates the request against the present state and says what would be written.
    pub draft: fn(&Tx, &At, &Object) -> Result<Draft, Refusal>,
    /// What must be known anew, in memory, before the caller is answered.
    pub touches: Touches,
}

impl Act {
    /// One that raises these events, and makes nothing of its own, charges nothing, and changes rows only.
    #[must_use]
    pub const fn new(
        concerns: Concerns,
        events: &'static [Kind],
        draft: fn(&Tx, &At, &Object) -> Result<Draft, Refusal>,
    ) -> Self {
        Self { concerns, events, new_id: None, fees: 0, draft, touches: Touches::Rows }
    }

    /// One that changes what steers all actions, and raises no event.
    #[must_use]
    pub const fn of_configuration(draft: fn(&Tx, &At, &Object) -> Result<Draft, Refusal>) -> Self {
        Self::new(Concerns::Configuration, &[], draft)
    }

    /// It makes an object, whose id comes from there.
    #[must_use]
    pub const fn making(mut self, sequence: Sequence) -> Self {
        self.new_id = Some(sequence);
        self
    }

    /// It charges up to so many fees.
    #[must_use]
    pub const fn charging(mut self, fees: usize) -> Self {
        self.fees = fees;
        self
    }

    /// It changes what is kept in memory.
    #[must_use]
    pub const fn touching(mut self, touches: Touches) -> Self {
        self.touches = touches;
        self
    }
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

/// What a method may be sent: read by the validation's helpers, by REST for its query strings, and by the descriptions.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// These fields; some of them required.
    Fields(&'static [Field]),
    /// `id`, and whichever of these fields change.
    Changes(&'static [Field]),
    /// These fields, and any other keys, each of them such a field: which keys there are is known from the database only.
    AnyKeys(&'static [Field], &'static Field),
    /// A list's filters and paging.
    Filters(&'static List),
    /// A list's filters without paging, and these fields.
    Selection(&'static List, &'static [Field]),
}

impl Takes {
    /// The fields, besides a list's filters.
    #[must_use]
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Fields(fields) | Self::Changes(fields) | Self::AnyKeys(fields, _) | Self::Selection(_, fields) => fields,
            Self::Filters(_) => &[],
        }
    }

    /// The list whose filters it takes.
    #[must_use]
    pub fn list(&self) -> Option<&'static List> {
        match self {
            Self::Filters(list) | Self::Selection(list, _) => Some(list),
            Self::Fields(_) | Self::Changes(_) | Self::AnyKeys(..) => None,
        }
    }
}

/// What a method's result is, for the descriptions.
#[derive(Debug, Clone, Copy)]
pub enum Gives {
    /// An object with these fields.
    Object(&'static [Field]),
    /// An object with these fields and those.
    ObjectAnd(&'static [Field], &'static [Field]),
    /// An object with these fields; of somebody else's, no more than those of these names.
    ObjectOr(&'static [Field], &'static [&'static str]),
    /// A page of such objects.
    Rows(&'static [Field]),
    /// How many rows it affected.
    Count,
    /// Something of its own, as JSON Schema.
    Other(fn() -> Value),
}

/// One method of the Core API.
pub struct Method {
    /// The exact name, such as `clients.accounts.create`.
    pub name: &'static str,
    /// One line for the descriptions.
    pub about: &'static str,
    /// What it asks of the caller's role.
    pub right: Right,
    /// What it may be sent.
    pub takes: Takes,
    /// What its result is.
    pub gives: Gives,
    /// Codes of the rules of its own that may refuse it (422), besides those that every method of its kind has.
    pub codes: &'static [&'static str],
    /// Checks the shape of what it is sent, where [`Takes`] does not say all.
    check: Option<Check>,
    /// True if an idempotency key makes it return its first success.
    pub idempotent: bool,
    /// Keys of its result that a replay leaves out: keys, secrets, passwords.
    pub hidden_in_replay: &'static [&'static str],
    /// How it is run.
    pub run: Run,
}

impl Method {
    /// One that reads, whatever the role.
    #[must_use]
    pub const fn reads(
        name: &'static str,
        about: &'static str,
        takes: Takes,
        gives: Gives,
        read: fn(&Tx, &At, &Object) -> Result<Value, Refusal>,
    ) -> Self {
        Self::new(name, about, takes, gives, Run::Read(read))
    }

    /// One that changes something through the door, for operators and admins; an idempotency key makes it happen once.
    #[must_use]
    pub const fn acts(name: &'static str, about: &'static str, takes: Takes, gives: Gives, act: Act) -> Self {
        let mut method = Self::new(name, about, takes, gives, Run::Act(act));
        (method.right, method.idempotent) = (Right::Operate, true);
        method
    }

    /// One that works on handlers and deliveries, for operators and admins.
    #[must_use]
    pub const fn steers(
        name: &'static str,
        about: &'static str,
        takes: Takes,
        gives: Gives,
        steer: for<'a> fn(&'a Core, At, Object) -> Steered<'a>,
    ) -> Self {
        Self::new(name, about, takes, gives, Run::Steer(steer)).by(Right::Operate)
    }

    const fn new(name: &'static str, about: &'static str, takes: Takes, gives: Gives, run: Run) -> Self {
        let right = Right::Read;
        Self { name, about, right, takes, gives, codes: &[], check: None, idempotent: false, hidden_in_replay: &[], run }
    }

    /// It asks for this of the caller's role.
    #[must_use]
    pub const fn by(mut self, right: Right) -> Self {
        self.right = right;
        self
    }

    /// Its parameters are checked by more than what it takes.
    #[must_use]
    pub const fn checking(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// Rules of its own may refuse it.
    #[must_use]
    pub const fn refusing(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    /// Keys of its result that a replay leaves out.
    #[must_use]
    pub const fn hiding(mut self, names: &'static [&'static str]) -> Self {
        self.hidden_in_replay = names;
        self
    }

    /// Checks the shape of what was sent, without a database.
    ///
    /// # Errors
    /// Every wrong, unknown or missing field.
    pub fn check(&self, given: &Object) -> Result<Object, FieldErrors> {
        match (self.check, self.takes) {
            (Some(check), _) => check(given),
            (None, Takes::Fields(fields)) => methods::params::checked(fields, given),
            (None, Takes::Changes(fields)) => methods::params::id_and_changes(fields, given),
            // Filters are checked against the list's columns, and keys without a table by the method itself.
            (None, Takes::Filters(_) | Takes::Selection(..) | Takes::AnyKeys(..)) => Ok(given.clone()),
        }
    }
    /// True if it changes something. What any role may do does not, however it is run.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.right != Right::Read && !matches!(self.run, Run::Read(_))
    }

    /// True if it can be rehearsed by the option `dry_run`: handlers have a field of that name, with another meaning.
    #[must_use]
    pub fn rehearses(&self) -> bool {
        self.changes() && self.takes.fields().iter().all(|field| field.name != "dry_run")
    }
}

/// Every method, one list an object, in the order of the contract.
pub static METHODS: &[&[Method]] = &[
    methods::clients::METHODS,
    methods::client_custom_fields::METHODS,
    methods::custom_fields::METHODS,
    methods::accounts::METHODS,
    methods::packages::METHODS,
    methods::client_packages::METHODS,
    methods::transactions::METHODS,
    methods::companies::METHODS,
    methods::users::METHODS,
    methods::handlers::METHODS,
    methods::handler_status::METHODS,
    methods::hours::METHODS,
    methods::events::METHODS,
    methods::scripts::METHODS,
    methods::executions::METHODS,
    methods::deliveries::METHODS,
    methods::resyncs::METHODS,
    methods::loops::METHODS,
    methods::outcomes::METHODS,
    methods::system::METHODS,
];

/// Finds a method by its exact name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().flat_map(|object| object.iter()).find(|method| method.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_raises_events_of_a_client_has_that_client_for_itself() {
        for method in METHODS.iter().flat_map(|object| object.iter()) {
            let Run::Act(act) = &method.run else { continue };
            let is_of_a_client = matches!(act.concerns, Concerns::Client(_) | Concerns::ClientAndAddresses(_));
            let makes_a_client = matches!(act.concerns, Concerns::NewClient);
            let raises = !act.events.is_empty() || method.name.starts_with("accounting.");
            assert_eq!(raises, is_of_a_client || makes_a_client, "{}", method.name);
            assert_eq!(makes_a_client, method.name == "clients.create");
            let in_memory = act.touches != Touches::Rows;
            assert!(!in_memory || matches!(act.concerns, Concerns::Configuration), "{}", method.name);
        }
    }
}
