//! What is refused when an expression is saved.
use std::sync::{Arc, LazyLock};

use cel::{
    Context, Env, ExecutionError, IdedExpr, ParseErrors, Program, Value,
    common::ast::{CallExpr, EntryExpr, Expr, LiteralValue},
};

use super::{SOURCE_BYTES_MAX, VARIABLES, functions};

/// Deeper expressions could overflow the stack of the thread that evaluates them: each level takes up to 4 KiB of it, and
/// a thread of ours has 2 MiB.
const DEPTH_MAX: usize = 128;

/// The parser takes tens of kilobytes of stack for each level of brackets; only what is used is ever allocated.
const PARSER_STACK_BYTES: usize = 64 << 20;

/// Without the extension of optional values: `has()` asks for presence.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib().with_optional_support(false)));

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Longer than [`SOURCE_BYTES_MAX`].
    #[error("must have at most {SOURCE_BYTES_MAX} bytes")]
    TooLong,
    /// Deeper than the parser or we allow.
    #[error("is nested too deeply")]
    TooDeep,
    /// Not in the language.
    #[error("does not compile: {0}")]
    Syntax(String),
    /// `all`, `exists`, `map`... within another.
    #[error("must not have one comprehension (all, exists, exists_one, map, filter) within another")]
    Nested,
    /// Another variable.
    #[error("knows no {0:?}: there are event, data, previous and object")]
    Variable(String),
    /// Another variable, in an expression that gives a value.
    #[error("knows no {name:?}: there are {known}")]
    Unknown {
        /// As written.
        name: String,
        /// What there is.
        known: String,
    },
    /// One of our own functions with another number of arguments.
    #[error("{name} takes {takes} arguments: {usage}")]
    Arguments {
        /// The function.
        name: &'static str,
        /// How many.
        takes: usize,
        /// How it is written.
        usage: &'static str,
    },
    /// Another function, or one of the language's that is called otherwise: `all` and its kind are rewritten by the parser
    /// where they are called as they should be, and are functions no more.
    #[error("knows no function {0:?} that is called like this")]
    Function(String),
    /// A pattern that can never match.
    #[error("has a regular expression that is not valid: {0:?}")]
    Pattern(String),
    /// It can never be true.
    #[error("must be an expression that is true or false")]
    NotBoolean,
}

/// The standard functions and types.
pub(super) fn environment() -> Arc<Env> {
    Arc::clone(&ENVIRONMENT)
}

/// What an expression is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is true or false.
    Condition,
    /// Any value, over these variables; our own functions may be called.
    Value(&'static [&'static str]),
}

impl Use {
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Condition => &VARIABLES,
            Self::Value(variables) => variables,
        }
    }
}

/// Parses and checks, on a thread with enough stack for whatever is in the text.
pub(super) fn compile(source: &str, meant: Use) -> Result<Program, Unfit> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Unfit::TooLong);
    }
    let source = source.to_owned();
    let thread = std::thread::Builder::new().stack_size(PARSER_STACK_BYTES).spawn(move || parse_and_check(&source, meant));
    let broken = || Unfit::Syntax("the parser broke down".to_owned());
    thread.map_err(|_| broken())?.join().map_err(|_| broken())?
}

fn parse_and_check(source: &str, meant: Use) -> Result<Program, Unfit> {
    let program = ENVIRONMENT.compile(source).map_err(|errors| words(&errors))?;
    let root = program.expression();
    let never_boolean = matches!(&root.expr, Expr::Literal(literal) if !matches!(literal, LiteralValue::Boolean(_)))
        || matches!(root.expr, Expr::List(_) | Expr::Map(_));
    if meant == Use::Condition && never_boolean {
        return Err(Unfit::NotBoolean);
    }
    Check { scope: meant.variables().to_vec(), within: false, meant }.expression(root, 0)?;
    Ok(program)
}

fn words(errors: &ParseErrors) -> Unfit {
    let Some(first) = errors.errors.first() else { return Unfit::Syntax("it can't be read".to_owned()) };
    if first.msg.contains("Recursion limit") {
        return Unfit::TooDeep;
    }
    let (line, column) = first.pos;
    let text: String = first.msg.trim_start_matches("Syntax error: ").chars().take(120).collect();
    Unfit::Syntax(format!("line {line}, character {column}: {text}"))
}

