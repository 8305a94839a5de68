//! Calls without a network: what happens to each is planned by a test, which passes the plan along with the caller's options.
//!
//! It stands in for `http` alone: what a call's end means, and all that comes of it, is the product's own. The errors are those
//! that the same misfortune has over a real connection, word for word, and so are the time limits. The program passes no plan.
use std::{fmt, sync::Arc, time::Duration};

use hookswitch_model::{handler::Handler, refusal::FailureReason};

use super::{Call, CallError, Kind, Reply};

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// Before anything comes back; the call's time limit counts.
    pub after: Duration,
    /// And then.
    pub what: What,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Nothing listens there.
    Refused,
    /// Nothing, ever.
    Silence,
    /// A reply, of which so many bytes of its body come if they are given; then the connection is closed.
    Reply {
        /// The HTTP status.
        status: u16,
        /// Seconds of its `Retry-After`, if it has one.
        retry_after_s: Option<u64>,
        /// The body.
        body: Vec<u8>,
        /// How much of the body comes; `None` = all.
        cut_at: Option<usize>,
    },
}

impl Fate {
    /// A whole reply without a body, at once.
    #[must_use]
    pub fn status(status: u16) -> Self {
        What::Reply { status, retry_after_s: None, body: Vec::new(), cut_at: None }.into()
    }
}

impl From<What> for Fate {
    fn from(what: What) -> Self {
        Self { after: Duration::ZERO, what }
    }
}

type Plan = dyn Fn(&Handler, &Call) -> Fate + Send + Sync;

/// A planned network; a cheap handle.
#[derive(Clone)]
pub struct Planned(Arc<Plan>);

impl Planned {
    /// Asks `plan` about each call.
    pub fn new(plan: impl Fn(&Handler, &Call) -> Fate + Send + Sync + 'static) -> Self {
        Self(Arc::new(plan))
    }

    pub(super) async fn call(&self, handler: &Handler, call: &Call) -> Result<Reply, CallError> {
        let Fate { after, what } = (self.0)(handler, call);
        let comes = async {
            tokio::time::sleep(after).await;
            if what == What::Silence {
                std::future::pending::<()>().await;
            }
        };
        if tokio::time::timeout(call.timeout, comes).await.is_err() {
            return Err(super::http::late(call, false));
        }
        match what {
            What::Refused | What::Silence => {
                let words = super::words::of_io(std::io::ErrorKind::ConnectionRefused);
                Err(CallError::new(FailureReason::Refused, words))
            }
            What::Reply { status, body, cut_at: Some(bytes), .. } => {
                let came = body[..bytes.min(body.len())].to_vec();
                Err(CallError { status: Some(status.into()), body: came, ..super::words::cut_short() })
            }
            What::Reply { status, retry_after_s, body, cut_at: None } => Ok(Reply {
                kind: Kind::Http,
                status: status.into(),
                body,
                stderr: String::new(),
                first_line: String::new(),
                retry_after: retry_after_s.map(Duration::from_secs),
            }),
        }
    }
}

impl fmt::Debug for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Planned")
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::call::{Caller, CallerOptions, fixture};

    /// How a call ends over a real connection and over a planned one.
    async fn both(answer: Option<&'static [u8]>, fate: Fate, timeout: Duration) -> [Result<Reply, CallError>; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let task = format!("http://{}/", listener.local_addr().unwrap());
        match answer {
            None => drop(listener),
            Some(answer) => drop(tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                // Read whole: a connection that is closed with something unread is reset.
                let mut read = Vec::new();
                while !read.ends_with(&fixture::call().body) {
                    stream.read_buf(&mut read).await.unwrap();
                }
                stream.write_all(answer).await.unwrap();
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
            })),
        }
        let planned = Planned::new(move |_, _| fate.clone());
        let options = CallerOptions { network: Some(planned), ..fixture::options(std::path::Path::new("/nowhere")) };
        let (handler, call) = (fixture::handler(&task, serde_json::json!({})), Call { timeout, ..fixture::call() });
        let [real, planned] = [fixture::caller(), Caller::new(options)];
        [real.call(&handler, &call).await.result, planned.call(&handler, &call).await.result]
    }

    #[tokio::test]
    async fn what_is_planned_ends_as_the_real_misfortune_does() {
        let reply = |retry_after_s, cut_at| What::Reply { status: 503, retry_after_s, body: b"no".to_vec(), cut_at };
        let cases: [(Option<&[u8]>, What, Duration); 4] = [
            (None, What::Refused, fixture::LONG),
            (Some(b""), What::Silence, Duration::from_millis(50)),
            (Some(b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno"), reply(Some(7), None), fixture::LONG),
            (Some(b"HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nn"), reply(None, Some(1)), fixture::LONG),
        ];
        for (answer, what, timeout) in cases {
            let [real, planned] = both(answer, what.clone().into(), timeout).await;
            assert_eq!(planned, real, "{what:?}");
        }
    }
}
