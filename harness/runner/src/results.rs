//! Small sums that several parts of a run share.

/// Time spent, summed over threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Inside the engine.
    pub(crate) engine_ns: u64,
    /// Around it.
    pub(crate) host_ns: u64,
}

impl Times {
    pub(crate) fn add(&mut self, other: &Self) {
        self.engine_ns += other.engine_ns;
        self.host_ns += other.host_ns;
    }
}
