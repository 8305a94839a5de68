//! The task of a SQL handler in boxes: engine, user, server, database; or a file. An address that does not come out of these boxes as it
//! went into them stands in a box of its own, as it is: so none is ever changed by being shown.
use hookswitch_model::handler::task::SQL;
use percent_encoding::percent_decode_str;

use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{
        form::Faults,
        input::{Choice, Input, Kind},
    },
};

/// The box of an address that fits no other.
const WHOLE: &str = "sql_whole";
const ENGINE: &str = "sql_engine";
const USER: &str = "sql_user";
/// The box that an address is pasted into.
pub(super) const HOST: &str = "sql_host";
const DATABASE: &str = "sql_database";
const FILE: &str = "sql_file";
/// All of them.
pub(super) const BOXES: &[&str] = &[WHOLE, ENGINE, USER, HOST, DATABASE, FILE];

const SQLITE: &str = "sqlite";
/// When the engine is one behind a port, by all their names.
pub(super) const BEHIND_A_PORT: &str = "sql_engine=postgres|postgresql|mysql|mariadb";
/// When it is a file.
const IN_A_FILE: &str = "sql_engine=sqlite";
/// What stands for itself in an address, besides letters and digits.
const PLAIN: &str = "-._~!$'()*+,;=";

/// What each box holds for a task.
pub(super) fn apart(task: &str) -> Vec<(&'static str, String)> {
    let filled = parts(task).unwrap_or_default();
    let holds = |name: &str| filled.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone());
    let is_whole = put(&|name| holds(name)).is_none_or(|again| again != task);
    let shown = |name: &&'static str| {
        let text = if is_whole { (*name == WHOLE).then(|| task.to_owned()) } else { holds(name) };
        (*name, text.unwrap_or_default())
    };
    BOXES.iter().map(shown).collect()
}

fn parts(task: &str) -> Option<Vec<(&'static str, String)>> {
    let (place, engine) = task.strip_prefix(SQL)?.split_once("?engine=")?;
    let engine = Some(engine).filter(|engine| engine.chars().all(|c| c.is_ascii_alphanumeric()))?;
    let mut parts = vec![(ENGINE, engine.to_owned())];
    if engine == SQLITE {
        parts.push((FILE, decoded(place)));
    } else {
        let (server, database) = place.split_once('/')?;
        let (user, host) = server.rsplit_once('@').unwrap_or(("", server));
        parts.extend([(USER, decoded(user)), (HOST, host.to_owned()), (DATABASE, decoded(database))]);
    }
    Some(parts)
}

/// The task that the boxes name; `None` = they are empty.
pub(super) fn together(form: &Params) -> Option<String> {
    put(&|name| form.text(name).map(str::to_owned))
}

fn put(holds: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let text = |name: &str| holds(name).unwrap_or_default();
    let engine = holds(ENGINE).unwrap_or_else(|| "postgres".to_owned());
    if let Some(whole) = holds(WHOLE) {
        return Some(whole);
    }
    if engine == SQLITE {
        return holds(FILE).map(|file| format!("{SQL}{}?engine={SQLITE}", encoded(&file, "/@:")));
    }
    let (user, host, database) = (text(USER), text(HOST), text(DATABASE));
    if [&user, &host, &database].iter().all(|text| text.is_empty()) {
        return None;
    }
    if host.contains("://") {
        // A whole address, but none that is understood: the API says what can be.
        return Some(host);
    }
    let user = if user.is_empty() { user } else { format!("{}@", encoded(&user, "")) };
    Some(format!("{SQL}{user}{host}/{}?engine={engine}", encoded(&database, "@:")))
}

