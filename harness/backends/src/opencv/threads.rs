//! The number of threads, which OpenCV has one of for the whole process (`cv::setNumThreads`).

use super::net::plain;
use opencv::core;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads, and how many open models count on them.
static IN_USE: Mutex<(u32, usize)> = Mutex::new((0, 0));

fn in_use() -> MutexGuard<'static, (u32, usize)> {
    // Nothing panics while it is held.
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the number as it is while it lives.
#[derive(Debug)]
pub(super) struct Threads(());

impl Threads {
    /// Sets the number, or finds it set.
    ///
    /// # Errors
    /// When open models count on another number, or OpenCV does not take it.
    pub(super) fn hold(threads: u32) -> Result<Self, String> {
        let mut in_use = in_use();
        let (there, models) = *in_use;
        if models > 0 && there != threads {
            return Err(format!(
                "threads = {threads} while a model is open with {there}: OpenCV has one number for the process"
            ));
        }
        if models == 0 {
            let number = i32::try_from(threads).map_err(|_| format!("threads = {threads}"))?;
            core::set_num_threads(number).map_err(|e| plain(&e))?;
            let found = core::get_num_threads().map_err(|e| plain(&e))?;
            if found != number {
                return Err(format!("threads = {threads}: it takes {found}"));
            }
        }
        *in_use = (threads, models + 1);
        Ok(Self(()))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut in_use = in_use();
        in_use.1 = in_use.1.saturating_sub(1);
    }
}
