//! OpenVINO IR: operators against OpenVINO's own outputs (`fixtures/openvino`), real models against
//! what OpenVINO gave (`reference/openvino_models.json`), old versions against the same net of version 11,
//! and damaged files.

use crate::support::{
    assets::assets,
    compare::{close, difference},
    engines::{Engine, engines, run},
    expected::{Outcome, check_suite},
    npy::{read_npy, tensor},
};
use dyno_core::{
    Dimension, FileRole, ImportError, ImportOptions, Imported, Importer, ModelContent, ModelFile,
    Tensor, TensorData,
};
use dyno_hub::{graph::Graph, import::OpenVino};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn file(role: FileRole, bytes: Vec<u8>) -> ModelFile {
    ModelFile {
        role,
        content: ModelContent::Bytes(Arc::new(bytes)),
    }
}

fn import(xml: &[u8], bin: Vec<u8>, options: &ImportOptions) -> Result<Imported, ImportError> {
    let files = [
        file(FileRole::Model, xml.to_vec()),
        file(FileRole::Config, bin),
    ];
    OpenVino.import(&files, options)
}

/// The IR `path` with the file of constants beside it, if there is one.
fn import_path(path: &Path, options: &ImportOptions) -> Result<Imported, ImportError> {
    let xml = fs::read(path).expect("a graph");
    let bin = fs::read(path.with_extension("bin")).unwrap_or_default();
    import(&xml, bin, options)
}

fn in_graph() -> ImportOptions {
    ImportOptions {
        in_graph: true,
        ..ImportOptions::default()
    }
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.view().to_f32_vec()
}

/// The graph up to one of its outputs.
fn only(graph: &Graph, output: &str) -> Graph {
    let mut part = graph.clone();
    part.outputs.retain(|o| o.name == output);
    let mut needed: BTreeSet<String> = [output.to_owned()].into();
    let mut nodes = Vec::new();
    for node in part.nodes.into_iter().rev() {
        if node.outputs.iter().any(|o| needed.contains(o)) {
            needed.extend(node.inputs.iter().cloned());
            nodes.push(node);
        }
    }
    nodes.reverse();
    part.nodes = nodes;
    part.inputs.retain(|i| needed.contains(&i.name));
    part.initializers.retain(|name, _| needed.contains(name));
    part.values.retain(|name, _| needed.contains(name));
    part
}

/// One net a family, all outputs of a family behind each other in the stored array.
fn family(name: &str, engine: Engine) -> Vec<(String, Outcome)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openvino");
    let path = folder.join(format!("{name}.xml"));
    let imported = import_path(&path, &in_graph()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let graph = Graph::from_onnx(imported.onnx.clone()).expect("ONNX");
    let x = read_npy(&folder.join(format!("{name}.in.npy")));
    let inputs: Vec<(&str, &Tensor)> = graph.inputs.iter().map(|_| ("x", &x)).collect();
    let all = numbers(&read_npy(&folder.join(format!("{name}.out.npy"))));
    let outputs: Vec<(String, Result<Tensor, String>)> = match run(engine, &imported.onnx, &inputs)
    {
        Ok(outputs) => outputs.into_iter().map(|(n, t)| (n, Ok(t))).collect(),
        // What the engine lacks is lacking in some outputs only.
        Err(_) => graph
            .outputs
            .iter()
            .map(|output| {
                let part = only(&graph, &output.name);
                let inputs: Vec<(&str, &Tensor)> = part.inputs.iter().map(|_| ("x", &x)).collect();
                let one = part.to_onnx().expect("ONNX");
                let found = run(engine, &one, &inputs).map(|mut o| o.remove(0).1);
                (output.name.clone(), found)
            })
            .collect(),
    };
    let mut at = 0;
    let mut outcomes = Vec::new();
    for ((output, found), stated) in outputs.into_iter().zip(&graph.outputs) {
        let shape = stated.fixed_shape().expect("a fixed shape");
        let count = shape.iter().product::<usize>();
        let expected = tensor(&shape, &all[at..at + count]);
        at += count;
        let outcome = found.and_then(|found| {
            assert_eq!(found.shape(), shape, "{name}/{output}");
            close(&expected, &tensor(&shape, &numbers(&found)), 2e-5)
        });
        outcomes.push((format!("{name}/{output}"), outcome));
    }
    assert_eq!(at, all.len(), "{name}: numbers of all outputs");
    outcomes
}

