//! A method's parameters as flags, made of the same tables that validate them: fields, and the filters of lists.
//!
//! Nothing is required here but an id: what is missing or wrong is said by the server, which knows best, and shown by the names of
//! flags ([`by_flags`]).
use std::{collections::HashSet, io::Read as _};

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser};
use hookswitch_core::registry::{Method, Takes};
use hookswitch_model::{
    Object,
    field::{Access, Field, Kind, LEGACY_BYTES_MAX},
    json,
};
use hookswitch_store::tables::search;
use serde_json::Value;

use super::{names, values};
use crate::ending::{Ended, Ending};

/// The ids that stand without a flag.
const IDS: &str = "ids";
/// Any parameter, by its own name.
const SET: &str = "set";
/// All of them, from a file.
const PARAMS: &str = "params";
/// What a search takes besides filters, and what that is.
const PAGING: [(&str, &str); 5] = [
    ("limit", "Rows at most, 1 to 1000 (default 20)"),
    ("offset", "Rows to leave out at the beginning"),
    ("after_id", "The page behind this id, in the order of ids"),
    ("order", "Columns to sort by; a hyphen before one turns it round: --order=-balance,name"),
    ("q", "Quick search in names and the like; * stands for anything"),
];
/// Bytes of a file of parameters at most: what the server takes.
const PARAMS_BYTES_MAX: u64 = 2 << 20;

/// One parameter and where its value comes from.
enum From {
    Field(&'static Field),
    Column(search::Kind),
    Paging,
}

/// Adds a method's flags to its command.
pub(super) fn add(method: &'static Method, mut command: Command) -> Command {
    for (name, from, about) in parameters(method) {
        command = command.arg(arg(&name, &from, &about));
    }
    let several = "Several are done one after another";
    command = match id(method) {
        Some(true) => command.arg(ids().required(true).help(format!("The id. {several}"))),
        Some(false) => command.arg(ids().required(false).help("The id; without one, all")),
        None => command,
    };
    let set = Arg::new(SET).long(SET).value_name("NAME=VALUE").action(ArgAction::Append);
    let params = Arg::new(PARAMS).long(PARAMS).value_name("FILE");
    command
        .arg(set.help("Any parameter by its own name; the value is JSON, or else a text"))
        .arg(params.help("Parameters as a JSON object from a file, or from standard input with -: for secrets"))
}

fn ids() -> Arg {
    Arg::new(IDS).value_name("ID").num_args(1..).action(ArgAction::Append)
}

/// Whether an id stands without a flag: it must, it may, or there is none.
fn id(method: &Method) -> Option<bool> {
    match method.takes {
        Takes::Changes(_) => Some(true),
        Takes::Selection(..) => Some(false),
        Takes::Filters(_) => None,
        Takes::Fields(fields) | Takes::AnyKeys(fields, _) => {
            fields.iter().find(|field| field.name == "id" && field.access != Access::ReadOnly).map(|field| field.required)
        }
    }
}

/// What a method may be told by flags.
fn parameters(method: &'static Method) -> Vec<(String, From, String)> {
    let mut all: Vec<(String, From, String)> = Vec::new();
    let is_update = matches!(method.takes, Takes::Changes(_));
    let settable = method.takes.fields().iter().filter(|field| match field.access {
        Access::ReadOnly => false,
        Access::Fixed => !is_update,
        Access::UpdateOnly => is_update,
        Access::Free | Access::WriteOnly => true,
    });
    for field in settable.filter(|field| field.name != "id") {
        let required = if field.required && !is_update { " (required)" } else { "" };
        all.push((field.name.to_owned(), From::Field(field), format!("{}{required}", field.about)));
    }
    if let Some(list) = method.takes.list() {
        let is_search = matches!(method.takes, Takes::Filters(_));
        let has_quick = list.columns.iter().any(|column| column.quick);
        let is_paging = |name: &str| PAGING.iter().any(|(known, _)| *known == name);
        for column in list.columns.iter().filter(|column| !is_paging(column.name) && (is_search || column.name != "id")) {
            all.push((column.name.to_owned(), From::Column(column.kind), about(column.kind).to_owned()));
            if column.kind == search::Kind::Time {
                for (end, about) in [("_from", "From this time on, or from this day"), ("_to", "Before this time or day")] {
                    all.push((format!("{}{end}", column.name), From::Column(search::Kind::Text), about.to_owned()));
                }
            }
        }
        let paging = PAGING.iter().filter(|(name, _)| if *name == "q" { has_quick } else { is_search });
        all.extend(paging.map(|(name, about)| ((*name).to_owned(), From::Paging, (*about).to_owned())));
        if is_search {
            let about = "Also how many rows there are in all".to_owned();
            all.push(("with_total".to_owned(), From::Column(search::Kind::Boolean), about));
        }
    }
    if method.rehearses() {
        let about = "Only try: handlers that allow it are asked, nothing is changed".to_owned();
        all.push(("dry_run".to_owned(), From::Column(search::Kind::Boolean), about));
    }
    if method.idempotent {
        all.push(("idempotency_key".to_owned(), From::Paging, "Sent twice with the same key, done once".to_owned()));
    }
    let mut seen = HashSet::new();
    all.retain(|(name, ..)| seen.insert(name.clone()));
    all
}

fn about(kind: search::Kind) -> &'static str {
    match kind {
        search::Kind::Time => "Rows of exactly this time",
        _ => "Rows with this value; repeated: with any of these",
    }
}

