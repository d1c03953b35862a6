//! Caffe: layers and nets against numbers that `reference/caffe.py` stored from OpenCV 4.14, the
//! conformance nets of OpenCV against their stored outputs, real models.

use crate::support::{
    assets::assets,
    compare::close,
    engines::{Engine, engines, run},
    expected::{Outcome, check_suite},
    npy::{read_npy, tensor},
};
use dyno_core::{
    FileRole, ImportOptions, Imported, Importer as _, ModelContent, ModelFile, Tensor,
};
use dyno_hub::import::Caffe;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

const REFERENCE: &str = include_str!("reference/caffe.json");
const DETECTIONS: &str =
    include_str!("../../../harness/vision/tests/fixtures/ssd_priors_cases.json");
/// Of the largest number of an output.
const TOLERANCE: f32 = 1e-4;

/// As in `caffe.py`: pseudo-random f32 in [low, high) with 24 bits.
fn elements(count: usize, seed: u64, low: f64, high: f64) -> Vec<f32> {
    let one = |i: u64| {
        let mut u = (i * 2_654_435_761 + seed * 40503) & 0xFFFF_FFFF;
        u ^= u >> 15;
        u = (u * 2_246_822_519) & 0xFFFF_FFFF;
        u ^= u >> 13;
        (low + (high - low) * ((u >> 8) as f64 / 16_777_216.0)) as f32
    };
    (0..count as u64).map(one).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    let list = value.as_array().expect("a shape").iter();
    list.map(|n| usize::try_from(n.as_u64().expect("a number")).expect("a small one"))
        .collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn name(value: &Value) -> &str {
    value.as_str().expect("a name")
}

fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

/// A `.caffemodel` with the blobs of a case: `[layer, shape, low, high]`, seeds from 1.
fn caffemodel(blobs: &Value) -> Vec<u8> {
    let mut layers: Vec<(&str, Vec<u8>)> = Vec::new();
    for (blob, seed) in blobs.as_array().expect("a list").iter().zip(1..) {
        let (layer, dims) = (name(&blob[0]), sizes(&blob[1]));
        let count = dims.iter().product();
        let values = elements(count, seed, number(&blob[2]), number(&blob[3]));
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut shape = Vec::new();
        for d in dims {
            encode_varint(d as u64, &mut shape);
        }
        let blob = field(7, &[field(5, &bytes), field(7, &field(1, &shape))].concat());
        match layers.iter_mut().find(|(known, _)| *known == layer) {
            Some((_, layer)) => layer.extend(blob),
            None => layers.push((layer, [field(1, layer.as_bytes()), blob].concat())),
        }
    }
    layers
        .iter()
        .flat_map(|(_, layer)| field(100, layer))
        .collect()
}

fn memory(role: FileRole, bytes: Vec<u8>) -> ModelFile {
    ModelFile {
        role,
        content: ModelContent::Bytes(Arc::new(bytes)),
    }
}

fn on_disk(role: FileRole, path: &Path) -> ModelFile {
    ModelFile {
        role,
        content: ModelContent::Path(path.to_owned()),
    }
}

fn options(inputs: &[(String, Tensor)]) -> ImportOptions {
    let shapes = inputs.iter().map(|(n, t)| (n.clone(), t.shape().to_vec()));
    ImportOptions {
        shapes: shapes.collect(),
        ..ImportOptions::default()
    }
}

fn import(files: &[ModelFile], options: &ImportOptions) -> Result<Imported, String> {
    Caffe.import(files, options).map_err(|e| e.to_string())
}

type Named = Vec<(String, Tensor)>;

fn outputs_of(engine: Engine, onnx: &[u8], inputs: &[(String, Tensor)]) -> Result<Named, String> {
    let inputs: Vec<(&str, &Tensor)> = inputs.iter().map(|(n, t)| (n.as_str(), t)).collect();
    run(engine, onnx, &inputs)
}

/// Compares the stored numbers of an output.
fn compare(stored: &Value, found: &Named) -> Outcome {
    let wanted = name(&stored["name"]);
    let (_, found) = found
        .iter()
        .find(|(n, _)| n == wanted)
        .ok_or_else(|| format!("no output `{wanted}`"))?;
    if found.shape() != sizes(&stored["shape"]) {
        return Err(format!(
            "shape {:?}, not {}",
            found.shape(),
            stored["shape"]
        ));
    }
    let found = found.view().to_f32_vec();
    let at = sizes(&stored["at"]);
    let values = stored["values"].as_array().expect("a list").iter();
    let allowed = f64::from(TOLERANCE) * number(&stored["largest"]);
    for (at, value) in at.into_iter().zip(values) {
        let difference = (f64::from(found[at]) - number(value)).abs();
        if difference.is_nan() || difference > allowed {
            return Err(format!(
                "`{wanted}` at {at}: {}, expected {value}",
                found[at]
            ));
        }
    }
    Ok(())
}

/// The inputs of a case; those that the net does not read are no inputs of the graph.
fn case_inputs(case: &Value) -> Named {
    let shapes = case["inputs"].as_array().expect("a list").iter();
    shapes
        .zip(1000..)
        .map(|(input, seed)| {
            let shape = sizes(&input[1]);
            let count = shape.iter().product();
            let values = elements(count, seed, number(&input[2]), number(&input[3]));
            (name(&input[0]).to_owned(), tensor(&shape, &values))
        })
        .collect()
}

fn case_files(case: &Value, folder: Option<&Path>) -> Option<Vec<ModelFile>> {
    let text = if let Some(text) = case["prototxt"].as_str() {
        text.to_owned()
    } else {
        let path = folder?.join(name(&case["file"]));
        let mut text = fs::read_to_string(&path).expect("a text");
        for pair in case["replace"].as_array().into_iter().flatten() {
            for end in ["\n", " ", "}"] {
                let [wide, narrow] = [0, 1].map(|at| format!("{}{end}", name(&pair[at])));
                text = text.replace(&wide, &narrow);
            }
        }
        text
    };
    let text = memory(FileRole::Config, text.into_bytes());
    let model = match case["model"].as_str() {
        Some(file) => on_disk(FileRole::Model, &folder?.join(file)),
        None => memory(FileRole::Model, caffemodel(&case["blobs"])),
    };
    Some(vec![text, model])
}

#[test]
fn layers_and_nets_compute_what_opencv_computes() {
    let reference: Value = serde_json::from_str(REFERENCE).expect("JSON");
    let cases = reference["cases"].as_array().expect("a list");
    assert!(cases.len() > 150, "{} cases", cases.len());
    let folder = assets("");
    let mut failures = Vec::new();
    for case in cases {
        let Some(files) = case_files(case, folder.as_deref()) else {
            continue;
        };
        let inputs = case_inputs(case);
        let case_name = name(&case["name"]);
        let imported = match import(&files, &options(&inputs)) {
            Ok(imported) => imported,
            Err(error) => {
                failures.push(format!("{case_name}: {error}"));
                continue;
            }
        };
        for engine in engines() {
            let mut stored = case["outputs"].as_array().expect("a list").iter();
            let outcome = outputs_of(engine, &imported.onnx, &inputs)
                .and_then(|found| stored.try_for_each(|s| compare(s, &found)));
            if let Err(error) = outcome {
                failures.push(format!("{case_name} on {}: {error}", engine.name()));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The nets of OpenCV's test data with inputs and outputs beside them.
fn conformance(folder: &Path, case: &str) -> Result<(Imported, Named, Tensor), String> {
    let path = |end: &str| folder.join(format!("{case}{end}"));
    let mut files = vec![on_disk(FileRole::Config, &path(".prototxt"))];
    if path(".caffemodel").is_file() {
        files.push(on_disk(FileRole::Model, &path(".caffemodel")));
    }
    let input = if path(".input.npy").is_file() {
        path(".input.npy")
    } else {
        folder.join("blob.npy")
    };
    let inputs = vec![("input".to_owned(), read_npy(&input))];
    let imported = import(&files, &options(&inputs))?;
    Ok((imported, inputs, read_npy(&path(".npy"))))
}

#[test]
fn conformance_nets_give_their_stored_outputs() {
    let Some(folder) = assets("conformance/opencv_extra_dnn/layers") else {
        return;
    };
    let mut cases = Vec::new();
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "prototxt") {
            cases.push(
                path.file_stem()
                    .and_then(|s| s.to_str())
                    .expect("a name")
                    .to_owned(),
            );
        }
    }
    assert!(cases.len() > 10, "{} nets", cases.len());
    for engine in engines() {
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        for case in &cases {
            let stored = folder.join(format!("{case}.npy")).is_file();
            let outcome = if stored {
                conformance(&folder, case).and_then(|(imported, inputs, expected)| {
                    let found = outputs_of(engine, &imported.onnx, &inputs)?;
                    let output = found
                        .iter()
                        .find(|(n, _)| n == "output")
                        .ok_or("no output")?;
                    close(&expected, &output.1, TOLERANCE)
                })
            } else {
                several(engine, &folder, case)
            };
            outcomes.insert(case.clone(), outcome);
        }
        check_suite(&format!("caffe-{}", engine.name()), &outcomes);
    }
}

/// Nets with several inputs, whose outputs follow from them (as OpenCV's own tests have it).
fn several(engine: Engine, folder: &Path, case: &str) -> Outcome {
    let mut files = vec![on_disk(
        FileRole::Config,
        &folder.join(format!("{case}.prototxt")),
    )];
    let model = folder.join(format!("{case}.caffemodel"));
    if model.is_file() {
        files.push(on_disk(FileRole::Model, &model));
    }
    let input = |name: &str, shape: &[usize], seed| {
        let count = shape.iter().product();
        (
            name.to_owned(),
            tensor(shape, &elements(count, seed, -1.0, 1.0)),
        )
    };
    let (inputs, output, expected) = match case {
        "net_input" => {
            let red = input("old_style_input_red", &[1, 1, 10, 11], 1);
            let other = input("different_name_for_red", &[1, 1, 10, 11], 2);
            let blue = input("old_style_input_blue_green", &[1, 2, 10, 11], 3);
            let second = input("input_layer_blue_green", &[1, 2, 10, 11], 4);
            let values = |t: &(String, Tensor)| t.1.view().to_f32_vec();
            let first = [values(&blue), values(&other)].concat();
            let last = [values(&second), values(&red)].concat();
            let sum: Vec<f32> = first.iter().zip(&last).map(|(a, b)| a + b).collect();
            (
                vec![red, other, blue, second],
                "output",
                tensor(&[1, 3, 10, 11], &sum),
            )
        }
        "shared_weights" => {
            // All weights are 1: both branches sum their input, as OpenCV 4.14 does.
            let one = (
                "input_1".to_owned(),
                tensor(&[1, 1, 2, 2], &[0.0, 1.0, 2.0, 3.0]),
            );
            let two = (
                "input_2".to_owned(),
                tensor(&[1, 1, 2, 2], &[0.0, 2.0, 4.0, 6.0]),
            );
            (vec![one, two], "sum", tensor(&[1, 2], &[6.0, 12.0]))
        }
        _ => (Vec::new(), "", tensor(&[1], &[0.0])),
    };
    let imported = import(&files, &options(&inputs))?;
    let found = outputs_of(engine, &imported.onnx, &inputs)?;
    let found = found.iter().find(|(n, _)| n == output).ok_or("no output")?;
    close(&expected, &found.1, TOLERANCE)
}

/// `DetectionOutput` of the cases that the decoder `ssd-priors` is tested with.
fn detection_net(case: &Value, all: &Value) -> String {
    let classes = case["classes"].as_u64().expect("a number");
    let shared = case["share_location"].as_bool().expect("a truth");
    let priors = 96;
    let lists = if shared { 1 } else { classes };
    let mut parts = Vec::new();
    let mut input = |name: &str, dims: &[u64]| {
        let dims: Vec<String> = dims.iter().map(|d| format!("dim: {d}")).collect();
        let dims = dims.join(" ");
        parts.push(format!("input: \"{name}\" input_shape {{ {dims} }}\n"));
    };
    input("data", &[1, 3, 80, 100]);
    input("loc", &[2, priors * 4 * lists]);
    input("conf", &[2, priors * classes]);
    let grids = all["priors"].as_array().expect("a list");
    for (at, grid) in grids.iter().enumerate() {
        let cells = sizes(&grid["cells"]);
        input(
            &format!("map{at}"),
            &[1, 1, cells[1] as u64, cells[0] as u64],
        );
    }
    for (at, grid) in grids.iter().enumerate() {
        let each = |key: &str, name: &str| -> String {
            let list = grid[key].as_array().into_iter().flatten();
            let each: Vec<String> = list.map(|v| format!("{name}: {v} ")).collect();
            each.concat()
        };
        let fields = [
            each("min_sizes", "min_size"),
            each("max_sizes", "max_size"),
            each("aspect_ratios", "aspect_ratio"),
            each("variances", "variance"),
            format!(
                "flip: false step_w: {} step_h: {} ",
                grid["step"][0], grid["step"][1]
            ),
            format!("clip: {}", grid["clip"].as_bool().unwrap_or(false)),
        ];
        parts.push(format!(
            "layer {{ name: \"p{at}\" type: \"PriorBox\" bottom: \"map{at}\" bottom: \"data\" top: \"p{at}\" prior_box_param {{ {} }} }}\n",
            fields.concat()
        ));
    }
    parts.push("layer { name: \"c\" type: \"Concat\" bottom: \"p0\" bottom: \"p1\" top: \"priors\" concat_param { axis: 2 } }\n".to_owned());
    let top_k = case["top_k"]
        .as_u64()
        .map_or(String::new(), |k| format!("top_k: {k}"));
    let code = name(&case["code"]).to_uppercase().replace('-', "_");
    parts.push(format!(
        "layer {{ name: \"d\" type: \"DetectionOutput\" bottom: \"loc\" bottom: \"conf\" bottom: \"priors\" top: \"out\"
           detection_output_param {{ num_classes: {classes} share_location: {shared} background_label_id: {}
           code_type: {code} keep_top_k: {} confidence_threshold: {} variance_encoded_in_target: {}
           nms_param {{ nms_threshold: {} {top_k} }} }} }}",
        case["background"].as_i64().unwrap_or(-1),
        case["max"],
        all["score"],
        case["variance_in_target"].as_bool().unwrap_or(false),
        all["iou"]
    ));
    parts.concat()
}

#[test]
fn detections_in_the_graph_are_those_of_opencv() {
    let all: Value = serde_json::from_str(DETECTIONS).expect("JSON");
    for engine in engines() {
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        for case in all["cases"].as_array().expect("a list") {
            outcomes.insert(
                format!("detections_{}", case["seed"]),
                detections(engine, case, &all),
            );
        }
        check_suite(&format!("caffe-detections-{}", engine.name()), &outcomes);
    }
}

fn detections(engine: Engine, case: &Value, all: &Value) -> Outcome {
    let files = [memory(FileRole::Config, detection_net(case, all).into())];
    let seed = case["seed"].as_u64().expect("a number");
    let classes = case["classes"].as_u64().expect("a number") as usize;
    let lists = if case["share_location"] == true {
        1
    } else {
        classes
    };
    // Two images with the same numbers.
    let twice =
        |count: usize, seed, low| tensor(&[2, count], &elements(count, seed, low, 1.0).repeat(2));
    let inputs = vec![
        ("loc".to_owned(), twice(96 * 4 * lists, seed + 1, -1.0)),
        ("conf".to_owned(), twice(96 * classes, seed + 2, 0.0)),
    ];
    let in_graph = ImportOptions {
        in_graph: true,
        ..ImportOptions::default()
    };
    let imported = import(&files, &in_graph)?;
    let found = outputs_of(engine, &imported.onnx, &inputs)?;
    let rows = case["rows"].as_array().expect("a list");
    let (name, found) = found.first().ok_or("no output")?;
    if name != "out" || found.shape() != [1, 1, rows.len() * 2, 7] {
        return Err(format!("`{name}` {:?}", found.shape()));
    }
    let found = found.view().to_f32_vec();
    let (found, _) = found.as_chunks::<7>();
    for (image, own) in found.chunks(rows.len()).enumerate() {
        let order = |row: &[f32; 7]| (row[1] as i64, -i64::from(row[2].to_bits()));
        if !own.is_sorted_by_key(order) {
            return Err("not by class, then by falling score".to_owned());
        }
        let mut own = own.to_vec();
        own.sort_by(|a, b| b[2].total_cmp(&a[2]));
        for (found, row) in own.iter().zip(rows) {
            let same = |at: usize| (f64::from(found[at + 1]) - number(&row[at])).abs() < 1e-5;
            if found[0].to_bits() != (image as f32).to_bits() || !(0..6).all(same) {
                return Err(format!("image {image}: {found:?}, expected {row}"));
            }
        }
    }
    Ok(())
}
