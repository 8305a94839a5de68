//! Tending a queue: what is due is woken, what is wanted is read from the database, a handler that is down is probed.
use std::{sync::Arc, time::Duration};

use hookswitch_cluster::Cluster;
use hookswitch_model::moment::Moment;
use hookswitch_store::{Clock, Error, Tx, tables::deliveries};

use super::{
    Told,
    lanes::{Choice, Counting, Key, Look, Reach, Wanted},
    queue::{Delivery, Queue},
};
use crate::payload::Payload;

/// Lanes loaded by one read.
const LOADS_MAX: usize = 256;
/// Deliveries that one look at the queue goes over.
const LOOK_MAX: i64 = 1_024;
/// Payloads that one read loads.
const PAYLOADS_MAX: usize = 256;
/// Between attempts to read while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

impl Queue {
    /// Tends the queue until the handler is gone: wakes what is due, loads what is wanted.
    pub(super) async fn tended(self: Arc<Self>) {
        let clock = self.shared.store.clock().clone();
        while self.is_wanted() {
            self.change(|lanes, now| lanes.wake(now));
            self.probe();
            let (census, wanted, look, due) = {
                let mut lanes = self.lanes();
                (lanes.wants_census(), lanes.wanted(LOADS_MAX), lanes.wants_look(), lanes.next_due())
            };
            if census.is_none() && wanted.is_empty() && look.is_none() {
                tokio::select! {
                    () = self.tend_wanted() => {}
                    () = until(&clock, due) => {}
                    () = until(&clock, self.next_probe()) => {}
                }
                continue;
            }
            if let Some(counting) = census {
                self.count(counting).await;
            }
            if !wanted.is_empty() {
                self.load(wanted).await;
            }
            if let Some(look) = look {
                self.look(look).await;
            }
        }
    }

    /// Finds out which resellers have deliveries that wait.
    async fn count(self: &Arc<Self>, counting: Counting) {
        let handlers_id = self.rule.load().handler.id;
        match self.shared.store.read(move |tx| deliveries::resellers_waiting(tx, handlers_id)).await {
            Ok(resellers) => self.change(|lanes, _| lanes.counted(counting, &resellers)),
            Err(error) => {
                self.lanes().not_counted(counting);
                self.wait_for_store(&error).await;
            }
        }
    }

    /// Loads the next deliveries of some lanes, by one read.
    async fn load(self: &Arc<Self>, wanted: Vec<(i64, Wanted)>) {
        let (handlers_id, asked, cluster) = (self.rule.load().handler.id, wanted.clone(), self.shared.cluster.clone());
        // Before it is read: what comes of it is no good once this node has lost and regained a client.
        let turn = cluster.turn();
        let read = self.shared.store.read(move |tx| of_lanes(tx, handlers_id, &asked, &cluster));
        match read.await {
            Ok(found) => self.change(|lanes, now| {
                for (wanted, rows) in wanted.into_iter().zip(found) {
                    lanes.loaded(wanted, self.deliveries(rows, turn), now);
                }
            }),
            Err(error) => {
                wanted.into_iter().for_each(|wanted| self.lanes().not_loaded(wanted));
                self.wait_for_store(&error).await;
            }
        }
    }

    /// Goes over the next deliveries of a reseller's queue: first which there are, then the payloads of those that there is
    /// room for.
    async fn look(self: &Arc<Self>, look: (i64, Look)) {
        match self.try_look(look).await {
            Ok((found, rows, reach)) => {
                // With several nodes a look finds lanes, which read for themselves later.
                let entries = self.deliveries(rows, 0);
                self.change(|lanes, now| lanes.found(look, &found, entries, reach, now));
            }
            Err(error) => {
                self.lanes().not_looked(look);
                self.wait_for_store(&error).await;
            }
        }
    }

