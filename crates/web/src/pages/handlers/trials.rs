//! What a before handler would have decided: out of the log where it is a shadow, or asked about what the journal has. In plain words.
use askama::Template;
use axum::extract::Path;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{get_one, number, params, place, text};
use crate::{
    answer::{Answer, show, show_again},
    html::Html,
    markup,
    parts::{form::Faults, table::Table, words},
    session::Typed,
    visitor::{Page, Visitor},
};

#[derive(Template)]
#[template(path = "pages/handlers/backtest.html")]
struct Shown {
    page: Page,
    href: String,
    faults: Html,
    summary: Html,
}

/// What a shadow would have decided.
pub(super) async fn shadow(visitor: &Visitor, id: i64) -> Result<Html, Refusal> {
    let Value::Object(said) = visitor.ask("provisioning.handlers.shadow", json!({"id": id})).await? else {
        return Ok(Html::default());
    };
    let reach = match said.get("complete") {
        Some(Value::Bool(false)) => "These are its newest 10,000 calls as a shadow.",
        _ => "These are all of its calls as a shadow that the log has.",
    };
    Ok(markup!(
        "<h2>What it would have decided</h2><p>It is asked about everything and decides nothing. {}</p>{}",
        reach,
        summary(&said)
    ))
}

/// Asks about the last events.
pub(super) async fn backtest(visitor: Visitor, Path(id): Path<i64>, Typed(form): Typed) -> Answer {
    let handler = get_one(&visitor, id).await?;
    let mut asked = params([("id", id.into())]);
    if let Some(last) = form.text("last") {
        asked.insert("last".to_owned(), last.parse::<i64>().map_or_else(|_| last.into(), Value::from));
    }
    let said = visitor.act("provisioning.handlers.backtest", asked).await;
    let page = |faults: Html, summary: Html| Shown {
        page: visitor.page(format!("Back-test of {}", text(&handler, "name")), "handlers"),
        href: place(id),
        faults,
        summary,
    };
    match said {
        Ok(answer) => {
            let said = answer.result.as_object().cloned().unwrap_or_default();
            Ok(show(&page(Html::default(), markup!("{}{}", planned(&said), summary(&said)))))
        }
        Err(refusal) => Ok(show_again(&page(Faults::of_refusal(&refusal).html(), Html::default()))),
    }
}

fn planned(said: &Object) -> Html {
    let (planned, asked, unwanted) = (number(said, "planned"), number(said, "asked"), number(said, "unwanted"));
    let mut sentences = vec![format!(
        "There are {} in the journal that it takes; it was asked about {}.",
        words::counted(planned, "event", "events"),
        words::number(asked)
    )];
    if unwanted > 0 {
        sentences.push(format!("Its condition left out {}.", words::number(unwanted)));
    }
    let missing = planned - asked - unwanted;
    if missing > 0 {
        sentences.push(format!("{} did not fit into 50 seconds.", words::number(missing)));
    }
    markup!("<p>{}</p>", sentences.join(" "))
}

fn summary(said: &Object) -> Html {
    let asked = number(said, "asked");
    let share = |name: &str| match asked {
        0 => String::new(),
        asked => format!("{:.1} %", number(said, name) as f64 * 100.0 / asked as f64),
    };
    let mut table = Table::new("What it would have decided", &["It would have", "Times", "Of those asked"])
        .numbers(&["Times", "Of those asked"]);
    let rows = [
        ("would_allow", words::state("allowed"), "as they were"),
        ("would_change", words::state("allowed"), "with changes"),
        ("would_forbid", words::state("refused"), ""),
        ("failed", words::state("failed"), "to decide"),
    ];
    for (name, state, more) in rows {
        table.row(
            name,
            vec![markup!("{} {}", state, more), Html::text(&words::number(number(said, name))), Html::text(&share(name))],
        );
    }
    let mut shown = table.html();
    let skipped = number(said, "skipped");
    if skipped > 0 {
        shown.push(&markup!("<p>{} was due and not asked: too many of its calls were under way.</p>", words::number(skipped)));
    }
    if let (Some(median), Some(p95)) = (said.get("median_ms").filter(|ms| !ms.is_null()), said.get("p95_ms")) {
        shown.push(&markup!(
            "<p>Half of its calls took at most {}, 95 % at most {}.</p>",
            words::milliseconds(median),
            words::milliseconds(p95)
        ));
    }
    for (name, title) in [("changed_keys", "It would have changed"), ("failed_reasons", "It failed because of")] {
        if let Some(Value::Object(counts)) = said.get(name).filter(|counts| **counts != json!({})) {
            let counts = counts.iter().map(|(key, count)| markup!("<code>{}</code> {} times", key, count.to_string()));
            shown.push(&markup!("<p>{} {}</p>", title, Html::joined(counts, ", ")));
        }
    }
    shown.push(&examples(said));
    shown
}

fn examples(said: &Object) -> Html {
    let Some(Value::Array(examples)) = said.get("forbidden_examples").filter(|examples| **examples != json!([])) else {
        return Html::default();
    };
    let mut table = Table::new("Some that it would have refused", &["Event", "Client", "Its words"]);
    for example in examples.iter().filter_map(Value::as_object) {
        let (event_id, client) = (text(example, "event_id"), number(example, "clients_id"));
        let title = hookswitch_model::event::kind(text(example, "events_id")).map_or("", |kind| kind.title);
        table.row(
            event_id,
            vec![
                words::link(&format!("/provisioning/events/{event_id}"), title),
                if client == 0 { words::nothing() } else { words::link(&format!("/clients/{client}"), client) },
                words::text(example.get("message").unwrap_or(&Value::Null)),
            ],
        );
    }
    markup!("<h3>Some that it would have refused</h3>{}", table.html())
}
