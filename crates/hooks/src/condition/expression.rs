//! Expressions that give a value: what stands between `{{` and `}}` in the settings of a ready-made handler.
//!
//! The same language as conditions, bounded the same way when it is saved. It is evaluated on the spot only: what could take
//! longer than about a millisecond on an event is refused in words, because nothing here decides anything.
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use cel::{Context, ExecutionError};
use hookswitch_model::Object;
use serde_json::Value as Json;

pub use super::Unfit;
use super::{
    WEIGHT_INLINE_MAX,
    compile::{self, Use},
    functions, value, weigh,
};

/// What such an expression may use.
pub const VARIABLES: &[&str] = &["event", "data", "previous", "object", "settings", "handler"];

/// All expressions of one event together may weigh as much as so many of the heaviest.
const HEAVIEST_MAX: u64 = 50;
/// And give so many bytes.
const BYTES_MAX: usize = 1 << 20;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    source: String,
    program: cel::Program,
    gives_secret: bool,
}

/// What expressions are evaluated on: made once for an event.
pub struct Given<'j> {
    context: Context<'static, 'static>,
    sizes: Vec<(&'static str, weigh::Size<'j>)>,
    /// Weight that is left, and bytes.
    left: Cell<(u64, usize)>,
}

/// Why one gives nothing.
enum Fault {
    /// It reaches for a key that is not there.
    Absent(String),
    Other(String),
}

impl Fault {
    fn words(self) -> String {
        match self {
            Self::Absent(key) => format!("reaches for {key:?}, which is not there: ask with has(...) first"),
            Self::Other(words) => words,
        }
    }
}

impl<'j> Given<'j> {
    /// From a payload, with `settings` and `handler` beside its own members.
    #[must_use]
    pub fn new(payload: &'j Object) -> Self {
        let mut context = Context::with_env(compile::environment());
        functions::add(&mut context);
        for name in VARIABLES {
            context.add_variable_from_value(*name, value::of_member(payload.get(*name)));
        }
        let sizes = VARIABLES.iter().map(|name| (*name, weigh::Size::of(payload.get(*name)))).collect();
        Self { context, sizes, left: Cell::new((WEIGHT_INLINE_MAX * HEAVIEST_MAX, BYTES_MAX)) }
    }

    /// Takes from what all expressions of the event may cost together.
    fn take(&self, weight: u64, bytes: usize) -> Result<(), Fault> {
        let (weight_left, bytes_left) = self.left.get();
        let left = weight_left.checked_sub(weight).zip(bytes_left.checked_sub(bytes));
        self.left.set(
            left.ok_or_else(|| {
                Fault::Other("is one too many: together they would take too long, or give over 1 MiB".to_owned())
            })?,
        );
        Ok(())
    }
}

impl Expression {
    /// Compiles one as it is about to be saved.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn compile(source: &str) -> Result<Self, Unfit> {
        let program = compile::compile(source, Use::Value(VARIABLES))?;
        let references = program.references();
        let gives_secret = functions::all().any(|function| function.gives_secret && references.has_function(function.name()));
        drop(references);
        Ok(Self { source: source.to_owned(), program, gives_secret })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// True if what it gives is as good as a password: it is not shown.
    #[must_use]
    pub fn gives_secret(&self) -> bool {
        self.gives_secret
    }

    /// Whether it is true: as with conditions, one that reaches for an absent key is not.
    ///
    /// # Errors
    /// Why that can't be said, in words.
    pub fn holds(&self, given: &Given<'_>) -> Result<bool, String> {
        match self.run(given) {
            Ok(value) => value.as_bool().ok_or_else(|| "is neither true nor false".to_owned()),
            Err(Fault::Absent(_)) => Ok(false),
            Err(fault) => Err(fault.words()),
        }
    }

    /// What it gives, as JSON.
    ///
    /// # Errors
    /// Why it gives nothing, in words.
    pub fn evaluate(&self, given: &Given<'_>) -> Result<Json, String> {
        self.run(given).map_err(Fault::words)
    }

    fn run(&self, given: &Given<'_>) -> Result<Json, Fault> {
        let value = self.calculate(given)?;
        given.take(0, size(&value))?;
        Ok(value)
    }

