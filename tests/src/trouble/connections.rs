//! Many handlers: their connections are bounded, and given up when nobody uses them.
use hookswitch_testkit::{Recorder, Server, after, json, wait_until, with};
