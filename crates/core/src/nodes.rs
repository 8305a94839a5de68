//! This node among others, as far as the core goes: who may call, what is due, resyncs. What handlers hear is `hooks`' own
//! business.
//!
//! A notice is a hint: whoever hears it looks at the database. So one that is lost costs time only: versions are compared every
//! few seconds, the clock looks at everything at least every half minute, and so do those who run resyncs.
use std::time::Duration;

use hookswitch_cluster::{Notice, Notices, Standing};
use hookswitch_store::tables::versions;
use tokio::sync::watch;

use crate::Core;

/// How often it is looked whether keys, users or resellers were saved.
const COMPARE_EVERY: Duration = Duration::from_secs(3);
/// How often it is looked at everything.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Does all this for ever, unless this node is alone. `notices` since before anything was read.
pub(crate) fn start(core: &Core, notices: Notices) {
    if !core.cluster.is_alone() {
        tokio::spawn(listen(core.clone(), notices));
        tokio::spawn(follow(core.clone(), core.cluster.watch()));
        tokio::spawn(look(core.clone()));
    }
}

async fn listen(core: Core, mut notices: Notices) {
    while let Some(notice) = notices.next().await {
        match notice {
            Notice::Access => reload_access(&core).await,
            Notice::Due { clients_id } => core.schedule.is_due(clients_id),
            Notice::DueAt { at } => core.schedule.nudge_if_before(hookswitch_model::moment::Moment(at)),
            Notice::Terms => core.schedule.look(),
            Notice::Resync { id } => core.resyncs.want(id),
            Notice::Everything => {
                reload_access(&core).await;
                core.schedule.look();
                core.resyncs.look();
            }
            _ => {}
        }
    }
}

/// Clients have come or gone, and resyncs with them.
async fn follow(core: Core, mut standing: watch::Receiver<Standing>) {
    while standing.changed().await.is_ok() {
        core.schedule.look();
        core.resyncs.look();
    }
}

async fn look(core: Core) {
    let (mut compare, mut all) = (tokio::time::interval(COMPARE_EVERY), tokio::time::interval(LOOK_EVERY));
    loop {
        tokio::select! {
            _ = compare.tick() => compare_versions(&core).await,
            _ = all.tick() => {
                core.schedule.look();
                core.resyncs.look();
            }
        }
    }
}

async fn compare_versions(core: &Core) {
    match core.store.read(|tx| versions::read(tx, versions::ACCESS)).await {
        Ok(version) if version != core.access.now().version => reload_access(core).await,
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "it can't be found out whether keys, users or resellers were saved"),
    }
}

async fn reload_access(core: &Core) {
    if let Err(error) = core.access.reload().await {
        tracing::error!(%error, "keys, users and resellers can't be read; that is tried again within seconds");
    }
}