#[test]
fn operators_compute_what_openvino_computes() {
    let families = [
        "activation",
        "arithmetic",
        "convolution",
        "normalize",
        "pool",
        "priors",
        "quantize",
        "reduce",
        "region",
        "resize",
        "select",
        "shape",
        "transposed",
        "unary",
    ];
    for engine in engines() {
        let outcomes: BTreeMap<String, Outcome> =
            families.iter().flat_map(|f| family(f, engine)).collect();
        check_suite(&format!("openvino-operators-{}", engine.name()), &outcomes);
    }
}

/// IR files of OpenVINO's own tests: what it loads itself is imported.
#[test]
fn conformance_files_are_imported() {
    let part = "conformance/openvino_ir/inference-engine/tests/functional/inference_engine/\
                ir_serialization/models";
    let Some(folder) = assets(part) else { return };
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "xml") {
            continue;
        }
        let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
        let outcome = import_path(&path, &ImportOptions::default());
        outcomes.insert(
            name.to_owned(),
            outcome.map(drop).map_err(|e| e.to_string()),
        );
    }
    check_suite("openvino-files", &outcomes);
}

/// The reference's pseudo-random numbers in [0, 1): multiplicative congruence modulo 2^31 - 1.
fn seeded(shape: &[usize], position: usize) -> Vec<f32> {
    let mut state = 20_260_704 + position as u64;
    let count = shape.iter().product();
    (0..count)
        .map(|_| {
            state = state * 48_271 % 2_147_483_647;
            (state as f64 / 2_147_483_647.0) as f32
        })
        .collect()
}

/// A file of the assets.
fn asset(part: &str) -> Option<PathBuf> {
    let (folder, name) = part.rsplit_once('/').expect("a folder and a name");
    Some(assets(folder)?.join(name))
}

fn model(part: &str) -> Option<PathBuf> {
    asset(&format!("models/dldt/{part}"))
}

