//! What the pages of all objects have in common: a list that is searched, a form that makes one, a form that changes one, a button that
//! deletes it. A page says what is its own ([`Thing`]): its methods, its columns, its boxes.
//!
//! Who may not change such an object sees it without boxes and buttons. The door refuses anyway.
use std::future::Future;

use askama::Template;
use axum::{
    Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use hookswitch_api::Api;
use hookswitch_core::access::Right;
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Value, json};

use super::{names::Names, pick, plain::ListPage};
use crate::{
    answer::{Answer, go_to, show, show_again, with_cookie},
    html::Html,
    markup,
    notice::Notice,
    params::Params,
    parts::{
        form::{self, Choices, Faults, Form, Group},
        input::{Choice, Input},
        json::{SHOWN_BYTES_MAX, cut_by_markup},
        list::List,
        table::{Column, Empty, Table},
    },
    session::Typed,
    visitor::{Page, Visitor},
};

/// Where the pages of an object are, and by which methods it is kept.
pub(crate) struct Of {
    /// The address of the list.
    pub(crate) path: &'static str,
    /// The word of the navigation.
    pub(crate) here: &'static str,
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
    pub(crate) get: &'static str,
    pub(crate) search: &'static str,
    pub(crate) create: &'static str,
    /// Empty: it is never changed.
    pub(crate) update: &'static str,
    /// Empty: it is never deleted, or elsewhere.
    pub(crate) delete: &'static str,
    /// What it asks of the reader's role to change one.
    pub(crate) right: Right,
    pub(crate) groups: &'static [Group],
    /// The order of the list, unless the address says another.
    pub(crate) order: &'static str,
    /// The foreign keys that its list shows by name.
    pub(crate) names: &'static [&'static str],
    /// True if a new one is some client's: the form begins with the question whose.
    pub(crate) of_a_client: bool,
}

impl Of {
    /// The address of one of them.
    pub(crate) fn at(&self, id: impl std::fmt::Display) -> String {
        format!("{}/{id}", self.path)
    }
}

/// What is a page's own of an object.
pub(crate) trait Thing: Send + Sync + 'static {
    const OF: Of;
    /// The title of the boxes that are none of its own fields.
    const EXTRA: &'static str = "";

    /// The columns of its list.
    fn columns(list: &List) -> Vec<Column>;

    /// A row of its list: one cell for each column.
    fn cells(visitor: &Visitor, names: &Names, row: &Object) -> Vec<Html>;

    /// The boxes of the list's filters: a few that are seen, more behind a click.
    fn filters(names: &Names) -> (Vec<Input>, Vec<Input>);

    /// What else was perhaps meant by what is looked for.
    fn hint(_visitor: &Visitor) -> impl Future<Output = Result<Html, Refusal>> + Send {
        async { Ok(Html::default()) }
    }

    /// What is said where there are none yet.
    fn empty() -> Empty;

    /// What can be chosen for its foreign keys: of a new one as far as it is typed, or of one that is there.
    fn choices(_visitor: &Visitor, _known: &Params) -> impl Future<Output = Result<Choices, Refusal>> + Send {
        async { Ok(Choices::new()) }
    }

    /// What the boxes of a new one hold.
    fn defaults(_visitor: &Visitor) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Boxes that are none of its own fields, filled.
    fn extra(
        _visitor: &Visitor,
        _object: Option<&Object>,
        _filled: &mut Params,
        _faults: &Faults,
    ) -> impl Future<Output = Result<Vec<Input>, Refusal>> + Send {
        async { Ok(Vec::new()) }
    }

    /// What was typed, where a form says more than its boxes do.
    fn adjust(_params: &mut Object, _typed: &Params, _object: Option<&Object>) {}

    /// The method that makes a new one.
    fn creation(_typed: &Params) -> &'static str {
        Self::OF.create
    }

    /// Its name, as the title of its page.
    fn title(object: &Object) -> String;

    /// What is known of it, for who may not change it, and of what nobody changes.
    fn known(_visitor: &Visitor, object: &Object, choices: &Choices) -> Html {
        facts(Self::OF.groups, object, choices)
    }

    /// What stands above its form.
    fn above(_visitor: &Visitor, _object: &Object) -> Html {
        Html::default()
    }

    /// What else its page shows, below its form.
    fn below(_visitor: &Visitor, _object: &Object) -> impl Future<Output = Result<Html, Refusal>> + Send {
        async { Ok(Html::default()) }
    }

    /// Buttons beside its title.
    fn actions(_object: &Object) -> Html {
        Html::default()
    }

    /// What goes with it, and what does not come back.
    fn deletion(_object: &Object) -> &'static str {
        "There is no way back."
    }

    /// Where one goes once it is made or changed.
    fn after(_object: &Object) -> String {
        Self::OF.path.to_owned()
    }

    /// The page after a new one was made.
    fn made(_visitor: &Visitor, made: &hookswitch_core::Answer) -> Answer {
        let object = object_of(made.result.clone())?;
        let words = format!("{} {} was created.", Self::OF.one, named(&object));
        let notice = Notice::new(words).warning(&made.warnings);
        Ok(with_cookie(go_to(&Self::after(&object)), &notice.cookie()))
    }
}

