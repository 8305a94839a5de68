//! What a SQL handler does for each event: its template's statements, then its own, all compiled once.
use hookswitch_model::{event::CATALOGUE, handler::Handler};

use super::{
    place::Engine,
    settings::Settings,
    statement::{Ready, Statement},
};
use crate::condition::expression::Given;

/// The most statements of one event, a template's among them.
pub(super) const STATEMENTS_MAX: usize = 60;

/// The statements of every event that a handler takes.
#[derive(Debug)]
pub(crate) struct Program(Vec<(&'static str, Vec<Statement>)>);

impl Program {
    /// Compiles everything.
    ///
    /// # Errors
    /// Which statement is wrong, and how.
    pub(crate) fn compile(handler: &Handler, settings: &Settings, engine: Engine) -> Result<Self, String> {
        settings.statements.check(handler, "statements")?;
        let mut program = Vec::new();
        for kind in CATALOGUE.iter().filter(|kind| handler.wants(kind.events_id)) {
            let statements = of_event(kind.events_id, settings, engine)?;
            if statements.len() > STATEMENTS_MAX {
                return Err(format!("has more than {STATEMENTS_MAX} statements for {}", kind.events_id));
            }
            program.push((kind.events_id, statements));
        }
        Ok(Self(program))
    }

    /// What is to be done for an event, with its values.
    ///
    /// # Errors
    /// Which value can't be found out, and why.
    pub(crate) fn of(&self, events_id: &str, given: &Given<'_>) -> Result<Vec<Ready<'_>>, String> {
        let statements = self.0.iter().find(|(name, _)| *name == events_id).map_or(&[][..], |(_, statements)| statements);
        let name = |index: usize, words| format!("statement {} of {}: {words}", index + 1, statements.len());
        statements
            .iter()
            .enumerate()
            .map(|(index, statement)| statement.with(given).map_err(|words| name(index, words)))
            .collect()
    }
}

fn of_event(events_id: &str, settings: &Settings, engine: Engine) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    for text in settings.template.iter().flat_map(|template| template.statements(events_id, engine)) {
        let made = Statement::read(&text, engine);
        statements.push(made.map_err(|words| format!("template, for {events_id}: a statement {words}"))?);
    }
    for (name, texts) in settings.statements.of(events_id) {
        for (index, text) in texts.iter().enumerate() {
            let read = Statement::read(text, engine);
            statements.push(read.map_err(|words| format!("statements, {name}, number {}: it {words}", index + 1))?);
        }
    }
    Ok(statements)
}
