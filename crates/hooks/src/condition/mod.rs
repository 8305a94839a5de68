//! Conditions: a handler's expression in CEL (Common Expression Language) over `event`, `data`, `previous`, `object`.
//! Nothing outside of this folder knows the language's crate.
//!
//! An expression is somebody's program that runs inside ours, and its crate has no limit of steps. So it is bounded
//! three times:
//!
//! 1. when it is saved ([`compile`]): its length, its depth, no comprehension within another, only our variables and
//!    functions that exist;
//! 2. before each evaluation ([`weigh`]): what it could cost at most on this very event;
//! 3. while it runs: what is surely cheap, nearly everything, runs right where it is asked for; the rest runs on a
//!    thread of its own, for [`TIME_MS_MAX`] and a few at a time.
//!
//! What is true, in CEL's own rules, with three things to know:
//!
//! - An expression that reaches for an absent key is false as a whole, also when it is negated. As everywhere in CEL,
//!   `a || b` is true if one side is, whatever the other reaches for; `has(data.credit)` asks without reaching.
//! - `previous` is there for updates only; otherwise it has no keys.
//! - A whole number is an `int` however it is written (`100`, `100.0`, `1e2`), any other is a `double`. The two may be
//!   compared with each other (`data.credit > 99.5`), but not added: `double(data.credit) * 1.2`.
//!
//! [`expression`] are the same for values: what a statement of a SQL handler is given. They know more variables, and functions of
//! our own, and are only ever evaluated where they are surely cheap.
mod compile;
pub mod expression;
mod functions;
mod value;
mod weigh;

use std::{
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use cel::{Context, ExecutionError, Value};
use hookswitch_model::Object;
use tokio::{sync::Semaphore, time::timeout};

pub use compile::Unfit;

/// The longest expression.
pub const SOURCE_BYTES_MAX: usize = 1024;

/// An evaluation may take that long.
pub const TIME_MS_MAX: u64 = 20;

/// What an expression may use.
pub const VARIABLES: [&str; 4] = ["event", "data", "previous", "object"];

/// What is evaluated on the spot: in the order of a millisecond.
const WEIGHT_INLINE_MAX: u64 = 1_000_000;
/// What is evaluated at all; it bounds the memory too.
const WEIGHT_MAX: u64 = 50_000_000;

/// Heavy evaluations at once, those included that overran and still run.
static THREADS: Semaphore = Semaphore::const_new(16);
/// The same of one expression: a bad one can't take the threads of all others.
const THREADS_OF_ONE: usize = 2;

const WORDS_CHARACTERS_MAX: usize = 200;

/// What came of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// True: the handler is called.
    Holds,
    /// False, or it reaches for an absent key: the handler is not called.
    Fails,
    /// It could not be found out: the handler is called, and its log row says why.
    CallAnyway(String),
}

/// What the log says of a handler that is called because of [`Outcome::CallAnyway`].
#[must_use]
pub fn note(words: &str) -> String {
    format!("the condition could not be evaluated: {words}")
}

/// A compiled expression; a cheap handle.
#[derive(Debug, Clone)]
pub struct Condition(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: Result<cel::Program, Unfit>,
    /// The variables that it uses: the others are not even converted.
    uses: Vec<&'static str>,
    threads: Arc<Semaphore>,
}

impl Condition {
    /// Compiles an expression as it is about to be saved.
    ///
    /// # Errors
    /// Why it is refused, in words that follow the field's name.
    pub fn compile(source: &str) -> Result<Self, Unfit> {
        compile::compile(source, compile::Use::Condition).map(|program| Self::new(Ok(program)))
    }

    /// Compiles a saved expression. One that an older version took and this one refuses is never a reason not to
    /// call the handler.
    #[must_use]
    pub fn saved(source: &str) -> Self {
        Self::new(compile::compile(source, compile::Use::Condition))
    }

    fn new(program: Result<cel::Program, Unfit>) -> Self {
        let uses = |name: &&str| program.as_ref().is_ok_and(|program| program.references().has_variable(name));
        let uses = VARIABLES.into_iter().filter(uses).collect();
        Self(Arc::new(Inner { program, uses, threads: Arc::new(Semaphore::new(THREADS_OF_ONE)) }))
    }

    /// Evaluates it on an event's payload. Never called with a transaction or a lock held.
    pub async fn evaluate(&self, payload: &Object) -> Outcome {
        let program = match &self.0.program {
            Ok(program) => program,
            Err(unfit) => return Outcome::CallAnyway(unfit.to_string()),
        };
        let sizes = self.0.uses.iter().map(|name| (*name, weigh::Size::of(payload.get(*name)))).collect();
        match weigh::weight(program.expression(), sizes) {
            ..=WEIGHT_INLINE_MAX => self.evaluate_here(payload),
            weight if weight <= WEIGHT_MAX => self.evaluate_guarded(payload.clone()).await,
            _ => Outcome::CallAnyway("it could take too much time or memory on this event".to_owned()),
        }
    }

    fn evaluate_here(&self, payload: &Object) -> Outcome {
        let Ok(program) = &self.0.program else { return Outcome::Holds };
        // Nothing of ours is changed by it, so nothing can be left half changed.
        let result = catch_unwind(AssertUnwindSafe(|| program.execute(&self.context(payload))));
        result.map_or_else(|_| Outcome::CallAnyway("its evaluation broke down".to_owned()), read)
    }

    async fn evaluate_guarded(&self, payload: Object) -> Outcome {
        let limit = Duration::from_millis(TIME_MS_MAX);
        let places = async {
            let own = Arc::clone(&self.0.threads).acquire_owned().await.ok()?;
            Some((own, THREADS.acquire().await.ok()?))
        };
        let Ok(Some(places)) = timeout(limit, places).await else {
            return Outcome::CallAnyway("too many evaluations are still running".to_owned());
        };
        let this = self.clone();
        // The places are given back when the thread ends, not when we stop waiting for it.
        let thread = tokio::task::spawn_blocking(move || {
            let _places = places;
            this.evaluate_here(&payload)
        });
        match timeout(limit, thread).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::CallAnyway("its evaluation broke down".to_owned()),
            Err(_) => Outcome::CallAnyway(format!("it took more than {TIME_MS_MAX} ms")),
        }
    }

    fn context(&self, payload: &Object) -> Context<'static, 'static> {
        let mut context = Context::with_env(compile::environment());
        for name in &self.0.uses {
            context.add_variable_from_value(*name, value::of_member(payload.get(*name)));
        }
        context
    }
}

fn read(result: Result<Value, ExecutionError>) -> Outcome {
    match result {
        Ok(Value::Bool(true)) => Outcome::Holds,
        Ok(Value::Bool(false)) | Err(ExecutionError::NoSuchKey(_)) => Outcome::Fails,
        Ok(other) => Outcome::CallAnyway(format!("it is neither true nor false but of type {}", other.type_of())),
        Err(error) => {
            let mut words = Words::default();
            // It fails when there is room for no more.
            let _cut = write!(words, "{error}");
            Outcome::CallAnyway(words.text)
        }
    }
}

/// The beginning of an error's words: some hold a whole value, however large.
#[derive(Default)]
struct Words {
    text: String,
    characters: usize,
}

impl fmt::Write for Words {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for character in more.chars() {
            self.characters += 1;
            if self.characters > WORDS_CHARACTERS_MAX {
                return Err(fmt::Error);
            }
            self.text.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