/// Its id and, if it has one, its name.
fn named(object: &Object) -> String {
    let name = ["name", "login", "title"].iter().find_map(|name| object.get(*name)?.as_str());
    name.map_or_else(|| object["id"].to_string(), |name| format!("{} “{name}”", object["id"]))
}

/// A page of one object: what is known of it, its form, what can be done with it.
#[derive(Template)]
#[template(path = "pages/object.html")]
pub(crate) struct ObjectPage {
    pub(crate) page: Page,
    pub(crate) actions: Html,
    pub(crate) above: Html,
    pub(crate) body: Html,
    pub(crate) below: Html,
}

/// The addresses of an object's pages.
pub(crate) fn routes<T: Thing>() -> Router<Api> {
    let path = T::OF.path;
    let mut pages = Router::new()
        .route(path, get(list::<T>))
        .route(&T::OF.at("new"), get(new::<T>).post(create::<T>))
        .route(&T::OF.at("{id}"), get(open::<T>));
    if !T::OF.update.is_empty() {
        pages = pages.route(&T::OF.at("{id}"), post(update::<T>));
    }
    if !T::OF.delete.is_empty() {
        pages = pages.route(&T::OF.at("{id}/delete"), post(delete::<T>).get(back::<T>));
    }
    pages
}

/// One of a method's objects.
pub(crate) fn object_of(value: Value) -> Result<Object, Refusal> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::internal("a method that gives an object gave none")),
    }
}

/// One object by its id.
pub(crate) async fn one(visitor: &Visitor, get: &'static str, id: i64) -> Result<Object, Refusal> {
    object_of(visitor.ask(get, json!({"id": id})).await?)
}

/// The list of a method, in its usual order unless the address says another.
pub(crate) async fn listed(visitor: &Visitor, of: &Of) -> Result<List, Refusal> {
    let is_ordered = of.order.is_empty() || visitor.query.text("order").is_some();
    let fixed = if is_ordered { json!({}) } else { json!({"order": [of.order]}) };
    List::ask(visitor, of.search, fixed).await
}

pub(crate) async fn list<T: Thing>(visitor: Visitor) -> Answer {
    let list = listed(&visitor, &T::OF).await?;
    let names = Names::of(&visitor, &list.rows, T::OF.names).await?;
    let may = visitor.may(T::OF.right);
    let new = (T::OF.at("new"), format!("New {}", T::OF.one.to_lowercase()));
    let empty = match (list.is_filtered(), may) {
        (true, _) => Empty::new(format!("No {} is like that.", T::OF.one.to_lowercase())),
        (false, true) => T::empty().button(&new.0, &new.1),
        (false, false) => Empty { curl: String::new(), ..T::empty() },
    };
    let mut table = Table { columns: T::columns(&list), empty, ..Table::new(T::OF.many, &[]) };
    for row in &list.rows {
        table.row(row["id"].to_string(), T::cells(&visitor, &names, row));
    }
    let (seen, more) = T::filters(&names);
    let mut filters = list.filters(seen, more);
    filters.push(&T::hint(&visitor).await?);
    let page = visitor.page(T::OF.many, T::OF.here);
    Ok(show(&ListPage { page, button: may.then_some(new), filters, table: table.html(), pager: list.pager() }))
}

