//! The row of the table.

use super::{model::NullModel, settings::Settings};
use crate::config::check_cpu;
use dyno_core::{
    Availability, Backend, BackendError, Capability, Framework, Model, ModelSource, OpenConfig,
    Precision,
};
use std::sync::Arc;

pub(super) const ID: &str = "null";

/// Keys of [`OpenConfig::settings`] that this engine knows.
const SETTINGS: &[&str] = &[
    "inputs",
    "outputs",
    "fill",
    "delay_ns",
    "wait",
    "fail_every",
    "nan_every",
    "crash_at",
    "crash_on_open",
    "hang_at",
    "hang_ns",
];

/// The engine that computes nothing. Settings, all optional:
///
/// * `inputs`, `outputs`: `NAME:DTYPE:1x3x224x224`, several with `;` between them; `?` or a name is
///   an open dimension of an input.
///   Default: `input:f32:?x3x224x224` and `output:f32:?x1000`. An open first dimension is the
///   batch.
/// * `fill`: what outputs hold. `constant:0.5` (default `constant:0`), `values:0.1,0.9` (repeated),
///   `pattern:SEED` (pseudo-random in
///   [0, 1), the same in every query), `input:SEED` (the same, but depending on the bytes of the
///   inputs).
/// * `delay_ns`: `1000` or `1000,5000`: time of a query, taken in turns.
/// * `wait`: `sleep` (default: sleeps, spinning for the last 100 µs) or `spin`.
/// * `fail_every`: N: queries number N, 2N, …, counted from 1 over all slots, fail.
/// * `nan_every`: N: outputs of queries number N, 2N, …, counted likewise, are NaN (0 where they are
///   integers). `fill=constant:nan` does it in every query.
/// * `crash_at`: N: query number N, counted from 0 over all slots, aborts the process.
/// * `crash_on_open`: anything: opening aborts the process.
/// * `hang_at`: N: query number N, counted likewise, sleeps for `hang_ns` before it goes on.
/// * `hang_ns`: default 60000000000, one minute.
#[derive(Debug, Clone, Copy)]
pub struct Null;

impl Backend for Null {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "computes nothing: scripted outputs, delays and failures"
    }

    fn reads(&self) -> &'static [Framework] {
        &[Framework::Onnx]
    }

    fn probe(&self) -> Availability {
        Availability {
            precisions: vec![Capability::there("f32", "")],
            ..Availability::built_in("always")
        }
    }

    fn open(
        &self,
        _model: &ModelSource,
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError> {
        check_cpu(ID, config, SETTINGS)?;
        if !matches!(config.precision, Precision::Native | Precision::F32) {
            return Err(BackendError::Unsupported {
                backend: ID,
                what: format!("precision `{}` (there are: native, f32)", config.precision),
            });
        }
        if config.settings.contains_key("crash_on_open") {
            std::process::abort();
        }
        let settings = Settings::parse(&config.settings)
            .map_err(|what| BackendError::Unsupported { backend: ID, what })?;
        Ok(Arc::new(NullModel::new(settings, config)?))
    }

    /// It stands in for an engine.
    fn computes(&self) -> bool {
        false
    }
}
