//! Run state of `null`. Pseudo-random numbers are splitmix64 (Steele, Lea, Flood: Fast splittable
//! pseudorandom number generators).

use super::{
    backend::ID,
    settings::{Fill, Settings},
};
use crate::io::check_inputs;
use dyno_core::{
    BackendError, EngineStages, IoSpec, Slot, Tensor, TensorSet, TensorSliceMut, TensorView,
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

/// What slots share.
pub(super) struct Script {
    pub(super) io: IoSpec,
    pub(super) settings: Settings,
    /// Queries of all slots so far; counted only if the script looks at it, because slots that
    /// write to one place slow each other down.
    pub(super) count: AtomicU64,
}

pub(super) struct NullSlot {
    script: Arc<Script>,
    outputs: Vec<Tensor>,
    /// The outputs hold no numbers, and must be filled again before the next good query.
    spoiled: bool,
}

impl NullSlot {
    pub(super) fn new(script: Arc<Script>, outputs: Vec<Tensor>) -> Self {
        let mut slot = Self {
            script,
            outputs,
            spoiled: false,
        };
        slot.fill(0);
        slot
    }

    fn fill(&mut self, mix: u64) {
        fill(&mut self.outputs, &self.script.settings.fill, mix);
        self.spoiled = false;
    }
}

impl Slot for NullSlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        let script = &*self.script;
        check_inputs(&script.io, inputs)?;
        let settings = &script.settings;
        let number = if settings.counts {
            script.count.fetch_add(1, Ordering::Relaxed)
        } else {
            0
        };
        if settings.crash_at == Some(number) {
            std::process::abort();
        }
        if settings.hang_at == Some(number) {
            thread::sleep(Duration::from_nanos(settings.hang_ns));
        }
        let delay = match settings.delays_ns.as_slice() {
            [delay] => *delay,
            delays => {
                let turn = usize::try_from(number % delays.len() as u64).unwrap_or(0);
                delays.get(turn).copied().unwrap_or(0)
            }
        };
        if delay > 0 {
            pause(Duration::from_nanos(delay), settings.spin);
        }
        let every = |n: Option<u64>| n.is_some_and(|n| (number + 1).is_multiple_of(n));
        if every(settings.fail_every) {
            return Err(BackendError::Run {
                backend: ID,
                reason: format!("query {number} fails as scripted"),
            });
        }
        if every(settings.nan_every) {
            fill(&mut self.outputs, &Fill::Constant(f64::NAN), 0);
            self.spoiled = true;
        } else if matches!(settings.fill, Fill::Input(_)) {
            self.fill(hash(inputs));
        } else if self.spoiled {
            self.fill(0);
        }
        Ok(EngineStages {
            host_to_device_ns: None,
            engine_ns: Some(delay),
            device_to_host_ns: None,
        })
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        self.outputs[index].view()
    }
}

fn fill(outputs: &mut [Tensor], what: &Fill, mix: u64) {
    for (index, tensor) in outputs.iter_mut().enumerate() {
        let stream = mix ^ (index as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
        write(tensor.data_mut().as_mut_slice(), what, stream);
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

fn write(data: TensorSliceMut<'_>, fill: &Fill, stream: u64) {
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
        TensorSliceMut::F32(v) => each(v, |i| real(i) as f32),
        TensorSliceMut::F16(v) => each(v, |i| f16::from_f64(real(i))),
        TensorSliceMut::Bf16(v) => each(v, |i| bf16::from_f64(real(i))),
        TensorSliceMut::I8(v) => each(v, |i| {
            (if wide { whole(i) - 128.0 } else { whole(i) }) as i8
        }),
        TensorSliceMut::U8(v) => each(v, |i| whole(i) as u8),
        TensorSliceMut::I32(v) => each(v, |i| whole(i) as i32),
        TensorSliceMut::I64(v) => each(v, |i| whole(i) as i64),
        TensorSliceMut::Bool(v) => each(v, |i| real(i) >= 0.5),
    }
}
