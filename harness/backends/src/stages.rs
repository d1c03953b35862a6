//! Where the time of a run went, from the clock around an engine's call.

use dyno_core::EngineStages;
use std::time::Instant;

/// Stages of a run that began at `began`, had its inputs ready at `copied`, left the engine at
/// `ended` and has its outputs ready when this is called. All three are seen, so none is unknown.
pub(crate) fn stages(began: Instant, copied: Instant, ended: Instant) -> EngineStages {
    EngineStages {
        host_to_device_ns: Some(nanos(began, copied)),
        engine_ns: Some(nanos(copied, ended)),
        device_to_host_ns: Some(nanos(ended, Instant::now())),
    }
}

fn nanos(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}
