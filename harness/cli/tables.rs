//! The const tables of all crates, joined.

use dyno_core::Tables;

/// Everything this build has.
pub(crate) const TABLES: Tables = Tables {
    backends: dyno_backends::BACKENDS,
    importers: dyno_hub::IMPORTERS,
    datasets: dyno_datasets::DATASETS,
    decoders: dyno_vision::DECODERS,
    metrics: dyno_metrics::METRICS,
    recipes: dyno_vision::RECIPES,
};

/// Features of the root package that this binary was built with.
pub(crate) fn features() -> Vec<String> {
    let all = [
        ("tract", cfg!(feature = "tract")),
        ("rten", cfg!(feature = "rten")),
        ("onnxruntime", cfg!(feature = "onnxruntime")),
        ("openvino", cfg!(feature = "openvino")),
        ("opencv", cfg!(feature = "opencv")),
    ];
    all.iter()
        .filter(|(_, on)| *on)
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

/// Columns of the terminal that standard output is, if it is one.
pub(crate) fn terminal_width() -> Option<u16> {
    use std::io::IsTerminal as _;
    let terminal = std::io::stdout().is_terminal();
    terminal.then(|| terminal_size::terminal_size().map_or(100, |(w, _)| w.0))
}
