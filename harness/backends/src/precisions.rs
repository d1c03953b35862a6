//! Arithmetic of engines that keep that of the model file.

use dyno_core::{Absence, Capability, DType, Reason};

/// What an engine runs that never changes a file's arithmetic and cannot hold the types `lacks`.
pub(crate) fn of_files(lacks: &[DType]) -> Vec<Capability> {
    let float = |name: &str, dtype: DType| {
        if lacks.contains(&dtype) {
            let detail = "the engine has no such type".to_owned();
            Capability::missing(name, Absence::lasting(Reason::NotSupported { detail }))
        } else {
            Capability::there(name, "models in it")
        }
    };
    vec![
        Capability::there("f32", "models in it"),
        float("f16", DType::F16),
        float("bf16", DType::Bf16),
        Capability::there("int8", "quantized models"),
    ]
}