    fn calculate(&self, given: &Given<'_>) -> Result<Json, Fault> {
        let weight = weigh::weight(self.program.expression(), given.sizes.clone());
        // The variables were made once, for all of them.
        given.take(weight.saturating_sub(weigh::made(&given.sizes)), 0)?;
        if weight > WEIGHT_INLINE_MAX {
            return Err(Fault::Other("could take too much time or memory on this event".to_owned()));
        }
        // Nothing of ours is changed by it, so nothing can be left half changed.
        let result = catch_unwind(AssertUnwindSafe(|| self.program.execute(&given.context)));
        match result.map_err(|_| Fault::Other("its evaluation broke down".to_owned()))? {
            Ok(cel::Value::Timestamp(time)) => Ok(time.to_rfc3339().into()),
            Ok(value) => {
                let unfit = |_| Fault::Other(format!("gives a value of type {}, which can't be sent", value.type_of()));
                value.json().map(sorted).map_err(unfit)
            }
            Err(ExecutionError::NoSuchKey(key)) => Err(Fault::Absent(key.to_string())),
            // Its words may hold the values, passwords among them.
            Err(ExecutionError::FunctionError { function, message }) => Err(Fault::Other(format!("{function}: {message}"))),
            Err(_) => {
                Err(Fault::Other("can't be evaluated on this event: a value is null or of another type than it needs".to_owned()))
            }
        }
    }
}

/// Members in the order of their names: the language keeps none, and a repeat must be the same to the letter.
fn sorted(value: Json) -> Json {
    match value {
        Json::Object(mut members) => {
            members.sort_keys();
            Json::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        plain => plain,
    }
}

/// About as many bytes as it has in a text.
fn size(value: &Json) -> usize {
    const PLAIN: usize = 8;
    match value {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluated(source: &str) -> Result<Json, String> {
        let payload = json!({"event": {"seq": 7}, "object": {"accname": "alice", "password": "secret", "none": null},
            "settings": {"domain": "example.net"}, "data": {"dt": "2026-11-23T21:14:07+00:00"}});
        let Json::Object(payload) = payload else { panic!("an object") };
        Expression::compile(source).map_err(|unfit| unfit.to_string())?.evaluate(&Given::new(&payload))
    }

    #[test]
    fn digests_are_those_of_auth_db() {
        // md5sum of alice:example.net:secret, and of alice@example.net:example.net:secret.
        let ha1 = evaluated("ha1(object.accname, settings.domain, object.password)");
        assert_eq!(ha1, Ok(json!("e0957e77e26b856e2ba625792a2b87e0")));
        let ha1b = evaluated("ha1b(object.accname, settings.domain, settings.domain, object.password)");
        assert_eq!(ha1b, Ok(json!("92751d0dd515dd13c44dd21f19ed52b9")));
        assert!(Expression::compile("ha1('a', 'b', 'c')").unwrap().gives_secret());
    }

    #[test]
    fn values_of_every_kind_come_out() {
        assert_eq!(evaluated("object.none"), Ok(json!(null)));
        assert_eq!(evaluated("event.seq + 1"), Ok(json!(8)));
        assert_eq!(evaluated("unix(data.dt) - 10"), Ok(json!(1_795_468_437)));
        assert_eq!(evaluated("object.none == null ? 1 : 0"), Ok(json!(1)));
    }

    #[test]
    fn many_small_expressions_on_a_large_event_are_fine_and_many_large_ones_are_not() {
        let payload = json!({"object": {"accname": "alice", "notes": "x".repeat(300_000)}});
        let Json::Object(payload) = payload else { panic!("an object") };
        let given = Given::new(&payload);
        let (small, large) = (Expression::compile("object.accname").unwrap(), Expression::compile("object.notes").unwrap());
        assert!((0..1_000).all(|_| small.evaluate(&given).is_ok()));
        let taken = (0..10).take_while(|_| large.evaluate(&given).is_ok()).count();
        assert_eq!(taken, 3, "1 MiB together");
    }

    #[test]
    fn what_is_wrong_is_told_in_words_without_values() {
        assert!(evaluated("object.nothing").unwrap_err().contains("not there"));
        assert!(!evaluated("ha1(object.none, 1, object.password)").unwrap_err().contains("secret"));
        assert!(evaluated("client.name").unwrap_err().contains("there are event, data, previous, object, settings, handler"));
        assert!(evaluated("ha1('a')").unwrap_err().contains("ha1(user, realm, password)"));
        assert!(evaluated("md5('a')").unwrap_err().contains("md5"));
    }
}
