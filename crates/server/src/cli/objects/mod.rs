//! A command for every collection of the API and every method on it, made of the registry: a new method is a new command, with
//! flags for its fields, and nothing is written here for it.
//!
//! ```text
//! hookswitch clients list --status active --order=-balance
//! hookswitch handlers add --name crm --event clients.create --task http://127.0.0.1:5000/hook
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `names` | what collections, verbs and flags are called |
//! | `flags` | parameters as flags, and back |
//! | `values` | from a flag's text to a value |
//! | `table` | answers for people |
mod flags;
mod names;
pub(super) mod table;
pub(super) mod values;

use anyhow::anyhow;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use hookswitch_core::registry::{self, Method};
use hookswitch_model::Object;
use hookswitch_traces::Traces;
use serde_json::Value;

use super::{
    block_on,
    door::Door,
    events,
    paint::{Paint, Tone},
    remote::{Refused, Remote, Reply, there_is_another_way},
    say,
};
use crate::{
    config::{
        self, Settings,
        flags::{Flags, Place},
    },
    ending::{Ended, Ending},
    telemetry,
    wiring::{self, Folder},
};
use table::Look;

const HANDLERS: &str = "provisioning.handlers";
const EVENTS: &str = "provisioning.events";
/// What handlers that are still being told get at the end; the server's next start tells the rest.
const TOLD_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// The words by which a status is set.
const SWITCHES: [(&str, &str, &str); 2] = [
    ("enable", "enabled", "Lets a handler be asked and told from now on"),
    ("disable", "disabled", "Gives a handler no new events; what waits for it stands still"),
];

/// The commands, one a collection.
pub(super) fn commands() -> impl Iterator<Item = Command> {
    names::collections().into_iter().map(|(collection, methods)| of_collection(collection, &methods))
}

fn of_collection(collection: &'static str, methods: &[&'static Method]) -> Command {
    let noun = names::noun(collection);
    let example = methods.first().map_or("", |method| names::split(method).1);
    let example = match methods.iter().any(|method| names::split(method).1 == "search") {
        true => "list".to_owned(),
        false => names::verb(example),
    };
    let mut command = Command::new(noun.clone())
        .about(format!("Works with {}: methods {collection}.* of the Core API", noun.replace('-', " ")))
        .after_help(format!("Example:\n  hookswitch {noun} {example}\n\nEach verb has --help with its flags."))
        .subcommand_required(true)
        .arg_required_else_help(true);
    for method in methods {
        command = command.subcommand(of_method(method));
    }
    if collection == HANDLERS {
        for (word, _, about) in SWITCHES {
            let id = Arg::new("ids").value_name("ID").num_args(1..).required(true);
            command = command.subcommand(common(Command::new(word).arg(id.help("The handler")), about));
        }
    }
    if collection == EVENTS {
        command = command.subcommand(events::Tail::augment_args(Command::new("tail")));
    }
    command
}

fn of_method(method: &'static Method) -> Command {
    let (collection, verb) = names::split(method);
    let said = names::verb(verb);
    let mut command = Command::new(said.clone()).after_help(format!(
        "The method {} of the Core API. Fields that may be null take the word null.\n\nExample:\n  hookswitch {} {said} --help",
        method.name,
        names::noun(collection)
    ));
    command = command.aliases(names::other_name(verb));
    common(flags::add(method, command.next_help_heading("Parameters")), method.about)
}

/// What every one of them has. Said last: flags that are taken over bring words of their own about the command.
fn common(command: Command, about: &'static str) -> Command {
    let flag = |name: &'static str, about: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(about).help_heading("Output")
    };
    let command = command
        .arg(flag("json", "The API's answer as it is, for programs"))
        .arg(flag("wide", "Every column, and nothing cut"))
        .next_help_heading("Server");
    Place::augment_args(Remote::augment_args(command)).about(about).long_about(None)
}

/// Runs what was asked for, if it is a command of a collection.
pub(super) fn run(matches: &ArgMatches) -> Option<Ended> {
    let (noun, matches) = matches.subcommand()?;
    let (_, methods) = names::collections().into_iter().find(|(collection, _)| names::noun(collection) == noun)?;
    let (verb, matches) = matches.subcommand()?;
    if let Err(ending) = telemetry::start(telemetry::Format::Text, "warn") {
        return Some(Err(ending));
    }
    if let Some((_, status, _)) = SWITCHES.iter().find(|(word, ..)| *word == verb) {
        return Some(switch(matches, status));
    }
    if verb == "tail" {
        return Some(events::Tail::from_arg_matches(matches).map_err(usage).and_then(events::Tail::run));
    }
    let method = methods.into_iter().find(|method| names::verb(names::split(method).1) == verb)?;
    Some(flags::calls(method, matches).and_then(|calls| carry_out(method, calls, matches)))
}

