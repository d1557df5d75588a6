//! How often the program's own code allocates; `bench` shows it.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// The system's allocator, counting.
pub type Counted = &'static StatsAlloc<System>;

/// What the program names as its global allocator.
pub const COUNTED: Counted = &INSTRUMENTED_SYSTEM;

/// Heap allocations of this process so far; not those of C libraries.
pub fn allocations() -> u64 {
    u64::try_from(INSTRUMENTED_SYSTEM.stats().allocations).unwrap_or(u64::MAX)
}
