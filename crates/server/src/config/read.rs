//! From a value to its type, or what it must be, in words that follow the key's name.
use std::{
    net::SocketAddr,
    path::{self, PathBuf},
};

use hookswitch_model::nets;
use ipnet::IpNet;
use toml::Value;

use crate::telemetry::Format;

type Read<T> = Result<T, String>;

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

pub(super) fn address(value: &Value) -> Read<SocketAddr> {
    let read = text(value).and_then(|text| text.parse().ok());
    read.ok_or_else(|| format!("must be an IP address and a port, such as 127.0.0.1:3080, not {value}"))
}

/// A path, made absolute: it must mean the same wherever it is used.
pub(super) fn path(value: &Value) -> Read<PathBuf> {
    let text = text(value).ok_or_else(|| format!("must be a path, not {value}"))?;
    path::absolute(text).map_err(|error| format!("can't be found from here: {error}"))
}

pub(super) fn format(value: &Value) -> Read<Format> {
    match value.as_str() {
        Some("text") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        _ => Err(format!("must be text or json, not {value}")),
    }
}

pub(super) fn number(min: u64, max: u64) -> impl Fn(&Value) -> Read<u64> {
    move |value| {
        let read = value.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|number| (min..=max).contains(number));
        read.ok_or_else(|| format!("must be a whole number from {min} to {max}, not {value}"))
    }
}

pub(super) fn networks(value: &Value) -> Read<Vec<IpNet>> {
    let read = |one: &Value| one.as_str().and_then(nets::read);
    let all = value.as_array().and_then(|list| list.iter().map(read).collect());
    all.ok_or_else(|| format!("must be a list of addresses or networks, such as [\"10.20.0.0/16\"], not {value}"))
}