/// What a form is for, and what is in it.
pub(crate) struct Sheet<'a> {
    pub(crate) method: &'static str,
    pub(crate) object: Option<&'a Object>,
    pub(crate) filled: Params,
    pub(crate) faults: Faults,
    /// Where it is sent, and where one goes who gives up.
    pub(crate) action: String,
    pub(crate) cancel: String,
}

impl Sheet<'_> {
    pub(crate) async fn form<T: Thing>(self, visitor: &Visitor) -> Result<Html, Refusal> {
        let Self { method, object, mut filled, faults, action, cancel } = self;
        let mut choices = T::choices(visitor, &filled).await?;
        if let Some(clients_id) = filled.number("clients_id").filter(|_| T::OF.of_a_client) {
            choices.insert("clients_id", vec![pick::choice(visitor, clients_id).await?]);
        }
        let extra = T::extra(visitor, object, &mut filled, &faults).await?;
        let submit = if object.is_some() { "Save" } else { "Create" };
        let form = Form::new(method, T::OF.groups, &filled, &choices, faults).and(T::EXTRA, extra);
        // Whose it is stands above, with a link.
        let form = if object.is_some() && T::OF.of_a_client { form.without("clients_id") } else { form };
        Ok(form.sent_to(action, submit, cancel).html())
    }
}

async fn new<T: Thing>(visitor: Visitor) -> Answer {
    if T::OF.of_a_client && visitor.query.number("clients_id").is_none() {
        return pick::page(&visitor, T::OF.one, T::OF.here).await;
    }
    let mut filled = form::fresh(&[]);
    for (name, text) in T::defaults(&visitor) {
        filled = filled.with(name, Some(&text));
    }
    // What the address says is filled in already.
    for name in T::OF.groups.iter().flat_map(|group| group.boxes).map(|spot| spot.name) {
        if let Some(text) = visitor.query.text(name) {
            filled = filled.with(name, Some(text));
        }
    }
    Ok(show(&new_page::<T>(&visitor, filled, Faults::none()).await?))
}

async fn new_page<T: Thing>(visitor: &Visitor, filled: Params, faults: Faults) -> Result<ObjectPage, Refusal> {
    visitor.caller.demand(T::OF.right)?;
    let cancel = match filled.number("clients_id") {
        Some(clients_id) if T::OF.of_a_client => format!("/clients/{clients_id}"),
        _ => T::OF.path.to_owned(),
    };
    let sheet = Sheet { method: T::OF.create, object: None, filled, faults, action: T::OF.at("new"), cancel };
    let body = sheet.form::<T>(visitor).await?;
    let page = visitor.page(format!("New {}", T::OF.one.to_lowercase()), T::OF.here);
    Ok(ObjectPage { page, actions: Html::default(), above: Html::default(), body, below: Html::default() })
}

async fn create<T: Thing>(visitor: Visitor, Typed(typed): Typed) -> Answer {
    let method = T::creation(&typed);
    let mut params = form::typed(method, T::OF.groups, &typed);
    T::adjust(&mut params, &typed, None);
    match visitor.act(method, params).await {
        Ok(answer) => T::made(&visitor, &answer),
        Err(refusal) => {
            let (typed, faults) = again(typed, &refusal);
            Ok(show_again(&new_page::<T>(&visitor, typed, faults).await?))
        }
    }
}

/// A form that was refused. One that was sent before, and changed since, gets a key of its own: who sends it again means it.
pub(crate) fn again(typed: Params, refusal: &Refusal) -> (Params, Faults) {
    if !matches!(refusal, Refusal::Unprocessable { code, .. } if *code == "idempotency_key_reused") {
        return (typed, Faults::of_refusal(refusal));
    }
    let key = form::fresh(&[]).raw("idempotency_key").map(str::to_owned);
    let words = "This form was sent before with other values, and that was carried out. Send it again to do this besides.";
    (typed.with("idempotency_key", key.as_deref()), Faults::saying(words))
}

async fn open<T: Thing>(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let object = one(&visitor, T::OF.get, id).await?;
    let filled = form::filled(T::OF.groups, &object);
    Ok(show(&object_page::<T>(&visitor, &object, filled, Faults::none()).await?))
}

