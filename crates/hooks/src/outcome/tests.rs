//! What an action owes, however it ends: over a real store, with rows in place of handlers.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use hookswitch_model::{
    Object,
    event::{self, Actor, Event, Mode},
    moment::Moment,
};
use hookswitch_store::{Clock, Database, Faults, MasterKey, Options, Place};
use hookswitch_testdb::Home;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{call::fixture, rules::Rule};

const WITHIN: Duration = Duration::from_secs(10);

struct Scene {
    outcomes: Outcomes,
    store: Store,
    rule: Rule,
    _home: Home,
}

impl Scene {
    async fn new() -> Self {
        Self::with(None).await
    }

    async fn with(faults: Option<Faults>) -> Self {
        let home = Home::new();
        let database = Database::at(&home.url()).unwrap();
        let key = MasterKey::from_bytes([5; 32]);
        let store = Store::open(Options { database, key, clock: Clock::system(), faults }).unwrap();
        let causes = Causes::new(&store.vault().derive("cause"));
        let outcomes = Outcomes::new(
            store.clone(),
            Cluster::alone(),
            fixture::caller(),
            causes,
            Log::start(store.clone(), &Cluster::alone()),
        );
        let rule = Rule::new(fixture::handler("http://127.0.0.1:9/", json!({"type": "before", "notify_outcome": true})));
        // It is there, so its rows stay; nobody tells it, because it is not among the rules.
        let (handler, vault) = (rule.handler.clone(), store.vault().clone());
        store.write(move |tx| hookswitch_store::tables::handlers::insert(tx, &vault, &handler)).await.unwrap();
        Self { outcomes, store, rule, _home: home }
    }

    /// Waits until nothing is undecided, and gives what is there: outcome, what ended it, number.
    async fn decided(&self) -> Vec<(String, Value, Option<i64>)> {
        loop {
            let rows = self.rows().await;
            if rows.iter().all(|(outcome, ..)| outcome != "asked") {
                return rows;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn rows(&self) -> Vec<(String, Value, Option<i64>)> {
        let read = |tx: &hookswitch_store::Tx<'_>| {
            tx.query("SELECT outcome, ended_by, seq FROM outcomes ORDER BY id", &[], |row| {
                let ended_by: Option<String> = row.get(1)?;
                let ended_by = ended_by.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
                Ok((row.get(0)?, ended_by["type"].clone(), row.get(2)?))
            })
        };
        self.store.read(read).await.unwrap()
    }

    /// Commits these events, as the action does.
    async fn commit(&self, owed: &Owed, events: &[(Uuid, i64)]) {
        let (settling, events) = (owed.settling(), events.to_vec());
        self.store.write(move |tx| settling.committed(tx, &events)).await.unwrap();
    }
}

fn event(number: u128) -> Event {
    Event {
        id: Uuid::from_u128(number),
        dt: Moment(0),
        kind: &event::CLIENTS_UPDATE,
        object_id: 12,
        clients_id: 12,
        companies_id: 1,
        era: 0,
        mode: Mode::Live,
        actor: Actor::Cli,
        cause: None,
        trace: None,
        data: Object::new(),
        previous: None,
        object: Object::new(),
    }
}

fn aborted(by: &str) -> (String, Value, Option<i64>) {
    ("aborted".to_owned(), json!(by), None)
}

fn committed(seq: i64) -> (String, Value, Option<i64>) {
    ("committed".to_owned(), Value::Null, Some(seq))
}

#[tokio::test]
async fn what_is_committed_says_so_and_what_was_left_out_of_it_too() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    for number in [1, 2] {
        assert_eq!(owed.note(&scene.rule, &event(number), WITHIN).await.unwrap(), Note::New);
    }
    assert_eq!(owed.note(&scene.rule, &event(1), WITHIN).await.unwrap(), Note::Known);
    scene.commit(&owed, &[(event(1).id, 7)]).await;
    drop(owed);
    assert_eq!(scene.decided().await, [committed(7), aborted("conflict")]);
}

#[tokio::test]
async fn what_is_dropped_or_panics_is_aborted_as_our_own_fault() {
    let scene = Scene::new().await;
    let (dropped, owed) = (scene.outcomes.owed(), scene.outcomes.owed());
    dropped.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    drop(dropped);
    owed.note(&scene.rule, &event(2), WITHIN).await.unwrap();
    let panicking = tokio::spawn(async move {
        let _owed = owed;
        panic!("on purpose");
    });
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(scene.decided().await, [aborted("failure"), aborted("failure")]);
}

#[tokio::test]
async fn who_vanishes_while_a_note_is_being_written_leaves_nothing_undecided() {
    let scene = Scene::new().await;
    let owed = Arc::new(scene.outcomes.owed());
    let (ours, rule) = (Arc::clone(&owed), Rule::new(scene.rule.handler.clone()));
    let noting = tokio::spawn(async move { ours.note(&rule, &event(1), WITHIN).await });
    // It has handed in its write at the first look, and is broken off before the answer.
    tokio::task::yield_now().await;
    noting.abort();
    let _broken_off = noting.await;
    drop(owed);
    // Behind everything that was handed in before.
    scene.store.write(|_| Ok::<_, Error>(())).await.unwrap();
    assert_eq!(scene.decided().await, [aborted("failure")]);
}

#[tokio::test]
async fn a_commit_that_was_handed_in_wins_over_whoever_vanishes_meanwhile() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    owed.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    let settling = owed.settling();
    let store = scene.store.clone();
    let committing = tokio::spawn(async move { store.write(move |tx| settling.committed(tx, &[(event(1).id, 3)])).await });
    tokio::task::yield_now().await;
    drop(owed);
    committing.await.unwrap().unwrap();
    scene.store.write(|_| Ok::<_, Error>(())).await.unwrap();
    assert_eq!(scene.decided().await, [committed(3)]);
}

