//! The objects of a resync in their order, from a place on, as the events that tell of them: clients by id, and of each client
//! the client itself, its custom fields, its accounts, its open client packages, the state of its funds.
//!
//! The same from a snapshot, where events are counted and weighed, and in the transaction that writes them.
use std::sync::Arc;

use hookswitch_model::{
    Object,
    event::{Actor, Cause, Event, Kind, Mode, Resync as OfResync},
    handler::{Basis, Handler},
    moment::Moment,
    objects::{
        client::{Client, ClientStatus},
        client_package::ClientPackage,
        custom_field::ObjectType,
        resync::{Place, Resync, Selection},
    },
};
use hookswitch_store::{Error, Subject, Tx, Vault, tables};
use serde_json::Value;

use super::plan::Plan;
use crate::{access::Snapshot, methods::balance, perform::event_id_at};

/// Clients that one look goes over, also if none of them is chosen.
const CLIENTS_MAX: usize = 256;

/// Client packages that are read at once.
const PAGE: i64 = 64;

/// Behind the last client: everything is told.
pub(crate) const END: Place = Place(i64::MAX, Place::ALL, 0);

/// The parts of a client, in their order.
const CLIENT: i64 = 0;
const ARCHIVED: i64 = 1;
const CUSTOM_FIELDS: i64 = 2;
const ACCOUNTS: i64 = 3;
const PACKAGES: i64 = 4;
const BALANCE: i64 = 5;

/// Which objects of whom are told, and how.
#[derive(Clone)]
pub(crate) struct Walk {
    pub(crate) plan: Plan,
    clients_id: Option<Arc<Vec<i64>>>,
    /// Resellers: a client must be of each of these or below it.
    within: Vec<i64>,
    access: Arc<Snapshot>,
    vault: Vault,
}

/// How one object stands, as the event that tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// Where it stands in the order.
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    object_id: i64,
    clients_id: i64,
    companies_id: i64,
    data: Object,
    object: Object,
}

/// Who looks: a reader, or a writer who has each client for himself from before he looks at it.
trait Look {
    /// Comes to a client.
    fn enter(&mut self, clients_id: i64) -> Result<(), Error>;
    fn tx(&self) -> &Tx<'_>;
}

impl Look for &Tx<'_> {
    fn enter(&mut self, _: i64) -> Result<(), Error> {
        Ok(())
    }

    fn tx(&self) -> &Tx<'_> {
        self
    }
}

impl Look for &mut Tx<'_> {
    fn enter(&mut self, clients_id: i64) -> Result<(), Error> {
        self.lock(Subject::Client(clients_id))
    }

    fn tx(&self) -> &Tx<'_> {
        self
    }
}

/// What a look found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    /// Everything up to here was looked at; [`END`] = there is nothing behind.
    pub(crate) end: Option<Place>,
}

impl Item {
    /// The event, told now by a resync.
    pub(crate) fn event(self, (now, era): (Moment, i64), actor: &Actor, told_by: OfResync) -> Event {
        let Self { kind, object_id, clients_id, companies_id, data, object, .. } = self;
        Event {
            id: event_id_at(now),
            dt: now,
            kind,
            object_id,
            clients_id,
            companies_id,
            era,
            mode: Mode::Live,
            actor: actor.clone(),
            cause: Some(Cause::Resync { resync: told_by }),
            trace: None,
            data,
            previous: None,
            object,
        }
    }
}

/// The member `event.resync`.
pub(crate) fn told_by(resync: &Resync) -> OfResync {
    OfResync { id: resync.id, total: resync.total.unwrap_or(resync.sent) }
}

impl Walk {
    /// The walk of a selection for a handler; `None` if it takes no event that could tell.
    pub(crate) fn new(handler: &Handler, selection: &Selection, access: Arc<Snapshot>, vault: Vault) -> Option<Self> {
        let plan = Plan::of(handler)?;
        let within = [handler.companies_id, selection.companies_id].into_iter().flatten().collect();
        let clients_id = selection.clients_id.clone().map(Arc::new);
        Some(Self { plan, clients_id, within, access, vault })
    }

    /// True if clients were named one by one.
    pub(crate) fn is_of_clients(&self) -> bool {
        self.clients_id.is_some()
    }

    /// True if clients of this reseller are chosen.
    pub(crate) fn concerns(&self, companies_id: i64) -> bool {
        self.within.iter().all(|top| self.access.is_within(companies_id, *top))
    }

