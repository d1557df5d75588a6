//! Renders labelled scenes (people, queues, bags) to frames and clips: the project's own footage for
//! tests, the demo and training. Everything is drawn from a seed or a script; equal input gives equal pixels.
//!
//! The way of a picture: a [`place::Place`] is traced ray by ray once ([`backdrop`]), things are built as shapes in
//! space ([`person`], [`bags`], [`fixtures`]), painted far to near ([`canvas`]), and developed by a camera model ([`sensor`]).
//! [`shot`] joins them and says what is true of the picture.

pub mod backdrop;
pub mod bags;
pub mod canvas;
pub mod changes;
pub mod clip;
mod counters;
pub mod fixtures;
pub mod font;
pub mod geom;
pub mod look;
pub mod person;
pub mod place;
pub mod random_place;
pub mod rng;
pub mod scenes;
pub mod script;
pub mod sensor;
pub mod shape;
pub mod shot;
mod station;
pub mod station_like;
pub mod stills;
