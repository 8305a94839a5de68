//! Who of a before chain is asked first: by typed numbers, one step up or down, or dragged to a place.
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::json;

use super::{
    chains::{self, is_resellers},
    list, number, params, text,
};
use crate::{
    answer::{Answer, go_to, with_cookie},
    notice::Notice,
    parts::{form::Faults, list::objects},
    session::Typed,
    visitor::Visitor,
};

/// Changes that can be taken back: what a notice carries is small.
const UNDONE_MAX: usize = 25;

/// An order that a handler is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    id: i64,
    from: i64,
    to: i64,
}

/// Saves what was typed, or moves one.
pub(super) async fn save(visitor: Visitor, Typed(form): Typed) -> Answer {
    let back = list::back(&form);
    let wanted = match (form.text("move"), form.text("sequence")) {
        (Some(which), _) => moved(&visitor, which).await?,
        (_, Some(sequence)) => dragged(&visitor, sequence, form.text("events_id").unwrap_or_default()).await?,
        _ => match typed(form.iter()) {
            Ok(wanted) => wanted,
            Err(words) => return Ok(with_cookie(go_to(&back), &Notice::new(words).cookie())),
        },
    };
    let told = |words: &str| Ok(with_cookie(go_to(&back), &Notice::new(words).cookie()));
    if wanted.is_empty() {
        return told("The order is as it was.");
    }
    let known = all(&visitor).await?;
    let now = |id: i64| known.iter().find(|handler| number(handler, "id") == id);
    if let Some(moved) =
        wanted.iter().filter_map(|wanted| Some((wanted, now(wanted.id)?))).find(|(wanted, now)| is_moved(wanted, now))
    {
        let name = text(moved.1, "name");
        return told(&format!("Nothing was changed: somebody has moved “{name}” meanwhile. Look at the order as it is now."));
    }
    let (mut saved, mut warnings) = (0, Vec::new());
    for Wanted { id, to, .. } in &wanted {
        let mut change = params([("id", (*id).into()), ("order", (*to).into())]);
        if let Some(version) = now(*id).and_then(|handler| handler.get("version")) {
            change.insert("version".to_owned(), version.clone());
        }
        match visitor.act("provisioning.handlers.update", change).await {
            Ok(answer) => warnings.extend(answer.warnings),
            Err(refusal) if saved == 0 => return Err(refusal.into()),
            Err(refusal) => {
                let name = now(*id).map_or("", |handler| text(handler, "name"));
                warnings.insert(0, format!("“{name}”: {}", Faults::of_refusal(&refusal).words));
                break;
            }
        }
        saved += 1;
    }
    let words = if saved == wanted.len() {
        "The order is saved, and counts from now on.".to_owned()
    } else {
        format!("Only {saved} of {} are where they were put: the next one was refused.", wanted.len())
    };
    let notice = Notice::new(words).warning(&warnings);
    if saved > UNDONE_MAX {
        return Ok(with_cookie(go_to(&back), &notice.cookie()));
    }
    // Back again is a typed order the other way round.
    let mut undo = vec![("back".to_owned(), back.clone())];
    for Wanted { id, from, to } in &wanted[..saved] {
        undo.push((format!("order.{id}"), from.to_string()));
        undo.push((format!("was.{id}"), to.to_string()));
    }
    let fields: Vec<(&str, &str)> = undo.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(with_cookie(go_to(&back), &notice.undone_by("/provisioning/handlers/order", &fields).cookie()))
}

/// True if a handler does not stand any more where the page showed it.
fn is_moved(wanted: &Wanted, now: &Object) -> bool {
    now.contains_key("order") && number(now, "order") != wanted.from
}

/// Numbers that were changed. One that stands in two chains counts where it was changed.
fn typed<'a>(form: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Vec<Wanted>, String> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut last = None;
    for (name, text) in form {
        if let Some(id) = name.strip_prefix("order.").and_then(|id| id.parse().ok()) {
            last = Some((id, text.trim()));
        } else if let (Some((id, text)), Some(from)) = (last.take(), name.strip_prefix("was.").and(text.parse().ok())) {
            let Some(to) = text.parse().ok().filter(|to| (1..=i64::from(i32::MAX)).contains(to)) else {
                return Err(format!("Nothing was changed: “{text}” is no order. An order is a whole number from 1 on."));
            };
            if to != from {
                wanted.retain(|other| other.id != id);
                wanted.push(Wanted { id, from, to });
            }
        }
    }
    Ok(wanted)
}

