//! Many callers at once, about the same few things: whichever of them comes first, what is stored is what one after another
//! would have made of it, and nobody is refused but by a rule.
//!
//! | file | subject |
//! |---|---|
//! | `second` | who comes second: to a name, an address, a number, a request of his own |
//! | `money` | balances, edges, numbers and deliveries under a crowd |
mod money;
mod second;

use hookswitch_testkit::{Api, RpcError, Value};
use tokio::task::JoinSet;

/// Sends all of these at once; gives the answers in the order of the calls.
async fn at_once(api: &Api, calls: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<Result<Value, RpcError>> {
    let mut asking = JoinSet::new();
    for (place, (method, params)) in calls.into_iter().enumerate() {
        let api = api.clone();
        asking.spawn(async move { (place, api.call(method, params).await) });
    }
    let mut answers = asking.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