#[tokio::test]
async fn a_transaction_that_fails_settles_nothing_and_the_refusal_does() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    owed.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    let settling = owed.settling();
    let failing = scene.store.write(move |tx| {
        settling.committed(tx, &[(event(1).id, 3)])?;
        Err::<(), _>(hookswitch_model::refusal::Refusal::conflict("on purpose"))
    });
    assert!(failing.await.is_err());
    assert_eq!(scene.rows().await[0].0, "asked");
    owed.refused(&hookswitch_model::refusal::Refusal::conflict("changed"));
    assert_eq!(scene.decided().await, [aborted("conflict")]);
    drop(owed);
    assert_eq!(scene.decided().await, [aborted("conflict")], "who was told first counts");
}

#[tokio::test]
async fn what_was_aborted_by_another_node_can_not_be_committed_any_more() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    owed.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    // As the leader does when this node was taken for dead.
    scene.outcomes.recover().await.unwrap();
    let settling = owed.settling();
    let refused = scene.store.write(move |tx| settling.committed(tx, &[(event(1).id, 3)])).await.unwrap_err();
    assert!(matches!(refused, hookswitch_model::refusal::Refusal::Conflict { .. }), "{refused:?}");
    assert_eq!(scene.decided().await, [aborted("crash")]);
}

#[tokio::test]
async fn what_a_life_that_goes_on_has_asked_is_left_to_it() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    owed.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    let join = |tx: &mut hookswitch_store::Tx<'_>| hookswitch_store::tables::nodes::join(tx, 7, "b", "1", Moment(1));
    let epoch = scene.store.write(join).await.unwrap();
    let by_that = move |tx: &mut hookswitch_store::Tx<'_>| {
        tx.execute("UPDATE outcomes SET asked_by = $1", &[hookswitch_store::Param::Int(epoch)])
    };
    scene.store.write(by_that).await.unwrap();
    scene.outcomes.recover().await.unwrap();
    assert_eq!(scene.rows().await[0].0, "asked");
    let end = move |tx: &mut hookswitch_store::Tx<'_>| hookswitch_store::tables::nodes::end(tx, 7, epoch);
    scene.store.write(end).await.unwrap();
    scene.outcomes.recover().await.unwrap();
    assert_eq!(scene.decided().await, [aborted("crash")]);
}