fn arg(name: &str, from: &From, about: &str) -> Arg {
    let plain = Arg::new(key(name)).long(names::flag(name)).help(about.to_owned()).value_name(value_name(from));
    let plain = plain.action(ArgAction::Append).allow_hyphen_values(takes_hyphen(from));
    match from {
        From::Field(Field { kind: Kind::Boolean, .. }) | From::Column(search::Kind::Boolean) => {
            plain.num_args(0..=1).default_missing_value("true").value_parser(PossibleValuesParser::new(["true", "false"]))
        }
        From::Field(Field { kind: Kind::Choice(words), null: false, .. }) | From::Column(search::Kind::Choice(words)) => {
            plain.value_parser(PossibleValuesParser::new(*words))
        }
        // Keys of the first generation of the API: taken, and in nobody's way.
        From::Field(Field { kind: Kind::Any { bytes: LEGACY_BYTES_MAX }, .. }) => plain.hide(true),
        _ => plain,
    }
}

/// Amounts may be below zero.
fn takes_hyphen(from: &From) -> bool {
    let is_amount = |field: &Field| matches!(field.kind, Kind::Money { .. } | Kind::Integer { .. });
    match from {
        From::Field(field) => is_amount(field),
        From::Column(kind) => matches!(kind, search::Kind::Money | search::Kind::Integer),
        From::Paging => true,
    }
}

fn value_name(from: &From) -> &'static str {
    match from {
        From::Field(field) => match field.kind {
            Kind::Integer { .. } => "N",
            Kind::Money { .. } => "AMOUNT",
            Kind::Boolean => "BOOL",
            Kind::LineList { .. } | Kind::IntegerList { .. } | Kind::NetList { .. } | Kind::LineOrList { .. } => "A,B...",
            Kind::Object { .. } | Kind::Values { .. } | Kind::Any { .. } => "JSON",
            Kind::Time | Kind::TimeOrDate => "TIME",
            _ => "TEXT",
        },
        From::Column(_) | From::Paging => "VALUE",
    }
}

/// Names of parameters and of a command's own flags are apart.
fn key(name: &str) -> String {
    format!("param {name}")
}

/// The parameters of the calls that were asked for: one, or one for each id.
///
/// # Errors
/// When a file of parameters can't be read, or `--set` has no name.
pub(super) fn calls(method: &'static Method, matches: &ArgMatches) -> Ended<Vec<Object>> {
    let mut params = from_file(matches)?;
    for (name, from, _) in parameters(method) {
        let Some(texts) = matches.get_many::<String>(&key(&name)) else { continue };
        let texts: Vec<String> = texts.cloned().collect();
        let value = match from {
            From::Field(field) => values::of_field(field, &texts),
            From::Column(kind) => values::of_column(kind, &texts),
            From::Paging => paging(&name, &texts),
        };
        params.insert(name, value);
    }
    for set in matches.get_many::<String>(SET).into_iter().flatten() {
        let (name, value) = set.split_once('=').ok_or_else(|| Ending::Usage(format!("--set {set} must be NAME=VALUE")))?;
        params.insert(name.to_owned(), values::any(value));
    }
    Ok(for_each_id(method, matches, params))
}

fn for_each_id(method: &Method, matches: &ArgMatches, params: Object) -> Vec<Object> {
    let ids = match id(method) {
        Some(_) => matches.get_many::<String>(IDS).into_iter().flatten().map(|id| values::number(id)).collect(),
        None => Vec::new(),
    };
    let with = |id: Value| {
        let mut one = Object::new();
        one.insert("id".to_owned(), id);
        one.extend(params.clone());
        one
    };
    match (ids.len(), method.takes) {
        (0, _) => vec![params],
        (_, Takes::Selection(..)) => vec![with(Value::Array(ids))],
        _ => ids.into_iter().map(with).collect(),
    }
}

fn paging(name: &str, texts: &[String]) -> Value {
    let last = texts.last().map(String::as_str).unwrap_or_default();
    match name {
        "limit" | "offset" | "after_id" => values::number(last),
        "order" => texts.iter().flat_map(|text| text.split(',')).collect(),
        _ => last.into(),
    }
}

fn from_file(matches: &ArgMatches) -> Ended<Object> {
    let Some(path) = matches.get_one::<String>(PARAMS) else { return Ok(Object::new()) };
    let mut text = Vec::new();
    let read = match path.as_str() {
        "-" => std::io::stdin().take(PARAMS_BYTES_MAX).read_to_end(&mut text),
        path => std::fs::File::open(path).and_then(|file| file.take(PARAMS_BYTES_MAX).read_to_end(&mut text)),
    };
    read.with_context(|| format!("--params {path}"))?;
    match json::parse(&text) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(_) => Err(Ending::Usage(format!("--params {path}: must be a JSON object"))),
        Err(error) => Err(Ending::Usage(format!("--params {path}: the file {error}"))),
    }
}

/// Wrong fields, by the names of their flags.
pub(super) fn by_flags(method: &'static Method, fields: &Object) -> Vec<String> {
    let known = parameters(method);
    let said = |name: &String| match known.iter().any(|(known, ..)| known == name) {
        true => format!("--{}", names::flag(name)),
        false if name == "id" => "ID".to_owned(),
        false => name.clone(),
    };
    fields.iter().map(|(name, words)| format!("{} {}", said(name), words.as_str().unwrap_or_default())).collect()
}
