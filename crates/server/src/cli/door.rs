//! Where it is done: through a running server, or by the same core on a data folder. The same methods either way.
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use hookswitch_core::{Call, Core, access::Caller, registry};
use hookswitch_model::refusal::Refusal;
use serde_json::Value;

use super::remote::{Refused, Reply, Server};

/// One of the two; a cheap handle.
#[derive(Clone)]
pub(super) enum Door {
    Server(Server),
    Core(Arc<Core>),
}

impl Door {
    /// One call of the Core API.
    ///
    /// # Errors
    /// When it is refused.
    pub(super) async fn call(&self, method: &'static str, params: Value) -> anyhow::Result<Value> {
        Ok(self.ask(method, params).await?.result)
    }

    /// The same, with what handlers wanted to be known.
    ///
    /// # Errors
    /// [`Refused`] when it is refused.
    pub(super) async fn ask(&self, method: &'static str, params: Value) -> anyhow::Result<Reply> {
        match self {
            Self::Server(server) => server.ask(method, params).await,
            Self::Core(core) => perform(core, method, params).await,
        }
    }
}

async fn perform(core: &Core, name: &'static str, params: Value) -> anyhow::Result<Reply> {
    let method = registry::find(name).with_context(|| format!("{name} is unknown"))?;
    let Value::Object(params) = params else { return Err(anyhow!("{name} takes named parameters")) };
    let caller = Arc::new(Caller::command_line());
    let answer = core.perform(Call::new(method, params, caller)).await.map_err(|refusal| match refusal {
        // This is the server's own machine: here nothing is kept from whoever asks.
        Refusal::Internal(detail) => anyhow!("{name}: {detail}"),
        other => anyhow!(refused(name, &other)),
    })?;
    Ok(Reply { result: answer.result, warnings: answer.warnings })
}

fn refused(method: &str, refusal: &Refusal) -> Refused {
    let (code, data) = (i64::from(refusal.rpc_code()), refusal.data(""));
    Refused { method: method.into(), code, message: refusal.to_string().into(), data }
}