    /// What comes behind a place, at most `max` events.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) fn next(&self, tx: &Tx, from: Place, max: usize) -> Result<Found, Error> {
        self.look(tx, from, max)
    }

    /// The same, to be written: the clients are taken on the way, which is in ascending order.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) fn next_held(&self, tx: &mut Tx, from: Place, max: usize) -> Result<Found, Error> {
        self.look(tx, from, max)
    }

    fn look(&self, mut tx: impl Look, from: Place, max: usize) -> Result<Found, Error> {
        let mut found = Found { items: Vec::new(), end: Some(from) };
        if from.1 != Place::ALL {
            tx.enter(from.0)?;
            if !self.rest_of_client(tx.tx(), from, max, &mut found)? {
                return Ok(found);
            }
        }
        let behind = self.clients_behind(tx.tx(), from.0)?;
        for (id, companies_id) in &behind {
            if self.concerns(*companies_id) {
                tx.enter(*id)?;
                if !self.rest_of_client(tx.tx(), Place(*id, -1, 0), max, &mut found)? {
                    return Ok(found);
                }
            }
            found.end = Some(Place::end_of(*id));
        }
        if behind.len() < CLIENTS_MAX {
            found.end = Some(END);
        }
        Ok(found)
    }

    /// The next clients, chosen or not.
    fn clients_behind(&self, tx: &Tx, after: i64) -> Result<Vec<(i64, i64)>, Error> {
        let Some(chosen) = &self.clients_id else { return tables::clients::behind(tx, after, CLIENTS_MAX as i64) };
        let begin = chosen.partition_point(|id| *id <= after);
        let next = chosen.iter().skip(begin).take(CLIENTS_MAX);
        // One that is gone is none of any reseller's: it is passed over, and counts as looked at.
        next.map(|id| Ok((*id, tables::clients::company_of(tx, *id)?.unwrap_or(0)))).collect()
    }

    /// What is told of a client behind a place; false if there was no room for all of it.
    fn rest_of_client(&self, tx: &Tx, from: Place, max: usize, found: &mut Found) -> Result<bool, Error> {
        let Some(client) = tables::clients::get(tx, from.0)? else { return Ok(true) };
        let client = &client;
        for part in CLIENT..=BALANCE {
            let behind = if part == from.1 { from.2 } else { 0 };
            if part < from.1 {
                continue;
            }
            // One more than there is room for tells whether it is all.
            let room = (max + 1).saturating_sub(found.items.len());
            found.items.extend(self.part(tx, client, part, behind, room)?);
            if found.items.len() > max {
                found.items.truncate(max);
                found.end = found.items.last().map(|last| last.place).or(found.end);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One part of a client: its events behind an object, at most `room`.
    fn part(&self, tx: &Tx, client: &Client, part: i64, behind: i64, room: usize) -> Result<Vec<Item>, Error> {
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let item = |kind: Kind, object_id: i64, data: Object, object: Object| Item {
            place: Place(client.id, part, object_id),
            kind,
            object_id,
            clients_id: client.id,
            companies_id: client.companies_id,
            data,
            object,
        };
        // What there is one of is told once.
        let of_client = |kind: Option<Kind>, data: Object| match kind {
            Some(kind) if behind < client.id => vec![item(kind, client.id, data, client.shown())],
            _ => Vec::new(),
        };
        let whole = |kind: Kind, id: i64, shown: Object| item(kind, id, shown.clone(), shown);
        Ok(match part {
            CLIENT => of_client(self.plan.client, client.shown()),
            ARCHIVED => of_client(self.plan.archived.filter(|_| client.status == ClientStatus::Archived), Object::new()),
            CUSTOM_FIELDS if self.plan.custom_fields.is_some() => match custom_fields(tx, client)? {
                Some(values) => of_client(self.plan.custom_fields, values),
                None => Vec::new(),
            },
            ACCOUNTS => match self.plan.account {
                Some(kind) => {
                    let accounts = tables::accounts::of_client_behind(tx, &self.vault, client.id, behind, limit)?;
                    accounts.iter().map(|account| whole(kind, account.id, account.shown())).collect()
                }
                None => Vec::new(),
            },
            PACKAGES if self.plan.has_packages() => self
                .packages(tx, client.id, behind, room)?
                .into_iter()
                .map(|(kind, own)| whole(kind, own.id, own.shown()))
                .collect(),
            BALANCE => {
                let in_funds = match self.plan.basis {
                    Basis::Live => client.funds.live,
                    Basis::Available => client.funds.available,
                };
                of_client(self.plan.balance(in_funds), balance::standing(client, self.plan.basis))
            }
            _ => Vec::new(),
        })
    }
}

impl Walk {
    /// Open client packages of which there is something to tell, at most `room`.
    fn packages(&self, tx: &Tx, client: i64, behind: i64, room: usize) -> Result<Vec<(Kind, ClientPackage)>, Error> {
        let (mut told, mut behind) = (Vec::new(), behind);
        while told.len() < room {
            let page = tables::client_packages::open_of_client_behind(tx, client, behind, PAGE)?;
            let is_last = (page.len() as i64) < PAGE;
            behind = page.last().map_or(behind, |own| own.id);
            told.extend(page.into_iter().filter_map(|own| Some((self.plan.package(own.condition)?, own))));
            if is_last {
                break;
            }
        }
        told.truncate(room);
        Ok(told)
    }
}

/// True if custom fields are defined for clients of this reseller.
///
/// # Errors
/// Whatever the store says.
pub(crate) fn has_custom_fields(tx: &Tx, companies_id: i64) -> Result<bool, Error> {
    Ok(!tables::custom_fields::concerning(tx, ObjectType::Clients, companies_id)?.is_empty())
}

/// Every custom field that is defined for a client, null where it is not set; `None` if none is.
fn custom_fields(tx: &Tx, client: &Client) -> Result<Option<Object>, Error> {
    let definitions = tables::custom_fields::concerning(tx, ObjectType::Clients, client.companies_id)?;
    if definitions.is_empty() {
        return Ok(None);
    }
    let value = |key: &String| client.custom.get(key).cloned().unwrap_or(Value::Null);
    let values = definitions.into_iter().map(|definition| (definition.key.clone(), value(&definition.key)));
    Ok(Some(std::iter::once(("id".to_owned(), Value::from(client.id))).chain(values).collect()))
}

#[cfg(test)]
mod tests;
