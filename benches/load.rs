//! What the load generator adds to a query: a target that does nothing, and the null engine through
//! `dyno_core::Session`.
//!
//! The figure is the measured part of a run divided by its queries: two readings of the clock,
//! choosing the sample, the calls of the target and recording.

use criterion::{BenchmarkId, Criterion};
use dyno_backends::Null;
use dyno_core::{
    Backend, Completion, DType, Framework, ModelSource, QueryToken, Session, SessionConfig, Tensor,
    TensorSet,
};
use dyno_load::{Done, MonotonicClock, Scenario, Settings, Stages, Target, TargetError};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

/// Samples of the library.
const LIBRARY: u32 = 128;

/// Ends every query at once.
struct Nothing {
    done: Option<Done>,
}

impl Target for Nothing {
    fn slots(&self) -> usize {
        1
    }
    fn blocking(&self) -> bool {
        true
    }
    fn submit(&mut self, slot: usize, _sample: u32, token: u64) -> Result<(), TargetError> {
        self.done = Some(Done {
            slot,
            token,
            at: Instant::now(),
            result: Ok(Stages::NONE),
        });
        Ok(())
    }
    fn wait(&mut self, _timeout: Duration, done: &mut Vec<Done>) -> Result<(), TargetError> {
        done.extend(self.done.take());
        Ok(())
    }
}

/// A session with a library of prepared tensors.
struct Driven {
    session: Box<dyn Session>,
    library: Vec<Arc<TensorSet>>,
    completions: Vec<Completion>,
}

impl Target for Driven {
    fn slots(&self) -> usize {
        self.session.slots()
    }
    fn blocking(&self) -> bool {
        self.session.blocking()
    }
    fn submit(&mut self, slot: usize, sample: u32, token: u64) -> Result<(), TargetError> {
        let inputs = self
            .library
            .get(sample as usize)
            .ok_or_else(|| TargetError::new("no such sample"))?;
        self.session
            .submit(slot, inputs, QueryToken(token))
            .map_err(TargetError::new)
    }
    fn wait(&mut self, timeout: Duration, done: &mut Vec<Done>) -> Result<(), TargetError> {
        self.session
            .wait(timeout, &mut self.completions)
            .map_err(TargetError::new)?;
        done.extend(self.completions.drain(..).map(|c| {
            Done {
                slot: c.slot,
                token: c.token.0,
                at: c.at,
                result: c
                    .result
                    .map(|s| {
                        Stages::NONE
                            .with(0, s.host_to_device_ns)
                            .with(1, s.engine_ns)
                            .with(2, s.device_to_host_ns)
                    })
                    .map_err(TargetError::new),
            }
        }));
        Ok(())
    }
}

/// The null engine with an input of eight numbers: its own work is as small as can be.
fn null(slots: u32) -> Driven {
    let settings = [("inputs", "x:f32:1x8"), ("outputs", "y:f32:1x8")]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let config = SessionConfig {
        slots,
        settings,
        ..SessionConfig::default()
    };
    let model = ModelSource {
        framework: Framework::Onnx,
        files: Vec::new(),
    };
    let session = Null
        .open(&model, &config)
        .expect("the null engine opens anything");
    let one = || {
        Arc::new(TensorSet::single(
            "x",
            Tensor::zeros(vec![1, 8], DType::F32).expect("a small shape"),
        ))
    };
    Driven {
        session,
        library: (0..LIBRARY).map(|_| one()).collect(),
        completions: Vec::with_capacity(8),
    }
}

/// The measured part of a run of `queries` queries.
fn run(scenario: Scenario, queries: u64, target: &mut dyn Target) -> Duration {
    let settings = Settings {
        scenario,
        warmup_queries: 100,
        min_queries: queries,
        min_duration: Duration::ZERO,
        max_duration: Duration::from_hours(1),
        library_size: LIBRARY,
        ..Settings::default()
    };
    let outcome = dyno_load::run(
        &settings,
        target,
        &MonotonicClock,
        &AtomicBool::new(false),
        &mut |_| (),
    )
    .expect("nothing fails");
    Duration::from_nanos(outcome.duration_ns)
}

/// The benches of this file.
pub(crate) fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    group
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    for (name, scenario) in [
        ("single-stream", Scenario::SingleStream),
        ("offline", Scenario::Offline),
    ] {
        group.bench_function(BenchmarkId::new("nothing", name), |b| {
            b.iter_custom(|n| run(scenario, n, &mut Nothing { done: None }))
        });
    }
    for (name, scenario, slots) in [
        ("single-stream, inline", Scenario::SingleStream, 1),
        ("offline, 2 threads", Scenario::Offline, 2),
    ] {
        group.bench_function(BenchmarkId::new("null", name), |b| {
            b.iter_custom(|n| run(scenario, n, &mut null(slots)))
        });
    }
    group.finish();
}