fn encoded(text: &str, more: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || PLAIN.contains(character) || more.contains(character) {
            encoded.push(character);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The box that something said of the task is about.
pub(super) fn spot(form: &Params) -> &'static str {
    match form.text(ENGINE) {
        _ if form.text(WHOLE).is_some() => WHOLE,
        Some(SQLITE) => FILE,
        _ => HOST,
    }
}

/// Its boxes, as markup. Files are for users of the whole system.
pub(super) fn boxes(form: &Params, faults: &Faults, has_files: bool) -> Html {
    let input = |name: &'static str, label: &str, kind: Kind, help: &str| {
        Input::new(name, label, kind).help(help).filled(form.raw(name).unwrap_or_default()).wrong(faults.of(name)).html()
    };
    let whole = form.text(WHOLE).map_or_else(Html::default, |_| {
        let help = "It does not fit into the boxes below, and counts as it stands here. Empty it to use those";
        input(WHOLE, "Address of the database", Kind::Line, help)
    });
    let mut engines = vec![Choice::new("postgres", "PostgreSQL"), Choice::new("mysql", "MySQL or MariaDB")];
    if has_files {
        engines.push(Choice::new(SQLITE, "SQLite: a file"));
    }
    markup!(
        "{}<div class=\"beside even\">{}<div data-when=\"{}\">{}</div><div data-when=\"{}\">{}</div><div data-when=\"{}\">{}</div>\
         <div data-when=\"{}\">{}</div></div>",
        whole,
        input(ENGINE, "Engine", Kind::Choice(engines), "Whose SQL it speaks"),
        BEHIND_A_PORT,
        input(HOST, "Server", Kind::Line, "Host and port, such as 10.0.0.5:5432"),
        BEHIND_A_PORT,
        input(DATABASE, "Database", Kind::Line, "Its name there, such as kamailio"),
        BEHIND_A_PORT,
        input(USER, "User", Kind::Line, "Who signs in there"),
        IN_A_FILE,
        input(FILE, "File", Kind::Line, "Of this machine, such as /srv/kamailio.db"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(task: &str, name: &str) -> String {
        apart(task).into_iter().find(|(known, _)| *known == name).unwrap().1
    }

    #[test]
    fn what_is_taken_apart_comes_together_again() {
        for task in [
            "sql://u@h/d?engine=postgres",
            "sql://kam%40x@db.example:3306/a%2Fb%20%C3%A9?engine=mariadb",
            "sql://a+b@[::1]:99/d@e?engine=mysql",
            "sql:///srv/a%20b/c+d.db?engine=sqlite",
            "sql://h/d?engine=mysql",
        ] {
            assert_eq!(holds(task, WHOLE), "", "{task}");
            assert_eq!(together(&apart(task).into_iter().collect()).as_deref(), Some(task));
        }
        let task = "sql://kam%40x@db.example:3306/a%2Fb%20%C3%A9?engine=mariadb";
        assert_eq!((holds(task, USER), holds(task, DATABASE)), ("kam@x".to_owned(), "a/b é".to_owned()));
        assert_eq!(holds("sql:///srv/a%20b/c+d.db?engine=sqlite", FILE), "/srv/a b/c+d.db");
    }

    #[test]
    fn what_does_not_fit_is_kept_as_it_is() {
        for task in [
            "sql://u@h/d",
            "sql://u@h/d?engine=mysql&x=1",
            "sql://u@h/d?x=1&engine=mysql",
            "sql://u@h?engine=mysql",
            "sql://@h/d?engine=mysql",
            "sql://u:p@h/d?engine=mysql",
            "sql://u%2Bx@h/d?engine=mysql",
            "sql://u@h/%ff?engine=mysql",
            "sql://u@h/%c3%a9?engine=mysql",
            "sql://u@h/a/b?engine=mysql",
            "sql:///a?b?engine=sqlite",
            "sql://u@h/d?engine=mysql#x",
            "sql://",
        ] {
            assert_eq!((holds(task, WHOLE).as_str(), holds(task, HOST).as_str()), (task, ""));
            assert_eq!(together(&apart(task).into_iter().collect()).as_deref(), Some(task));
        }
    }

    #[test]
    fn nothing_typed_is_no_task() {
        let typed =
            |pairs: &[(&'static str, &str)]| together(&pairs.iter().map(|(name, text)| (*name, (*text).to_owned())).collect());
        assert_eq!(typed(&[(ENGINE, "sqlite"), (HOST, "h")]), None);
        assert_eq!(typed(&[(ENGINE, "mysql"), (FILE, "/a")]), None);
        assert_eq!(typed(&[(ENGINE, "mysql"), (HOST, " h ")]).as_deref(), Some("sql://h/?engine=mysql"));
    }
}
