//! What went wrong with a call over HTTP, in words that the integrator can act on.
//!
//! reqwest's own texts name the URL, with what may be secret in it, and the addresses that a name led to. So the chain
//! of causes is looked through for the few things that can happen, and each has its own sentence.
use std::{error::Error, io};

use hookswitch_model::refusal::FailureReason;
use nix::errno::Errno;

use super::{CallError, address::Forbidden, resolver::Nowhere};

/// A call that never got a status.
pub(super) fn of(error: &reqwest::Error) -> CallError {
    if cause::<Nowhere>(error) == Some(&Nowhere::Ours) || chain(error).any(is_ours) {
        let words = "no connection could be made: this server has too many files and connections open";
        return CallError { ours: true, ..CallError::new(FailureReason::Refused, words) };
    }
    if error.is_timeout() {
        return CallError::new(FailureReason::Timeout, "no connection could be made in time");
    }
    if let Some(nowhere) = cause::<Nowhere>(error) {
        return CallError::new(FailureReason::Refused, nowhere.to_string());
    }
    if let Some(forbidden) = cause::<Forbidden>(error) {
        return CallError::new(FailureReason::Refused, forbidden.to_string());
    }
    if let Some(tls) = cause::<rustls::Error>(error) {
        return CallError::new(FailureReason::Refused, format!("the TLS connection failed: {tls}"));
    }
    if let Some(http) = cause::<hyper::Error>(error)
        && (http.is_parse() || http.is_parse_status())
    {
        return CallError::new(FailureReason::BadReply, "the reply is not HTTP");
    }
    CallError::new(FailureReason::Refused, broken_off(error))
}

/// A reply whose body did not come to its end.
pub(super) fn of_body(error: &reqwest::Error) -> CallError {
    // Such as a chunk without a length.
    if matches!(deepest_io(error), Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) {
        return CallError::new(FailureReason::BadReply, "within the reply, what came is not HTTP");
    }
    within(&broken_off(error))
}

/// A reply that was shorter than it said.
pub(super) fn cut_short() -> CallError {
    within(&of_io(io::ErrorKind::UnexpectedEof))
}

fn within(words: &str) -> CallError {
    CallError::new(FailureReason::Refused, format!("within the reply, {words}"))
}

fn broken_off(error: &reqwest::Error) -> String {
    if cause::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message) {
        return "the connection was closed before the whole reply had come".to_owned();
    }
    match deepest_io(error) {
        Some(kind) => of_io(kind),
        None if error.is_connect() => "no connection could be made".to_owned(),
        None => "the connection broke".to_owned(),
    }
}

pub(super) fn of_io(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::ConnectionRefused => "the connection was refused: nothing listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        other => format!("the connection failed: {other}"),
    }
}

/// True for want of a file descriptor, of the process or of the system.
pub(super) fn is_ours(error: &(dyn Error + 'static)) -> bool {
    let code = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    code.is_some_and(|code| [Errno::EMFILE, Errno::ENFILE].contains(&Errno::from_raw(code)))
}

/// The first error of this type in the chain of causes.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|cause| cause.downcast_ref::<E>())
}

fn deepest_io(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        let error = *error;
        // An io::Error hides the error it wraps behind the wrapped one's own source.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
