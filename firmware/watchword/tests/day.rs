//! A day and a night of the watch loop. Alone in its process, since it weighs it.

mod common;
#[path = "stories/day.rs"]
mod day;
