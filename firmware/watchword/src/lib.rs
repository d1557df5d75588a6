//! The camera's daemon and command line: configuration, the watch loop, MQTT.
//!
//! `watch` is the pure core; `daemon` carries out what it wants; `cli` is what
//! a person types. See docs/ARCHITECTURE.md.

pub mod broker;
pub mod calibrate;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod evidence;
pub mod heap;
pub mod link;
pub mod outbox;
pub mod plan;
pub mod provision;
pub mod replay;
pub mod share;
pub mod watch;
