//! Functions that the language has not, for expressions that give a value: digests of passwords as SIP and RADIUS servers keep them,
//! so that no clear password need be stored there, and seconds since 1970 of a time of ours.
use std::sync::Arc;

use cel::{Context, ExecutionError, Value};
use md5::{Digest as _, Md5};

use super::compile::Unfit;

/// One of ours.
pub(super) struct Function {
    name: &'static str,
    takes: usize,
    usage: &'static str,
    /// What it gives is as good as the password.
    pub(super) gives_secret: bool,
}

const FUNCTIONS: &[Function] = &[
    Function { name: "ha1", takes: 3, usage: "ha1(user, realm, password)", gives_secret: true },
    Function { name: "ha1b", takes: 4, usage: "ha1b(user, domain, realm, password)", gives_secret: true },
    Function { name: "unix", takes: 1, usage: "unix(time)", gives_secret: false },
];

pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter()
}

pub(super) fn named(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

impl Function {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn check(&self, given: usize) -> Result<(), Unfit> {
        let &Self { name, takes, usage, .. } = self;
        if given == takes { Ok(()) } else { Err(Unfit::Arguments { name, takes, usage }) }
    }
}

type Text = Arc<String>;

/// Makes them known to an evaluation.
pub(super) fn add(context: &mut Context<'_, '_>) {
    let ha1 = |user: Text, realm: Text, password: Text| digest(&[&user, &realm, &password]);
    let ha1b = |user: Text, domain: Text, realm: Text, password: Text| {
        let name = format!("{user}@{domain}");
        digest(&[&name, &realm, &password])
    };
    let unix = |time: Text| match time.parse::<jiff::Timestamp>() {
        Ok(time) => Ok(Value::Int(time.as_second())),
        Err(_) => Err(ExecutionError::function_error("unix", "it is not a time such as 2026-11-23T21:14:07+00:00")),
    };
    // They fail for names that the language has itself: none of these.
    let _ = context.add_function("ha1", ha1);
    let _ = context.add_function("ha1b", ha1b);
    let _ = context.add_function("unix", unix);
}

/// MD5 of the parts with colons between them, in hexadecimal digits: RFC 2617's `HA1`.
fn digest(parts: &[&str]) -> String {
    hex::encode(Md5::digest(parts.join(":")))
}
