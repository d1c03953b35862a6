//! The engine of `null`. Pseudo-random numbers are splitmix64 (Steele, Lea, Flood: Fast splittable
//! pseudorandom number generators).

use super::{
    backend::ID,
    settings::{Fill, Settings},
};
use crate::{config::select_outputs, io};
use dyno_core::{
    BackendError, Dimension, Engine, EngineStages, ExecutionFacts, IoSpec, SessionConfig, Tensor,
    TensorData, TensorInfo, TensorSet, TensorView,
};
use half::{bf16, f16};
use std::{
    hint::spin_loop,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Sleeping wakes late; this much before the end spinning takes over.
const SPIN_TAIL: Duration = Duration::from_micros(100);

pub(super) struct NullEngine {
    io: IoSpec,
    outputs: Vec<Tensor>,
    settings: Settings,
    facts: ExecutionFacts,
    /// Queries of the whole session so far.
    count: Arc<AtomicU64>,
}

impl NullEngine {
    pub(super) fn new(
        settings: &Settings,
        config: &SessionConfig,
        count: Arc<AtomicU64>,
    ) -> Result<Self, BackendError> {
        let shapes = io::resolve_shapes(ID, &settings.inputs, config)?;
        let inputs: Vec<TensorInfo> = settings
            .inputs
            .iter()
            .zip(&shapes)
            .map(|(info, shape)| io::fixed(&info.name, info.dtype, shape))
            .collect();
        let names: Vec<String> = settings.outputs.iter().map(|o| o.name.clone()).collect();
        let mut outputs = Vec::new();
        let mut tensors = Vec::new();
        for index in select_outputs(ID, config, &names)? {
            let info = &settings.outputs[index];
            let shape = info
                .shape
                .iter()
                .enumerate()
                .map(|(axis, d)| match d {
                    Dimension::Fixed(n) => Ok(*n),
                    _ if axis == 0 => Ok(config.batch as usize),
                    open => Err(BackendError::Unsupported {
                        backend: ID,
                        what: format!(
                            "output `{}` with open dimension {axis} (`{open}`)",
                            info.name
                        ),
                    }),
                })
                .collect::<Result<Vec<_>, _>>()?;
            outputs.push(io::fixed(&info.name, info.dtype, &shape));
            tensors.push(Tensor::zeros(shape, info.dtype)?);
        }
        let facts = ExecutionFacts {
            backend: ID.to_owned(),
            library: format!("null {}", env!("CARGO_PKG_VERSION")),
            device: "cpu".to_owned(),
            provider: None,
            precision: "none".to_owned(),
            threads: config.threads,
            batch: config.batch,
            settings: config.settings.clone(),
        };
        let mut engine = Self {
            io: IoSpec { inputs, outputs },
            outputs: tensors,
            settings: settings.clone(),
            facts,
            count,
        };
        engine.fill(0);
        Ok(engine)
    }

    fn fill(&mut self, mix: u64) {
        for (index, tensor) in self.outputs.iter_mut().enumerate() {
            let stream = mix ^ (index as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
            write(tensor.data_mut(), &self.settings.fill, stream);
        }
    }
}

impl Engine for NullEngine {
    fn io(&self) -> &IoSpec {
        &self.io
    }

    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        if self.settings.crash_at == Some(number) {
            std::process::abort();
        }
        let turn = usize::try_from(number % self.settings.delays_ns.len() as u64).unwrap_or(0);
        let delay = self.settings.delays_ns.get(turn).copied().unwrap_or(0);
        if delay > 0 {
            pause(Duration::from_nanos(delay), self.settings.spin);
        }
        if self
            .settings
            .fail_every
            .is_some_and(|n| (number + 1).is_multiple_of(n))
        {
            return Err(BackendError::Run {
                backend: ID,
                reason: format!("query {number} fails as scripted"),
            });
        }
        if matches!(self.settings.fill, Fill::Input(_)) {
            self.fill(hash(inputs));
        }
        Ok(EngineStages {
            host_to_device_ns: 0,
            engine_ns: delay,
            device_to_host_ns: 0,
        })
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        self.outputs[index].view()
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }
}

fn pause(delay: Duration, spin: bool) {
    let began = Instant::now();
    if !spin && delay > SPIN_TAIL {
        thread::sleep(delay.saturating_sub(SPIN_TAIL));
    }
    while began.elapsed() < delay {
        spin_loop();
    }
}

/// FNV-1a over the elements' bytes (fnvhash: Noll's constants for 64 bit).
fn hash(inputs: &TensorSet) -> u64 {
    let bytes = inputs
        .tensors
        .iter()
        .flat_map(|t| t.tensor.view().to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

fn value(fill: &Fill, stream: u64, index: usize) -> f64 {
    match fill {
        Fill::Constant(v) => *v,
        Fill::Values(values) => values[index % values.len()],
        Fill::Pattern(seed) | Fill::Input(seed) => {
            let mut z = (seed ^ stream).wrapping_add(
                (index as u64)
                    .wrapping_add(1)
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15),
            );
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }
}

fn write(data: &mut TensorData, fill: &Fill, stream: u64) {
    fn each<T>(data: &mut [T], value: impl Fn(usize) -> T) {
        for (index, slot) in data.iter_mut().enumerate() {
            *slot = value(index);
        }
    }
    // Integers take the whole range of a byte from a pattern, else the number itself (saturating).
    let wide = matches!(fill, Fill::Pattern(_) | Fill::Input(_));
    let real = |i| value(fill, stream, i);
    let whole = |i| if wide { real(i) * 256.0 } else { real(i) };
    match data {
        TensorData::F32(v) => each(v, |i| real(i) as f32),
        TensorData::F16(v) => each(v, |i| f16::from_f64(real(i))),
        TensorData::Bf16(v) => each(v, |i| bf16::from_f64(real(i))),
        TensorData::I8(v) => each(v, |i| {
            (if wide { whole(i) - 128.0 } else { whole(i) }) as i8
        }),
        TensorData::U8(v) => each(v, |i| whole(i) as u8),
        TensorData::I32(v) => each(v, |i| whole(i) as i32),
        TensorData::I64(v) => each(v, |i| whole(i) as i64),
        TensorData::Bool(v) => each(v, |i| real(i) >= 0.5),
    }
}
