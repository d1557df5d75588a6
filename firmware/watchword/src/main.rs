//! The camera's daemon and command line.

use std::process::ExitCode;

#[global_allocator]
static HEAP: watchword::heap::Counted = watchword::heap::COUNTED;

fn main() -> ExitCode {
    keep_memory_together();
    watchword::cli::main()
}

/// glibc gives threads up to eight heaps a core. A pipeline that is begun anew
/// has new threads, and their pictures lie in whichever heap they meet: resident
/// memory grows with every cut of a network camera although what is in use does
/// not (docs/decisions/0018-memory-and-soak.md has the numbers). One heap is
/// enough for what a camera allocates, and costs no time that could be measured.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory_together() {
    const HEAPS: libc::c_int = 1;
    #[allow(unsafe_code, reason = "mallopt has no safe form")]
    // SAFETY: mallopt only sets a number of the allocator. It must not race with
    // itself, and no other thread has begun yet.
    let set = unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) };
    if set == 0 {
        eprintln!("watchword: the allocator does not take its limit; memory may grow");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory_together() {}
