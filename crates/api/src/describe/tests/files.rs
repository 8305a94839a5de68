//! The descriptions as files of the repository: a change of the API shows in its review, and whoever makes a client needs no
//! running server.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use hookswitch_model::event::{CATALOGUE, schema};
use serde_json::Value;

use crate::describe::{openapi, openrpc};

/// Set it to anything, and the test writes the files anew.
const WRITE: &str = "HOOKSWITCH_WRITE_DESCRIPTIONS";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Every file, by its path within `docs`.
fn wanted() -> BTreeMap<String, String> {
    let payloads = CATALOGUE.iter().map(|kind| (format!("schemas/{}.json", kind.events_id), text(&schema::payload(kind))));
    let outcome = ("schemas/outcome.json".to_owned(), text(&schema::outcome()));
    let whole = [outcome, ("openapi.json".to_owned(), text(openapi())), ("openrpc.json".to_owned(), text(openrpc()))];
    payloads.chain(whole).chain([("schemas/README.md".to_owned(), index())]).collect()
}

fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The index of the payloads' schemas.
fn index() -> String {
    let mut page =
        "# Schemas of payloads\n\nWhat a handler gets, whole, as JSON Schema (2020-12): one file an event. Made by the \
         program's own tables; a test\nkeeps them current. [../openapi.md](../openapi.md) says more.\n\n\
         | event | | schema |\n|---|---|---|\n"
            .to_owned();
    for kind in CATALOGUE {
        page.push_str(&format!("| `{0}` | {1} | [{0}.json]({0}.json) |\n", kind.events_id, kind.title));
    }
    page.push_str("| any, at the stage `outcome` | How it ended | [outcome.json](outcome.json) |\n");
    page
}

fn written() -> Vec<String> {
    let files = fs::read_dir(docs().join("schemas")).map(|files| files.map(|file| file.unwrap().file_name())).unwrap();
    files.map(|name| format!("schemas/{}", name.to_string_lossy())).collect()
}

#[test]
fn the_files_in_docs_are_what_the_program_says() {
    let wanted = wanted();
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(docs().join("schemas")).unwrap();
        wanted.iter().for_each(|(path, text)| fs::write(docs().join(path), text).unwrap());
    }
    let is_old = |path: &&String| fs::read_to_string(docs().join(path)).unwrap_or_default() != wanted[*path];
    let old: Vec<&String> = wanted.keys().filter(is_old).collect();
    assert!(old.is_empty(), "these files in docs are not current; run this test with {WRITE}=1 to write them: {old:?}");
    let lost: Vec<String> = written().into_iter().filter(|path| !wanted.contains_key(path)).collect();
    assert!(lost.is_empty(), "nothing is described by {lost:?}");
}
