//! What the tests of calls share: a handler, a call, and what calls it.
use std::{path::Path, time::Duration};

use hookswitch_model::{
    event::Stage,
    handler::{Handler, check_create},
    moment::Moment,
    trace::Trace,
};
use hookswitch_traces::Traces;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Caller, CallerOptions, script::Limits};

/// A bound that no test reaches, unless something hangs.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// The bytes 1 to 24.
pub(super) const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";

pub(super) fn options(scripts_dir: &Path) -> CallerOptions {
    CallerOptions {
        user_agent: "hookswitch/1.2.3".to_owned(),
        reseller_networks: Vec::new(),
        scripts_dir: scripts_dir.to_owned(),
        data_dir: scripts_dir.to_owned(),
        program: None,
        script_limits: Limits::default(),
        extra_roots_pem: Vec::new(),
        network: None,
        traces: Traces::off(),
    }
}

pub(crate) fn caller() -> Caller {
    Caller::new(options(Path::new("/nowhere")))
}

pub(crate) fn handler(task: &str, more: Value) -> Handler {
    let mut fields = json!({"name": "h", "event": "clients.update", "task": task});
    let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) else { panic!("objects") };
    fields.extend(more);
    let mut handler = Handler::from_checked(7, &check_create(fields).unwrap()).unwrap();
    handler.secret = SECRET.to_owned();
    handler
}

pub(super) fn call() -> Call {
    Call {
        event_id: Uuid::from_u128(0x019a_a9b2_7c1e_7d33_9d0a_3b1f_5c0e_8a11),
        events_id: "clients.update".into(),
        stage: Stage::Before,
        object_id: 12,
        attempt: 2,
        body: r#"{"event":{},"data":{"name":"Zoë"}}"#.into(),
        timeout: LONG,
        deadline_ms: Some(2_900),
        cause_header: "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11.7.abc".to_owned(),
        trace: Trace::given("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap(),
        resend: false,
        now: Moment::parse("2026-11-23T21:14:07.9Z").unwrap(),
        reseller_bound: false,
    }
}