/// One walk through the tree.
#[derive(Clone)]
struct Check<'e> {
    /// The names that mean something here: ours, and the loop variables around.
    scope: Vec<&'e str>,
    /// True within a comprehension.
    within: bool,
    meant: Use,
}

impl<'e> Check<'e> {
    fn expression(&self, expression: &'e IdedExpr, depth: usize) -> Result<(), Unfit> {
        if depth > DEPTH_MAX {
            return Err(Unfit::TooDeep);
        }
        let all = |parts: &'e [IdedExpr]| parts.iter().try_for_each(|part| self.expression(part, depth + 1));
        match &expression.expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.expression(&select.operand, depth + 1),
            Expr::List(list) => all(&list.elements),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key, depth + 1)?;
                    self.expression(&entry.value, depth + 1)
                }
                EntryExpr::StructField(field) => self.expression(&field.value, depth + 1),
            }),
            Expr::Call(call) => {
                // First, because a loop's variable means nothing where the loop was not understood.
                self.function(call)?;
                call.target.iter().try_for_each(|target| self.expression(target, depth + 1))?;
                all(&call.args)
            }
            Expr::Comprehension(_) if self.within => Err(Unfit::Nested),
            Expr::Comprehension(comprehension) => {
                // What is looped over may come from another loop: these follow each other.
                self.expression(&comprehension.iter_range, depth + 1)?;
                let mut inner = Self { within: true, ..self.clone() };
                inner.scope.push(&comprehension.iter_var);
                inner.scope.extend(comprehension.iter_var2.as_deref());
                let parts = [&comprehension.accu_init, &comprehension.loop_cond, &comprehension.loop_step, &comprehension.result];
                parts.into_iter().try_for_each(|part| inner.expression(part, depth + 1))
            }
            Expr::Struct(made) => Err(Unfit::Function(made.type_name.clone())),
            Expr::Unspecified => Err(Unfit::Syntax("a part of it is missing".to_owned())),
        }
    }

    fn name(&self, name: &str) -> Result<(), Unfit> {
        // The parser's own, such as a loop's accumulator, begin with an @.
        let known = name.starts_with('@') || self.scope.contains(&name) || ENVIRONMENT.types().find_type(name).is_some();
        match self.meant {
            _ if known => Ok(()),
            Use::Condition => Err(Unfit::Variable(name.to_owned())),
            Use::Value(variables) => Err(Unfit::Unknown { name: name.to_owned(), known: variables.join(", ") }),
        }
    }

    fn function(&self, call: &CallExpr) -> Result<(), Unfit> {
        match functions::named(&call.func_name) {
            Some(own) if self.meant != Use::Condition && call.target.is_none() => own.check(call.args.len()),
            _ => function(call),
        }
    }
}

/// The language finds out only when it calls whether a function is there. So it is called once, with nothing.
fn function(call: &CallExpr) -> Result<(), Unfit> {
    if !call.func_name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(());
    }
    let nothing = || literal(LiteralValue::Null);
    let args = call.args.iter().map(|_| nothing()).collect();
    let probe = CallExpr { func_name: call.func_name.clone(), target: call.target.as_ref().map(|_| Box::new(nothing())), args };
    if matches!(resolve(probe), Err(ExecutionError::UndeclaredReference(_))) {
        return Err(Unfit::Function(call.func_name.clone()));
    }
    pattern(call)
}

fn pattern(call: &CallExpr) -> Result<(), Unfit> {
    let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(pattern)), .. }) = call.args.last() else { return Ok(()) };
    if call.func_name != "matches" {
        return Ok(());
    }
    let text = |text: &str| literal(LiteralValue::String(text.to_owned().into()));
    let probe = CallExpr { func_name: "matches".to_owned(), target: None, args: vec![text(""), text(pattern.inner())] };
    resolve(probe).map(drop).map_err(|_| Unfit::Pattern(pattern.inner().to_owned()))
}

fn literal(value: LiteralValue) -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Literal(value) }
}

fn resolve(call: CallExpr) -> Result<Value, ExecutionError> {
    Value::resolve(&IdedExpr { id: 0, expr: Expr::Call(call) }, &Context::with_env(environment()))
}
