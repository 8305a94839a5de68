//! The docs hold what they say: links lead somewhere, code that is shown is the file it is taken from, every error has
//! its page. What a link of another site leads to is not looked at.
use std::{
    fs,
    path::{Path, PathBuf},
};

use hookswitch_testkit::companion::repository;

const FOLDERS: [&str; 7] = ["", "docs", "docs/errors", "docs/pages", "examples/handlers", "kits/python", "kits/node"];

/// Every Markdown page of the repository, and what is in it.
fn pages() -> Vec<(PathBuf, String)> {
    let files = FOLDERS.iter().flat_map(|folder| fs::read_dir(repository().join(folder)).unwrap());
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What stands between `](` and `)`: the links of a page.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

/// Headings as the anchors that they become: lower case, blanks as hyphens, other signs left out.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let kept = |sign: &char| sign.is_alphanumeric() || matches!(sign, '-' | '_');
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").chars().filter(kept).collect())
        .collect()
}

fn broken(page: &Path, text: &str, link: &str) -> bool {
    if link.starts_with("https://") || link.starts_with("http://") {
        return false;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = page.parent().unwrap().join(file);
    let aimed_at = if file.is_empty() { text.to_owned() } else { fs::read_to_string(&target).unwrap_or_default() };
    let found = file.is_empty() || target.exists();
    !found || (!anchor.is_empty() && !anchors(&aimed_at).contains(&anchor.to_owned()))
}

#[test]
fn every_link_within_the_docs_leads_somewhere() {
    let mut lost = Vec::new();
    for (page, text) in pages() {
        lost.extend(links(&text).filter(|link| broken(&page, &text, link)).map(|link| format!("{}: {link}", page.display())));
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn the_examples_in_the_docs_are_the_files_that_are_tested() {
    let page = fs::read_to_string(repository().join("docs/handlers.md")).unwrap();
    let folder = repository().join("examples/handlers");
    for file in fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name == "README.md" || !file.is_file() {
            continue;
        }
        let code = fs::read_to_string(&file).unwrap();
        let heading = format!("[examples/handlers/{name}]");
        let (_, rest) = page.split_once(&heading).unwrap_or_else(|| panic!("docs/handlers.md does not show {name}"));
        let shown = rest.split_once("\n```").and_then(|(_, rest)| rest.split_once('\n')).map(|(_, shown)| shown);
        assert!(shown.is_some_and(|shown| shown.starts_with(&format!("{code}```"))), "docs/handlers.md shows another {name}");
    }
}

/// What a switch's configuration is said to hold stands in the one that is tested, word for word: the blocks without a language.
#[test]
fn the_configurations_in_the_docs_are_those_that_are_tested() {
    let page = fs::read_to_string(repository().join("docs/softswitch.md")).unwrap();
    let mut compared = 0;
    for part in page.split("](../examples/").skip(1) {
        let (name, rest) = part.split_once(')').unwrap();
        let file = fs::read_to_string(repository().join("examples").join(name)).unwrap();
        let blocks = rest.split("\n```").skip(1).step_by(2);
        for shown in blocks.filter_map(|block| block.strip_prefix('\n')) {
            assert!(file.contains(&format!("\n{shown}\n")), "examples/{name} does not hold:\n{shown}");
            compared += 1;
        }
    }
    assert_eq!(compared, 3);
}

#[test]
fn every_error_has_a_page_and_the_list_names_it() {
    let list = fs::read_to_string(repository().join("docs/errors/README.md")).unwrap();
    for (page, _) in pages().iter().filter(|(page, _)| page.parent().unwrap().ends_with("docs/errors")) {
        let name = page.file_name().unwrap().to_string_lossy();
        assert!(name == "README.md" || list.contains(&format!("]({name})")), "{name} is not in the list");
    }
}
