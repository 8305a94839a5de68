//! Where it is made: through a running server, or by the same core on a data folder. The same methods either way.
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use hookswitch_core::{Call, Core, access::Caller, registry};
use hookswitch_model::refusal::Refusal;
use serde_json::Value;

use crate::cli::remote::Server;

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
        match self {
            Self::Server(server) => server.call(method, params).await,
            Self::Core(core) => perform(core, method, params).await,
        }
    }
}

async fn perform(core: &Core, name: &'static str, params: Value) -> anyhow::Result<Value> {
    let method = registry::find(name).with_context(|| format!("{name} is unknown"))?;
    let Value::Object(params) = params else { return Err(anyhow!("{name} takes named parameters")) };
    let caller = Arc::new(Caller::command_line());
    let answer = core.perform(Call::new(method, params, caller)).await.map_err(|refusal| match refusal {
        Refusal::Internal(detail) => anyhow!("{name}: {detail}"),
        Refusal::Invalid(errors) => anyhow!("{name}: {:?}", errors.iter().collect::<Vec<_>>()),
        other => anyhow!("{name}: {other}"),
    })?;
    Ok(answer.result)
}