/// To the other side of the one beside it, as the page shows the chain of an event: `clients.create 7 3` puts 7 where 3 is.
async fn moved(visitor: &Visitor, which: &str) -> Result<Vec<Wanted>, Refusal> {
    let parts: Vec<&str> = which.split(' ').collect();
    let [events_id, id, other] = parts[..] else { return Ok(Vec::new()) };
    let mut chain = chain(visitor, events_id).await?;
    let place = |id: &str| chain.iter().position(|handler| number(handler, "id").to_string() == id);
    let (Some(from), Some(to)) = (place(id), place(other)) else { return Ok(Vec::new()) };
    if is_resellers(&chain[from]) == is_resellers(&chain[to]) {
        let one = chain.remove(from);
        chain.insert(to, one);
    }
    Ok(settled(&chain))
}

/// A chain in the order in which its rows were put.
async fn dragged(visitor: &Visitor, sequence: &str, events_id: &str) -> Result<Vec<Wanted>, Refusal> {
    let mut chain = put_in(chain(visitor, events_id).await?, sequence);
    chain.sort_by_key(is_resellers);
    Ok(settled(&chain))
}

/// Those who are named, `7 3 9`, in that order at the places that they have among them; the others, whom the page did not show, where
/// they are.
fn put_in(mut chain: Vec<Object>, sequence: &str) -> Vec<Object> {
    let place = |handler: &Object| sequence.split(' ').position(|named| named == number(handler, "id").to_string());
    let mut named: Vec<Object> = chain.iter().filter(|handler| place(handler).is_some()).cloned().collect();
    named.sort_by_key(place);
    let mut named = named.into_iter();
    for handler in chain.iter_mut().filter(|handler| place(handler).is_some()) {
        if let Some(next) = named.next() {
            *handler = next;
        }
    }
    chain
}

/// All that are asked before something happens.
async fn all(visitor: &Visitor) -> Result<Vec<Object>, Refusal> {
    Ok(objects(visitor.ask("provisioning.handlers.search", json!({"type": "before", "limit": 1000})).await?))
}

/// The chain as it is now: also of those who are not enabled, who keep their places.
async fn chain(visitor: &Visitor, events_id: &str) -> Result<Vec<Object>, Refusal> {
    let takes = |handler: &Object| chains::events_of(handler).iter().any(|kind| kind.events_id == events_id);
    let mut chain: Vec<Object> = all(visitor).await?.into_iter().filter(takes).collect();
    chain.retain(|handler| text(handler, "status") != "archived");
    chain.sort_by_key(chains::turn);
    Ok(chain)
}

/// The orders that put a chain into this sequence, changing as few as that takes: the numbers that there are, handed out anew, each
/// above the one before.
fn settled(chain: &[Object]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for part in [false, true] {
        let part: Vec<&Object> = chain.iter().filter(|handler| is_resellers(handler) == part).collect();
        let mut orders: Vec<i64> = part.iter().map(|handler| number(handler, "order")).collect();
        orders.sort_unstable();
        let mut last = 0;
        for (handler, order) in part.into_iter().zip(orders) {
            let (id, from, to) = (number(handler, "id"), number(handler, "order"), order.max(last + 1));
            last = to;
            if from != to {
                wanted.push(Wanted { id, from, to });
            }
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn chain(rows: &[(i64, i64)]) -> Vec<Object> {
        rows.iter()
            .map(|(id, order)| params([("id", (*id).into()), ("order", (*order).into()), ("companies_id", Value::Null)]))
            .collect()
    }

    fn orders(rows: &[(i64, i64)]) -> Vec<(i64, i64)> {
        settled(&chain(rows)).into_iter().map(|wanted| (wanted.id, wanted.to)).collect()
    }

    #[test]
    fn two_that_change_places_change_their_numbers() {
        assert_eq!(orders(&[(2, 20), (1, 10), (3, 30)]), [(2, 10), (1, 20)]);
        assert_eq!(orders(&[(1, 10), (2, 20)]), []);
    }

    #[test]
    fn who_is_not_shown_keeps_his_place_when_others_are_dragged() {
        let ids = |chain: Vec<Object>| chain.iter().map(|handler| number(handler, "id")).collect::<Vec<_>>();
        assert_eq!(ids(put_in(chain(&[(1, 1), (2, 2), (3, 3), (4, 4)]), "4 1 3")), [4, 2, 1, 3]);
    }

    #[test]
    fn where_numbers_are_alike_they_are_told_apart() {
        assert_eq!(orders(&[(2, 100), (1, 100), (3, 100)]), [(1, 101), (3, 102)]);
    }

    #[test]
    fn only_what_was_typed_anew_counts() {
        let form = [("order.1", "10"), ("was.1", "10"), ("order.2", "5"), ("was.2", "20"), ("order.2", "20"), ("was.2", "20")];
        assert_eq!(typed(form.into_iter()).unwrap(), [Wanted { id: 2, from: 20, to: 5 }]);
        assert!(typed([("order.1", "first"), ("was.1", "10")].into_iter()).is_err());
    }
}
