//! What a pipeline used goes back to the system.

/// Gives memory that nobody uses back to the system. Called after a pipeline
/// is torn down: its buffers lay among those of others, and glibc by itself
/// returns only what is at the end of a heap. Takes some milliseconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn give_back() {
    const KEEP_BYTES: usize = 0;
    #[allow(unsafe_code, reason = "malloc_trim has no safe form")]
    // SAFETY: malloc_trim touches free memory only, under the heaps' own locks,
    // and may be called from any thread.
    unsafe {
        libc::malloc_trim(KEEP_BYTES);
    }
}

/// Other C libraries have their own ways.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}
