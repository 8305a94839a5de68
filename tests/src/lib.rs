//! End-to-end tests: one binary of modules, so that they are linked once.
//!
//! Each test starts the real program with an empty database on a free port and knows nothing of its inside: what is
//! asserted here is what the contract promises. (`clocked` runs the same server inside, to turn its clock.) `./test`
//! builds the program and runs them all.
#![cfg(test)]
#![allow(clippy::unwrap_used)]
mod after;
mod backup;
mod bad_input;
mod balance;
mod before;
mod cli;
mod clocked;
mod commands;
mod concurrent;
mod copying;
mod core_api;
mod core_api_page;
mod crash;
mod demo;
mod descriptions;
mod docs;
mod examples;
mod first_generation;
mod flask;
mod hours;
mod kinds;
mod log;
mod loops;
mod management;
mod nodes;
mod outcome_crash;
mod package_crash;
mod package_fairness;
mod packaging;
mod pages;
mod postgres;
mod program;
mod rest;
mod resync;
mod scripts;
mod sessions;
mod softswitch;
mod sql;
mod story;
mod traces;
mod trouble;
mod walks;
mod workers;