fn usage(error: clap::Error) -> Ending {
    Ending::Usage(error.to_string())
}

fn switch(matches: &ArgMatches, status: &str) -> Ended {
    let method = registry::find("provisioning.handlers.update").ok_or_else(|| anyhow!("handlers can't be changed"))?;
    let ids = matches.get_many::<String>("ids").into_iter().flatten();
    let change = |id: &String| Object::from_iter([("id".to_owned(), values::number(id)), ("status".to_owned(), status.into())]);
    carry_out(method, ids.map(change).collect(), matches)
}

fn carry_out(method: &'static Method, calls: Vec<Object>, matches: &ArgMatches) -> Ended {
    let place = Place::from_arg_matches(matches).map_err(usage)?;
    let remote = Remote::from_arg_matches(matches).map_err(usage)?;
    let settings = Settings::read(&Flags::of_place(place), &config::environment)?;
    let shows = Shows { method, json: matches.get_flag("json"), wide: matches.get_flag("wide") };
    match remote.usual_server(&settings)? {
        Some(server) => block_on(ask_all(&Door::Server(server), calls, shows))?,
        None => {
            let folder = Folder::existing(&settings).map_err(there_is_another_way)?;
            block_on(on_folder(&settings, &folder, calls, shows))?
        }
    }
}

/// No server runs: the same core, opened for as long as it takes.
async fn on_folder(settings: &Settings, folder: &Folder, calls: Vec<Object>, shows: Shows) -> Ended {
    let core = wiring::core(settings, wiring::store(settings, folder)?, Traces::off()).await?;
    let done = ask_all(&Door::Core(core.clone().into()), calls, shows).await;
    wiring::close(core, tokio::time::Instant::now() + TOLD_WITHIN).await;
    done
}

/// How answers are told.
#[derive(Clone, Copy)]
struct Shows {
    method: &'static Method,
    json: bool,
    wide: bool,
}

async fn ask_all(door: &Door, calls: Vec<Object>, shows: Shows) -> Ended {
    for call in calls {
        let limit = call.get("limit").and_then(Value::as_i64);
        let reply = door.ask(shows.method.name, call.into()).await.map_err(|error| in_plain_words(shows.method, error))?;
        shows.tell(&reply, limit)?;
    }
    Ok(())
}

/// Wrong fields by the names of their flags; a handler by its name.
fn in_plain_words(method: &'static Method, error: anyhow::Error) -> anyhow::Error {
    let Some(refused) = error.downcast_ref::<Refused>() else { return error };
    if let Some(fields) = refused.fields() {
        return anyhow!("{}", flags::by_flags(method, fields).join("; "));
    }
    let message = refused.message.split_once(": ").map_or(&*refused.message, |(_, words)| words);
    match refused.data["handler"]["name"].as_str() {
        Some(name) => anyhow!("refused by the handler {name}: {}", refused.data["message"].as_str().unwrap_or(message)),
        None => anyhow!("{}", refused.data["message"].as_str().unwrap_or(message)),
    }
}

impl Shows {
    fn tell(self, reply: &Reply, limit: Option<i64>) -> Ended {
        for warning in &reply.warnings {
            note("warning", warning);
        }
        if self.json {
            return say(&format!("{}\n", reply.result));
        }
        say(&table::shown(self.method, &reply.result, Look { wide: self.wide, paint: Paint::of_output() }))?;
        let rows = reply.result.as_array().map_or(-1, |rows| i64::try_from(rows.len()).unwrap_or(-1));
        if self.method.takes.list().is_some() && rows == limit.unwrap_or(hookswitch_store::tables::search::LIMIT_DEFAULT) {
            note("note", "there may be more: --limit, --offset, --after-id");
        }
        Ok(())
    }
}

/// A line on standard error, beside the answer.
fn note(what: &str, words: &str) {
    use std::io::Write as _;
    let line = format!("{} {}", Paint::of_errors().on(Tone::Attention, &format!("{what}:")), table::visible(words));
    // Who does not look is not told.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
