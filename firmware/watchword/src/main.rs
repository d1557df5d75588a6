//! The camera's daemon and command line.

use std::process::ExitCode;

#[global_allocator]
static HEAP: watchword::heap::Counted = watchword::heap::COUNTED;

fn main() -> ExitCode {
    keep_memory_together();
    watchword::cli::main()
}

/// glibc gives threads up to eight heaps a core, and raises by itself the size
/// from which a block gets pages of its own to as much as 32 MB. A pipeline
/// that is begun anew has new threads, and its pictures lie in whichever heap
/// they meet: resident memory grows with every cut of a network camera although
/// what is in use does not (docs/decisions/0018-memory-and-soak.md has the
/// numbers). Here: two heaps, and pictures on pages of their own, which go back
/// to the system when the picture does.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory_together() {
    const HEAPS: libc::c_int = 2;
    const OWN_PAGES_FROM_BYTES: libc::c_int = 128 * 1024;
    #[allow(unsafe_code, reason = "mallopt has no safe form")]
    // SAFETY: mallopt only sets numbers of the allocator. It must not race with
    // itself, and no other thread has begun yet.
    let set = unsafe {
        libc::mallopt(libc::M_ARENA_MAX, HEAPS)
            & libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_FROM_BYTES)
    };
    if set == 0 {
        eprintln!("watchword: the allocator takes no limits; memory may grow");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory_together() {}
