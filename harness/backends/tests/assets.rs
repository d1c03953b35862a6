//! Real models: every engine gives the same numbers on the same inputs. The models are not part of
//! the repository.

use crate::support::{engines, from_path, models, random_inputs, run};
use dyno_core::OpenConfig;

/// File below the assets, largest absolute difference between engines. Bytes of a quantized model
/// may differ by steps of rounding.
const MODELS: &[(&str, f32)] = &[
    ("squeezenet1.1-imagenet/squeezenet1.1.onnx", 1e-5),
    (
        "mobilenet_v2_1.0_224-imagenet/mobilenet_v2_1.0_224_qdq.onnx",
        // OpenVINO computes between the quantized layers in f32, and where a processor has int8
        // products it rounds elsewhere than the others do.
        8.0,
    ),
    ("yolox_nano-coco-416/yolox_nano.onnx", 5e-3),
    ("nanodet_m-coco-320/nanodet_m_320.onnx", 1e-3),
    ("fastestdet-coco-352/FastestDet.onnx", 1e-4),
    ("samplenet-cifar10/samplenet.onnx", 1e-3),
    ("deeplabv3-mnv2-voc/deeplabv3_257.onnx", 1e-2),
    (
        "mediapipe-selfie-segmentation/selfie_segmentation.onnx",
        1e-4,
    ),
    (
        "tf-pose-mobilenetv2-0.5-coco/tf_pose_mobilenetv2_0.5.onnx",
        1e-3,
    ),
];

/// Models that an engine refuses: engine, file, and part of its reason.
const GAPS: &[(&str, &str, &str)] = &[
    (
        "rten",
        "selfie_segmentation.onnx",
        "unsupported or duplicated attributes: output_shape",
    ),
    // The importer of OpenCV 4.6: `Clip` with bounds as inputs, and weights in int8.
    (
        "opencv",
        "mobilenet_v2_1.0_224_qdq.onnx",
        "DequantizeLinear",
    ),
    ("opencv", "deeplabv3_257.onnx", "Node [Clip"),
    ("opencv", "selfie_segmentation.onnx", "Node [Clip"),
    ("opencv", "tf_pose_mobilenetv2_0.5.onnx", "Node [Clip"),
];

#[test]
fn engines_agree_on_real_models() {
    let Some(folder) = models().map(|m| m.join("onnx")) else {
        return;
    };
    let mut wrong = Vec::new();
    for (file, tolerance) in MODELS {
        let mut first: Option<(&str, Vec<Vec<f32>>)> = None;
        for backend in engines() {
            let opened = backend.open(&from_path(&folder.join(file)), &OpenConfig::default());
            let gap = GAPS
                .iter()
                .find(|(id, f, _)| *id == backend.id() && file.ends_with(f));
            let model = match (opened, gap) {
                (Ok(model), None) => model,
                (Err(e), Some((_, _, reason))) if e.to_string().contains(reason) => {
                    eprintln!("{file}: {} cannot, as known: {e}", backend.id());
                    continue;
                }
                (Ok(_), Some(_)) => {
                    wrong.push(format!(
                        "{file}: {} can now; take it off the gaps",
                        backend.id()
                    ));
                    continue;
                }
                (Err(e), _) => {
                    wrong.push(format!("{file}: {e}"));
                    continue;
                }
            };
            assert_eq!(model.io().inputs.len(), 1, "{file}: weights are no inputs");
            let inputs = random_inputs(model.as_ref(), 0);
            let mut slot = model.slot().expect("memory suffices");
            let outputs = run(model.as_ref(), slot.as_mut(), &inputs);
            assert!(
                outputs.iter().flatten().all(|v| v.is_finite()),
                "{file}: not finite"
            );
            let spread = outputs
                .iter()
                .flatten()
                .fold((f32::MAX, f32::MIN), |(lo, hi), &v| (lo.min(v), hi.max(v)));
            if spread.1 <= spread.0 {
                wrong.push(format!(
                    "{file}: {} says {} everywhere",
                    backend.id(),
                    spread.0
                ));
            }
            match &first {
                None => first = Some((backend.id(), outputs)),
                Some((id, reference)) => {
                    let lengths = |o: &[Vec<f32>]| o.iter().map(Vec::len).collect::<Vec<_>>();
                    assert_eq!(lengths(reference), lengths(&outputs), "{file}");
                    let worst = reference
                        .iter()
                        .flatten()
                        .zip(outputs.iter().flatten())
                        .map(|(a, b)| (a - b).abs())
                        .fold(0.0, f32::max);
                    eprintln!(
                        "{file}: {id} and {} differ by {worst:e} at most, values {spread:?}",
                        backend.id()
                    );
                    if worst > *tolerance {
                        wrong.push(format!(
                            "{file}: {id} and {} differ by {worst}",
                            backend.id()
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