    async fn try_look(
        &self,
        (companies_id, look): (i64, Look),
    ) -> Result<(Vec<(i64, i64)>, Vec<deliveries::Waiting>, Reach), Error> {
        let handlers_id = self.rule.load().handler.id;
        let behind = move |tx: &Tx<'_>| deliveries::waiting_of_reseller(tx, handlers_id, companies_id, look.mark, LOOK_MAX);
        let mut found = self.shared.store.read(behind).await?;
        let (is_all, read_to) = ((found.len() as i64) < LOOK_MAX, found.last().map_or(look.mark, |(id, _)| *id));
        found.retain(|(_, clients_id)| self.shared.cluster.owns(*clients_id));
        let Choice { load, upto, whole } = self.lanes().choose(companies_id, &found);
        let upto = if whole { read_to } else { upto.unwrap_or(look.mark) };
        found.retain(|(id, _)| *id <= upto);
        let mut ids: Vec<i64> = load.into_iter().collect();
        ids.sort_unstable();
        let rows = self
            .shared
            .store
            .read(move |tx| {
                let portions = ids.chunks(PAYLOADS_MAX).map(|ids| deliveries::with_ids(tx, handlers_id, ids));
                portions.collect::<Result<Vec<_>, Error>>().map(|portions| portions.concat())
            })
            .await?;
        Ok((found, rows, Reach { upto, last: whole && is_all }))
    }

    /// From rows to deliveries. One whose passwords can't be opened is told with masked ones rather than not at all.
    fn deliveries(&self, rows: Vec<deliveries::Waiting>, turn: u64) -> Vec<Delivery> {
        let mine = rows.into_iter().filter(|row| self.shared.cluster.owns(row.clients_id));
        mine.map(|row| self.delivery(row, turn)).collect()
    }

    pub(super) fn delivery(&self, row: deliveries::Waiting, turn: u64) -> Delivery {
        let body = row.body.clone();
        let payload = Payload::recorded(row.body, row.secrets.as_deref(), self.shared.store.vault()).unwrap_or_else(|error| {
            tracing::error!(%error, delivery = row.id, "the passwords of an event can't be opened; it is told without them");
            Payload { masked: body.into(), clear: None }
        });
        let told = Told {
            id: row.event_id,
            kind: row.kind,
            object_id: row.object_id,
            clients_id: row.clients_id,
            companies_id: row.companies_id,
            seq: row.seq,
            resync: row.resync,
            events_row: row.events_row,
            trace: row.trace,
            payload,
        };
        Delivery {
            id: row.id,
            event: Arc::new(told),
            attempt: row.attempt,
            next_at: row.next_at,
            first_at: row.first_at,
            resend: row.resend,
            note: row.note,
            latest: false,
            turn,
        }
    }

    async fn wait_for_store(&self, error: &Error) {
        tracing::error!(%error, "waiting deliveries can't be read; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// What the database has of each of these lanes. Of another node's clients nothing is wanted: nothing is left of their lanes then.
fn of_lanes(
    tx: &Tx<'_>,
    handlers_id: i64,
    wanted: &[(i64, Wanted)],
    cluster: &Cluster,
) -> Result<Vec<Vec<deliveries::Waiting>>, Error> {
    let client = |(_, wanted): &(i64, Wanted)| match wanted.key {
        Key::Client(clients_id) => cluster.owns(clients_id).then_some((clients_id, wanted.after, wanted.limit as i64)),
        Key::Delivery(_) => None,
    };
    let clients: Vec<(i64, i64, i64)> = wanted.iter().filter_map(client).collect();
    let mut of_clients = deliveries::of_clients(tx, handlers_id, &clients)?.into_iter().zip(clients).peekable();
    let mut one = |(_, wanted): &(i64, Wanted)| match wanted.key {
        Key::Delivery(id) => deliveries::with_ids(tx, handlers_id, &[id]),
        Key::Client(id) => Ok(of_clients.next_if(|(_, (of, ..))| *of == id).map_or_else(Vec::new, |(rows, _)| rows)),
    };
    wanted.iter().map(&mut one).collect()
}

async fn until(clock: &Clock, due: Option<Moment>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
