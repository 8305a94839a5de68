//! This node among others: what it does when another tells something, when clients come or go, and now and then in any case.
//!
//! A notice is a hint: whoever hears it looks at the database. So nothing is wrong if one is lost, only late, and not for long:
//! versions are compared every few seconds, and the queues are gone over once more every minute.
use std::time::Duration;

use hookswitch_cluster::{Cluster, Notice};
use hookswitch_store::tables::versions;

use crate::Hooks;

/// How often it is looked whether handlers were saved.
const COMPARE_EVERY: Duration = Duration::from_secs(3);
/// How often the queues are gone over once more.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Between attempts while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

/// Does all this for ever, unless this node is alone.
pub(crate) fn start(hooks: &Hooks, cluster: &Cluster) {
    if !cluster.is_alone() {
        // From now on: what was said before is in what was read at the start.
        let (notices, standing) = (cluster.notices(), cluster.watch());
        tokio::spawn(listen(hooks.clone(), notices));
        tokio::spawn(follow(hooks.clone(), standing));
        tokio::spawn(look(hooks.clone()));
    }
}

async fn listen(hooks: Hooks, mut notices: hookswitch_cluster::Notices) {
    while let Some(notice) = notices.next().await {
        match notice {
            Notice::Deliveries { clients_id, companies_id, deliveries } => {
                hooks.after.there_are(clients_id, companies_id, &deliveries);
            }
            Notice::Outcomes { handlers_id, clients_id } if hooks.shared.cluster.owns(clients_id) => {
                hooks.outcomes.wake(handlers_id);
            }
            Notice::Handlers => reload(&hooks).await,
            Notice::Queue { handlers_id } => {
                hooks.after.changed_elsewhere(handlers_id);
                hooks.outcomes.wake(handlers_id);
            }
            Notice::Gate { handlers_id, version, failing_since } => {
                let rules = hooks.rules();
                if let Some(rule) = rules.get(handlers_id).filter(|rule| rule.handler.version == version) {
                    hooks.before.heard(&rule.handler, failing_since.map(hookswitch_model::moment::Moment));
                }
            }
            Notice::Everything => {
                reload(&hooks).await;
                look_again(&hooks).await;
            }
            _ => {}
        }
    }
}

/// Clients have come or gone: what is known of them is worth nothing.
async fn follow(hooks: Hooks, mut standing: tokio::sync::watch::Receiver<hookswitch_cluster::Standing>) {
    let mut known = *standing.borrow_and_update();
    while standing.changed().await.is_ok() {
        let now = *standing.borrow_and_update();
        if (now.owned, now.turn) != (known.owned, known.turn) {
            hooks.after.start_over();
            outcomes(&hooks).await;
        }
        known = now;
    }
}

async fn look(hooks: Hooks) {
    let (mut compare, mut all) = (tokio::time::interval(COMPARE_EVERY), tokio::time::interval(LOOK_EVERY));
    let mut in_doubt = 0;
    loop {
        tokio::select! {
            _ = compare.tick() => {
                compare_versions(&hooks).await;
                in_doubt = look_after_doubt(&hooks, in_doubt).await;
            }
            _ = all.tick() => look_again(&hooks).await,
        }
    }
}

/// What was in doubt when it was committed may be there, and nobody was told: then everybody looks. `known`: how many such commits
/// there were the last time; gives how many there are.
async fn look_after_doubt(hooks: &Hooks, known: u64) -> u64 {
    let now = hooks.shared.store.commits_in_doubt();
    if now > known {
        tracing::warn!(commits = now - known, "the database was lost during commits; everything is looked at again");
        hooks.shared.cluster.tell(Notice::Everything);
        reload(hooks).await;
        look_again(hooks).await;
    }
    now
}

/// Whether handlers were saved and nobody has told.
async fn compare_versions(hooks: &Hooks) {
    match hooks.shared.store.read(|tx| versions::read(tx, versions::HANDLERS)).await {
        Ok(version) if version != hooks.rules().version => reload(hooks).await,
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "it can't be found out whether handlers were saved"),
    }
}

async fn look_again(hooks: &Hooks) {
    hooks.after.look_again();
    outcomes(hooks).await;
}

/// Who is to be told how it ended; what a node that is dead has left undecided is decided by the leader.
async fn outcomes(hooks: &Hooks) {
    let looked =
        if hooks.shared.cluster.is_leader() { hooks.outcomes.recover().await } else { hooks.outcomes.look_again().await };
    if let Err(error) = looked {
        tracing::error!(%error, "outcomes can't be looked at; that is done again within a minute");
    }
}

pub(crate) async fn reload(hooks: &Hooks) {
    while let Err(error) = hooks.reload().await {
        tracing::error!(%error, "handlers can't be read; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}