/// Outputs of an imported model on the reference's input, `scale` times the seeded numbers.
fn outputs(path: &Path, engine: Engine, scale: f32) -> Vec<(String, Tensor)> {
    let imported =
        import_path(path, &in_graph()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let graph = Graph::from_onnx(imported.onnx.clone()).expect("ONNX");
    let inputs: Vec<(String, Tensor)> = graph
        .inputs
        .iter()
        .enumerate()
        .map(|(position, input)| {
            let axes = input.shape.as_ref().expect("a shape").iter();
            let shape: Vec<usize> = axes
                .map(|d| match d {
                    Dimension::Fixed(n) => *n,
                    Dimension::Symbolic(_) | Dimension::Unknown => 1,
                })
                .collect();
            let values = seeded(&shape, position).into_iter().map(|v| v * scale);
            let values: Vec<f32> = values.collect();
            (input.name.clone(), tensor(&shape, &values))
        })
        .collect();
    let inputs: Vec<(&str, &Tensor)> = inputs.iter().map(|(n, t)| (n.as_str(), t)).collect();
    run(engine, &imported.onnx, &inputs).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What the reference says of an output: its name, shape, sum of magnitudes, and 64 values spread
/// over it.
#[test]
fn real_models_give_what_openvino_gives() {
    let text = include_str!("reference/openvino_models.json");
    let reference: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let models = reference["models"].as_array().expect("models");
    assert!(models.len() >= 5, "{} models", models.len());
    for case in models {
        let part = case["model"].as_str().expect("a path");
        let Some(path) = asset(part) else { return };
        let scale = case["scale"].as_f64().expect("a factor") as f32;
        let tolerance = case["tolerance"].as_f64().expect("a tolerance") as f32;
        for engine in engines() {
            let found = outputs(&path, engine, scale);
            let expected = case["outputs"].as_array().expect("outputs");
            assert_eq!(found.len(), expected.len(), "{part}");
            for ((name, output), said) in found.iter().zip(expected) {
                let place = format!("{part} on {}: {name}", engine.name());
                assert_eq!(said["name"].as_str(), Some(name.as_str()), "{place}");
                let shape: Vec<u64> = output.shape().iter().map(|&d| d as u64).collect();
                assert_eq!(said["shape"], serde_json::json!(shape), "{place}");
                let values = numbers(output);
                let picked: Vec<f32> = said["values"]
                    .as_array()
                    .expect("values")
                    .iter()
                    .map(|v| v.as_f64().expect("a number") as f32)
                    .collect();
                let step = (values.len() / picked.len()).max(1);
                let ours: Vec<f32> = values
                    .iter()
                    .step_by(step)
                    .take(picked.len())
                    .copied()
                    .collect();
                let most = said["greatest"].as_f64().expect("a number") as f32;
                for (a, b) in ours.iter().zip(&picked) {
                    assert!((a - b).abs() <= tolerance * most, "{place}: {a}, not {b}");
                }
                let sum: f64 = values.iter().map(|v| f64::from(v.abs())).sum();
                let expected = said["sum"].as_f64().expect("a number");
                let off = (sum - expected).abs() / expected;
                assert!(
                    off <= f64::from(tolerance),
                    "{place}: sum {sum}, not {expected}"
                );
            }
        }
    }
}

/// Versions 5 and 6 have no engine left: the same weights as version 11, which OpenVINO reads, give
/// the same numbers.
#[test]
fn old_versions_equal_the_same_net_of_version_11() {
    let pairs = [
        (
            "squeezenet1.1-imagenet-fp16/squeezenet1.1.xml",
            "squeezenet1.1-imagenet-v11/squeezenet1.1.xml",
            255.0,
        ),
        (
            "tf-pose-mobilenetv2-0.5-coco/FP16/frozen-model.xml",
            "tf-pose-mobilenetv2-0.5-coco-v11/tf_pose_mobilenetv2_0.5.xml",
            255.0,
        ),
    ];
    for (old, new, scale) in pairs {
        let (Some(old_path), Some(new_path)) = (model(old), model(new)) else {
            return;
        };
        for engine in engines() {
            let (a, b) = (
                outputs(&old_path, engine, scale),
                outputs(&new_path, engine, scale),
            );
            let found = difference(&b[0].1, &a[0].1).expect("comparable");
            assert!(
                found.relative <= 2e-3,
                "{old} on {}: {found:?}",
                engine.name()
            );
        }
    }
}

const XML: &str = r#"<net name="n" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data element_type="f32" shape="1,2"/>
<output><port id="0" precision="FP32" names="x"><dim>1</dim><dim>2</dim></port></output></layer>
<layer id="1" name="c" type="Const" version="opset1"><data element_type="f32" offset="0" shape="1,2" size="8"/>
<output><port id="0" precision="FP32" names="c"><dim>1</dim><dim>2</dim></port></output></layer>
<layer id="2" name="s" type="Add" version="opset1"><data auto_broadcast="numpy"/>
<input><port id="0"/><port id="1"/></input>
<output><port id="2" precision="FP32" names="y"><dim>1</dim><dim>2</dim></port></output></layer>
<layer id="3" name="r" type="Result" version="opset1"><input><port id="0"/></input></layer>
</layers><edges>
<edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
<edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
<edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>
</edges></net>"#;

fn weights() -> Vec<u8> {
    [1.0f32, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn what_cannot_be_expressed_is_said_all_at_once() {
    let text = XML
        .replace(
            "type=\"Add\" version=\"opset1\"",
            "type=\"Frobnicate\" version=\"opset1\"",
        )
        .replace(
            "</layers>",
            "<layer id=\"9\" name=\"z\" type=\"Loop\" version=\"opset5\"/></layers>",
        );
    let error = import(text.as_bytes(), weights(), &ImportOptions::default());
    let Err(ImportError::Unsupported { operators }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(operators, ["Frobnicate `s` (line 6)", "Loop `z` (line 10)"]);
    let text = XML.replace(
        "auto_broadcast=\"numpy\"",
        "auto_broadcast=\"pdpd\" other=\"1\"",
    );
    let error = import(text.as_bytes(), weights(), &ImportOptions::default());
    let text = error.expect_err("two attributes").to_string();
    assert!(
        text.contains("`auto_broadcast` with value `pdpd`"),
        "{text}"
    );
    let text = XML.replace("auto_broadcast=\"numpy\"", "other=\"1\"");
    let error = import(text.as_bytes(), weights(), &ImportOptions::default());
    let text = error
        .expect_err("an attribute that nobody reads")
        .to_string();
    assert!(text.contains("attributes [\"other\"]"), "{text}");
}

#[test]
fn constants_have_the_bytes_of_their_shape_and_lie_within_the_file() {
    let says = |xml: &str, bin: Vec<u8>| {
        let result = import(xml.as_bytes(), bin, &ImportOptions::default());
        result.expect_err("a damaged file").to_string()
    };
    let text = says(XML, weights()[..5].to_vec());
    assert!(
        text.contains("8 bytes at 0, and the weights file has 5 bytes"),
        "{text}"
    );
    let text = says(
        &XML.replace("shape=\"1,2\" size", "shape=\"1,3\" size"),
        weights(),
    );
    assert!(
        text.contains("f32[1, 3] has 12 bytes, and the file gives it 8"),
        "{text}"
    );
    let claim = XML.replace(
        "offset=\"0\" shape=\"1,2\" size=\"8\"",
        "offset=\"0\" shape=\"1,268435456\" size=\"2147483648\"",
    );
    let text = says(&claim, weights());
    assert!(text.contains("2147483648 bytes at 0"), "{text}");
    let cycle = XML.replace(
        "from-layer=\"0\" from-port=\"0\"",
        "from-layer=\"2\" from-port=\"2\"",
    );
    let text = says(&cycle, weights());
    assert!(text.contains("depends on itself"), "{text}");
}

#[test]
fn names_are_openvinos() {
    let imported = import(XML.as_bytes(), weights(), &ImportOptions::default()).expect("a net");
    let graph = Graph::from_onnx(imported.onnx).expect("ONNX");
    assert_eq!(
        (
            graph.inputs[0].name.as_str(),
            graph.outputs[0].name.as_str()
        ),
        ("x", "y")
    );
    let old = XML.replace("version=\"11\"", "version=\"10\"");
    let imported = import(old.as_bytes(), weights(), &ImportOptions::default()).expect("a net");
    let graph = Graph::from_onnx(imported.onnx).expect("ONNX");
    assert_eq!(
        (
            graph.inputs[0].name.as_str(),
            graph.outputs[0].name.as_str()
        ),
        ("x", "s")
    );
}

#[test]
fn open_lengths_take_the_shape_that_is_asked_for() {
    let open = XML.replacen("shape=\"1,2\"", "shape=\"?,2\"", 1);
    let ask = |shape: Vec<usize>| {
        let options = ImportOptions {
            shapes: [("x".to_owned(), shape)].into(),
            ..ImportOptions::default()
        };
        import(open.as_bytes(), weights(), &options)
    };
    let imported = ask(vec![4, 2]).expect("a shape that fits");
    let graph = Graph::from_onnx(imported.onnx).expect("ONNX");
    assert_eq!(graph.inputs[0].fixed_shape(), Some(vec![4, 2]));
    assert!(ask(vec![4, 3]).is_err(), "a length that the file fixes");
    assert!(ask(vec![4]).is_err(), "another number of axes");
}

#[test]
fn every_truncation_of_a_real_file_is_an_error() {
    let Some(path) = model("samplenet-cifar10/SampLeNet.xml") else {
        return;
    };
    let xml = fs::read(&path).expect("a graph");
    let bin = fs::read(path.with_extension("bin")).expect("constants");
    for percent in 0..100 {
        let end = xml.len() * percent / 100;
        let short = import(&xml[..end], bin.clone(), &ImportOptions::default());
        assert!(short.is_err(), "graph to {percent} %");
        let end = bin.len() * percent / 100;
        let short = import(&xml, bin[..end].to_vec(), &ImportOptions::default());
        assert!(short.is_err(), "constants to {percent} %");
    }
}

#[test]
fn a_head_is_cut_and_its_anchors_are_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openvino");
    let xml = fs::read_to_string(folder.join("region.xml")).expect("a graph");
    // The two heads of the fixture decode differently; here both are of YOLO v3.
    let alike = xml.replace("do_softmax=\"true\"", "do_softmax=\"false\"");
    let bin = fs::read(folder.join("region.bin")).expect("constants");
    let imported = import(alike.as_bytes(), bin, &ImportOptions::default()).expect("a net");
    let decoder = imported.says.decoder.expect("a decoder");
    assert_eq!(decoder.kind, "yolo");
    assert_eq!(decoder.parameters["classes"], 2);
    let heads = decoder.parameters["heads"].as_array().expect("heads");
    assert_eq!(
        heads[0]["anchors"],
        serde_json::json!([[1.0, 2.0], [3.0, 4.0]])
    );
    assert_eq!(imported.says.outputs.len(), 2);
    assert_eq!(heads[1]["output"], imported.says.outputs[1].as_str());
    let x = Tensor::new(vec![1, 14, 2, 3], TensorData::F32(vec![0.5; 84])).expect("84 values");
    for engine in engines() {
        let outputs = run(engine, &imported.onnx, &[("x", &x)]).expect("a run");
        assert_eq!(
            numbers(&outputs[0].1),
            numbers(&x),
            "what the head reads, as it is"
        );
    }
}