/// The page of one object, with what was wrong with what was typed or done.
pub(crate) async fn object_page<T: Thing>(
    visitor: &Visitor,
    object: &Object,
    filled: Params,
    faults: Faults,
) -> Result<ObjectPage, Refusal> {
    let may = visitor.may(T::OF.right);
    let action = T::OF.at(&object["id"]);
    let body = if may && !T::OF.update.is_empty() {
        let (method, cancel) = (T::OF.update, T::after(object));
        Sheet { method, object: Some(object), filled, faults, action: action.clone(), cancel }.form::<T>(visitor).await?
    } else {
        let mut body = faults.html();
        body.push(&T::known(visitor, object, &T::choices(visitor, &filled).await?));
        body
    };
    let mut actions = Html::default();
    if may {
        actions.push(&T::actions(object));
    }
    let mut below = T::below(visitor, object).await?;
    if may && !T::OF.delete.is_empty() {
        below.push(&deletion(&format!("{action}/delete"), T::OF.one, T::deletion(object)));
    }
    let page = visitor.page(T::title(object), T::OF.here);
    Ok(ObjectPage { page, actions, above: T::above(visitor, object), body, below })
}

/// The button that deletes something, folded away, beside what that means.
fn deletion(action: &str, one: &str, words: &str) -> Html {
    let one = one.to_lowercase();
    markup!(
        "<details class=\"ending\"><summary>Delete this {}</summary><p>{}</p><form method=\"post\" action=\"{}\"><button class=\"danger\">Delete this {}</button></form></details>",
        one,
        words,
        action,
        one
    )
}

/// A text, as far as a page can hold it.
fn shortened(text: &str) -> String {
    let shown = cut_by_markup(text, SHOWN_BYTES_MAX);
    if shown.len() < text.len() { format!("{shown}…") } else { shown.to_owned() }
}

/// What an object's form would show, for who may only read.
pub(crate) fn facts(groups: &[Group], object: &Object, choices: &Choices) -> Html {
    let mut rows = Html::default();
    for spot in groups.iter().flat_map(|group| group.boxes) {
        let value = object.get(spot.name).unwrap_or(&Value::Null);
        let text = form::shown_text(value);
        let text = if value.is_array() { text.replace('\n', ", ") } else { text };
        if !text.is_empty() && !["password", "clients_id"].contains(&spot.name) {
            let named = choices.get(spot.name).and_then(|known| known.iter().find(|choice| choice.value == text));
            let text = named.map_or(text, |choice: &Choice| choice.label.clone());
            rows.push(&markup!("<dt>{}</dt><dd class=\"as-typed\">{}</dd>", spot.label, shortened(&text)));
        }
    }
    markup!("<dl class=\"facts\">{}</dl>", rows)
}

async fn update<T: Thing>(visitor: Visitor, Path(id): Path<i64>, Typed(typed): Typed) -> Answer {
    let object = one(&visitor, T::OF.get, id).await?;
    let mut params = form::typed(T::OF.update, T::OF.groups, &typed);
    T::adjust(&mut params, &typed, Some(&object));
    params.insert("id".to_owned(), id.into());
    match visitor.act(T::OF.update, params).await {
        Ok(answer) => {
            let notice = Notice::new(format!("{} {} was saved.", T::OF.one, named(&object))).warning(&answer.warnings);
            Ok(with_cookie(go_to(&T::after(&object)), &notice.cookie()))
        }
        Err(refusal) => Ok(show_again(&object_page::<T>(&visitor, &object, typed, Faults::of_refusal(&refusal)).await?)),
    }
}

async fn delete<T: Thing>(visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let object = one(&visitor, T::OF.get, id).await?;
    match visitor.ask(T::OF.delete, json!({"id": id})).await {
        Ok(_) => Ok(gone::<T>(&object)),
        Err(refusal) => {
            let filled = form::filled(T::OF.groups, &object);
            Ok(show_again(&object_page::<T>(&visitor, &object, filled, Faults::of_refusal(&refusal)).await?))
        }
    }
}

/// Where somebody comes back to what was refused there: to the object itself.
pub(crate) async fn back<T: Thing>(Path(id): Path<i64>) -> Response {
    go_to(&T::OF.at(id))
}

fn gone<T: Thing>(object: &Object) -> Response {
    let notice = Notice::new(format!("{} {} was deleted.", T::OF.one, named(object)));
    with_cookie(go_to(&T::after(object)), &notice.cookie())
}
