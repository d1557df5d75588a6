//! The board: allotment, power and thermal readings, watchdog.
