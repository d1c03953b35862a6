//! Memory of this process, as the kernel counts it (`/proc/self/status`).

use crate::parse::kib_field;
use std::fs;

fn status(key: &str) -> Option<u64> {
    kib_field(&fs::read_to_string("/proc/self/status").ok()?, key)
}

/// Largest resident set since the start or the last [`reset_peak`], in bytes.
pub fn peak_memory_bytes() -> Option<u64> {
    status("VmHWM")
}

/// Resident set now, in bytes.
pub fn current_memory_bytes() -> Option<u64> {
    status("VmRSS")
}

/// Sets the high-water mark back to the present value; false where the kernel does not allow it,
/// and the mark then covers the whole life of the process.
pub fn reset_peak() -> bool {
    // proc(5): 5 resets the peak resident set size.
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_follows_an_allocation() {
        let Some(before) = peak_memory_bytes() else {
            assert_ne!(std::env::consts::OS, "linux", "Linux tells the peak");
            return;
        };
        let size = 64 << 20;
        let block = std::hint::black_box(vec![1u8; size]);
        let after = peak_memory_bytes().expect("it was there before");
        assert!(
            after >= before && after >= size as u64,
            "{before} {after} with {} bytes",
            block.len()
        );
        assert!(current_memory_bytes().expect("as the peak") <= after);
        drop(block);
        if reset_peak() {
            let reset = peak_memory_bytes().expect("it was there before");
            assert!(reset < after, "{reset} {after}");
        }
    }
}
