//! Commands that go on until somebody has seen enough.
use tokio::signal::unix::{SignalKind, signal};

/// Ends when the program is asked to end: by Ctrl-C, or by whoever started it. Where signals can't be had, never.
pub(super) async fn asked_to_stop() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { std::future::pending().await },
        _ = terminated.recv() => {}
    }
}