#[tokio::test]
async fn an_orderly_stop_waits_for_what_is_just_being_written() {
    let (is_slow, waits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (slow, waiting) = (Arc::clone(&is_slow), Arc::clone(&waits));
    let faults = Faults::new(move |place| {
        while place == Place::Flush && slow.load(Ordering::SeqCst) {
            waiting.store(true, Ordering::SeqCst);
            std::thread::yield_now();
        }
        Ok(())
    });
    let scene = Scene::with(Some(faults)).await;
    let owed = scene.outcomes.owed();
    owed.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    is_slow.store(true, Ordering::SeqCst);
    owed.refused(&hookswitch_model::refusal::Refusal::conflict("changed"));
    while !waits.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let stop = async {
        scene.outcomes.stop(Duration::ZERO).await;
        assert!(!is_slow.load(Ordering::SeqCst), "it has not waited for the disk");
    };
    let disk = async {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        is_slow.store(false, Ordering::SeqCst);
    };
    tokio::join!(stop, disk);
    assert_eq!(scene.rows().await, [aborted("conflict")]);
}

#[tokio::test]
async fn who_was_not_asked_after_all_leaves_no_row_and_gives_back_its_place() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    owed.note(&scene.rule, &event(1), WITHIN).await.unwrap();
    assert_eq!(scene.outcomes.0.places.available_permits(), OWED_MAX - 1);
    owed.withdraw(&scene.rule, &event(1));
    assert_eq!(scene.decided().await, []);
    while scene.outcomes.0.places.available_permits() < OWED_MAX {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_password_that_a_refusal_quotes_is_not_kept() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    let mut account = event(1);
    account.data.insert("password".into(), "pass-word-1".into());
    owed.note(&scene.rule, &account, WITHIN).await.unwrap();
    owed.refused(&hookswitch_model::refusal::Refusal::conflict("pass-word-1 is too weak"));
    scene.decided().await;
    let message = |tx: &hookswitch_store::Tx<'_>| tx.first("SELECT message FROM outcomes", &[], |row| row.get::<String>(0));
    assert_eq!(scene.store.read(message).await.unwrap().unwrap(), "******** is too weak");
}

#[tokio::test]
async fn what_a_dead_program_left_is_aborted_by_its_crash_unless_the_journal_has_it() {
    let scene = Scene::new().await;
    let owed = scene.outcomes.owed();
    for number in [1, 2] {
        owed.note(&scene.rule, &event(number), WITHIN).await.unwrap();
    }
    let written = |tx: &mut hookswitch_store::Tx<'_>| {
        let entry = hookswitch_store::tables::events::Entry { seq: 9, body: "{}", secrets: None };
        hookswitch_store::tables::events::insert(tx, &event(2), entry)
    };
    scene.store.write(written).await.unwrap();
    scene.outcomes.recover().await.unwrap();
    assert_eq!(scene.rows().await, [aborted("crash"), committed(9)]);
    drop(owed);
    scene.store.write(|_| Ok::<_, Error>(())).await.unwrap();
    assert_eq!(scene.decided().await, [aborted("crash"), committed(9)]);
}

#[tokio::test]
async fn a_dry_run_of_the_repair_counts_also_where_nothing_can_be_written() {
    let is_full = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_full);
    let scene = Scene::with(Some(Faults::new(move |place| match place {
        Place::Begin if asked.load(Ordering::Relaxed) => Err(Error::Full),
        _ => Ok(()),
    })))
    .await;
    let owed = scene.outcomes.owed();
    for number in 1..=3 {
        owed.note(&scene.rule, &event(number), WITHIN).await.unwrap();
    }
    scene.commit(&owed, &[(event(1).id, 1), (event(2).id, 2), (event(3).id, 3)]).await;
    let all: Object = [("handlers_id".to_owned(), scene.rule.handler.id.into())].into_iter().collect();
    is_full.store(true, Ordering::Relaxed);
    assert!(scene.outcomes.discard(all.clone(), None, "admin", Mode::Live).await.is_err());
    assert_eq!(scene.outcomes.discard(all.clone(), None, "admin", Mode::DryRun).await, Ok(3));
    assert_eq!(scene.outcomes.resend(all, None, Mode::DryRun).await, Ok(0), "what was never tried comes by itself");
}
