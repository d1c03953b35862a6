//! Execution providers of ONNX Runtime, as a user meets them. The library with OpenVINO's provider
//! is another one than that of the other tests: `DYNO_ONNXRUNTIME_OPENVINO` names it.

use crate::support::{Place, assets, score};
use std::path::{Path, PathBuf};

/// The library of the wheel `onnxruntime-openvino`; without it the test says so.
fn library() -> Option<PathBuf> {
    let found = std::env::var_os("DYNO_ONNXRUNTIME_OPENVINO").map(PathBuf::from);
    if found.is_none() {
        // Not `eprintln`: the test runner would swallow it.
        std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: DYNO_ONNXRUNTIME_OPENVINO names no library\n",
        )
        .expect("standard error");
    }
    found
}

fn provider(library: &Path) -> String {
    format!(
        "--backend onnxruntime --set provider=openvino --set library={}",
        library.display()
    )
}

#[test]
fn openvino_runs_every_node_of_squeezenet_in_f32() {
    let (Some(library), Some(assets)) = (library(), assets()) else {
        return;
    };
    let place = Place::new();
    let run = |engine: &str| {
        let line = format!(
            "run {0}/models/onnx/squeezenet1.1-imagenet/squeezenet1.1.onnx --dataset imagenet:{0}/samples/imagenet --recipe caffe-bgr --only accuracy --format json {engine}",
            assets.display()
        );
        place.run(&line).succeeds().record()
    };
    let openvino = run(&provider(&library));
    let cpu = run(&format!(
        "--backend onnxruntime --set library={}",
        library.display()
    ));
    let execution = &openvino.measurements[0].execution;
    assert_eq!(execution.precision, "f32");
    assert_eq!(execution.device, "cpu");
    let [ran] = execution.providers.as_slice() else {
        panic!("{:?}", execution.providers)
    };
    assert_eq!(ran.name, "OpenVINOExecutionProvider");
    assert_eq!(ran.nodes, cpu.measurements[0].execution.providers[0].nodes);
    // One image of 260 at most: the sums are of another order, not of another arithmetic.
    let (a, b) = (score(&openvino, "top-1"), score(&cpu, "top-1"));
    assert!(b > 0.6 && (a - b).abs() <= 1.01 / 260.0, "{a} and {b}");
}

#[test]
fn a_part_on_the_processor_is_an_error_unless_it_was_allowed() {
    let Some(library) = library() else { return };
    let place = Place::new();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/partial.onnx");
    let line = format!(
        "run {} --only latency --profile quick --format json {}",
        model.display(),
        provider(&library)
    );
    place.run(&line).exits(3).says(&[
        "it took 1 of 3 nodes",
        "2 of `CPUExecutionProvider`",
        "--allow-partial",
    ]);
    let done = place.run(&format!("{line} --allow-partial"));
    // The machine may be too busy for a valid latency; what ran is recorded all the same.
    assert!(matches!(done.code, Some(0 | 4)), "{}", done.stderr);
    let execution = done.record().measurements[0].execution.clone();
    let shown: Vec<String> = execution
        .providers
        .iter()
        .map(|p| format!("{} {:?}", p.name, p.nodes))
        .collect();
    assert_eq!(
        shown,
        [
            "CPUExecutionProvider Some(2)",
            "OpenVINOExecutionProvider Some(1)"
        ]
    );
    let allowed = execution.settings.get("allow_partial").map(String::as_str);
    assert_eq!(allowed, Some("on"));
}

#[test]
fn a_flag_that_an_engine_does_not_know_is_refused() {
    let place = Place::new();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/partial.onnx");
    place
        .run(&format!(
            "run {} --only latency --profile quick --backend tract --allow-partial",
            model.display()
        ))
        .exits(3)
        .says(&["setting `allow_partial`"]);
}
