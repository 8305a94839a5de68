//! Waiting for something to become true. No test sleeps: a sleep is too short on a busy machine and too long on any.
use std::time::Duration;

/// How long a test waits before it gives up: far above what anything takes, for machines under load.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks again and again until `look` finds something, and returns that.
///
/// # Panics
/// When nothing was found within 30 s; `what` says what was waited for.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = tokio::time::timeout(PATIENCE, async {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// Looks again and again until `look` is true.
///
/// # Panics
/// When it did not become true within 30 s.
pub async fn wait_until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    wait_for(what, async || look().await.then_some(())).await;
}
