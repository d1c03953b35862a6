//! Torch7 networks: OpenCV's own test nets with their stored outputs, ENet against OpenCV, unpooling
//! against ONNX's own operator, and what is refused.

use crate::support::{
    assets::assets,
    compare::close,
    engines::{Engine, engines, run, run_one},
    expected::{Outcome, check_suite},
    npy::tensor,
};
use bytes::Bytes;
use dyno_core::{
    FileRole, ImportError, ImportOptions, Imported, Importer, ModelContent, ModelFile, Tensor,
};
use dyno_formats::torch7::{Element, File, Object};
use dyno_hub::import::Torch7;
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

mod writer;
use writer::{Module, file};

fn import(bytes: Vec<u8>, shape: Option<&[usize]>) -> Result<Imported, ImportError> {
    let files = [ModelFile {
        role: FileRole::Model,
        content: ModelContent::Bytes(Arc::new(bytes)),
    }];
    let shapes = shape.map(|s| ("input".to_owned(), s.to_vec()));
    let options = ImportOptions {
        shapes: shapes.into_iter().collect(),
        ..ImportOptions::default()
    };
    Torch7.import(&files, &options)
}

/// The tensor that a file is.
fn stored(path: &Path) -> Tensor {
    let bytes = Bytes::from(fs::read(path).expect("a file"));
    let file: File = dyno_formats::torch7::read(&bytes).expect("a tensor");
    let Some(Object::Tensor(view)) = file.object(&file.root) else {
        panic!("{}: no tensor", path.display())
    };
    let (element, shape, bytes) = file.dense(view).expect("within its storage");
    let values: Vec<f32> = match element {
        Element::F32 => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().expect("4")))
            .collect(),
        Element::F64 => bytes
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().expect("8")) as f32)
            .collect(),
        other => panic!("{}: {other:?}", path.display()),
    };
    tensor(&shape, &values)
}

#[test]
fn conformance_nets_give_their_stored_outputs() {
    let Some(folder) = assets("conformance/opencv_extra_dnn/torch") else {
        return;
    };
    for engine in engines() {
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|n| n.to_str())
                .expect("a name")
                .to_owned();
            let Some((name, ending)) = name.split_once("_net.") else {
                continue;
            };
            let beside = |kind: &str| stored(&folder.join(format!("{name}_{kind}.{ending}")));
            let outcome = || -> Outcome {
                let x = beside("input");
                let bytes = fs::read(&path).map_err(|e| e.to_string())?;
                let imported = import(bytes, Some(x.shape())).map_err(|e| e.to_string())?;
                let outputs = run_one(engine, &imported.onnx, &x)?;
                close(&beside("output"), outputs.first().ok_or("no output")?, 1e-4)
            };
            outcomes.insert(name.to_owned(), outcome());
        }
        check_suite(&format!("torch7-{}", engine.name()), &outcomes);
    }
}

/// The real model of the assets.
fn enet() -> Option<std::path::PathBuf> {
    Some(assets("models/torch7/enet-cityscapes")?.join("enet-model.net"))
}

/// The reference's input of a picture: `[1, 3, rows, columns]`, and the sum of its bytes.
fn picture(path: &Path, [rows, columns]: [usize; 2]) -> (Tensor, u64) {
    let file = std::io::BufReader::new(fs::File::open(path).expect("a picture"));
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    let (width, height) = (info.width as usize, info.height as usize);
    let samples = info.color_type.samples();
    let mut values = Vec::with_capacity(3 * rows * columns);
    let mut sum = 0;
    for channel in 0..3 {
        for row in 0..rows {
            let y = (row * 2 + 1) * height / (2 * rows);
            for column in 0..columns {
                let x = (column * 2 + 1) * width / (2 * columns);
                let at = (y * width + x) * samples + channel.min(samples - 1);
                sum += u64::from(pixels[at]);
                values.push(f32::from(pixels[at]) / 255.0);
            }
        }
    }
    (tensor(&[1, 3, rows, columns], &values), sum)
}

#[test]
fn enet_gives_the_classes_that_opencv_gives() {
    let Some(model) = enet() else {
        return;
    };
    let text = include_str!("reference/torch7_enet.json");
    let reference: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let size = [512, 1024];
    assert_eq!(reference["size"], serde_json::json!(size));
    // The shape of the input is open, as it is in the file.
    let imported = import(fs::read(model).expect("a model"), None).expect("ENet");
    let (mut same, mut all) = (0usize, 0usize);
    for case in reference["cases"].as_array().expect("cases") {
        let part = case["picture"].as_str().expect("a path");
        let (folder, name) = part.rsplit_once('/').expect("a folder");
        let Some(folder) = assets(folder) else { return };
        let path = folder.join(name);
        let (x, sum) = picture(&path, size);
        assert_eq!(case["sum"], sum, "{part}: the input is not the reference's");
        for engine in engines() {
            let outputs = run_one(engine, &imported.onnx, &x).expect("a run");
            let scores = outputs[0].view().to_f32_vec();
            let area = size[0] * size[1];
            let class = |at: usize| {
                let value = |c: usize| scores[c * area + at];
                (0..scores.len() / area)
                    .fold(0, |best, c| if value(c) > value(best) { c } else { best })
            };
            let expected = case["classes"].as_str().expect("letters").bytes();
            for (at, letter) in expected.enumerate() {
                all += 1;
                same += usize::from(class(at * 37) == usize::from(letter - b'a'));
            }
            let greatest = case["greatest"].as_f64().expect("a number");
            let step = scores.len() / 64;
            let values = case["values"].as_array().expect("values").iter();
            for (at, value) in values.enumerate() {
                let off = f64::from(scores[at * step]) - value.as_f64().expect("a number");
                assert!(
                    off.abs() <= 1e-3 * greatest,
                    "{part} on {}: {off}",
                    engine.name()
                );
            }
        }
    }
    assert!(all > 40_000, "{all} pixels");
    assert!(
        same * 10_000 >= all * 9_999,
        "{same} of {all} pixels have the same class"
    );
}

/// A pool of 2x2 whose indices an unpooling uses, and the pooled numbers in between.
fn unpooling() -> Vec<u8> {
    let pool = Module::new("nn.SpatialMaxPooling")
        .numbers(&[("kW", 2.0), ("kH", 2.0), ("dW", 2.0), ("dH", 2.0)])
        .shared("indices", 900);
    let unpool = Module::new("nn.SpatialMaxUnpooling").shared("indices", 900);
    file(&Module::new("nn.Sequential").modules(vec![pool, Module::new("nn.Tanh"), unpool]))
}

#[test]
fn unpooling_puts_numbers_back_where_the_first_greatest_stood() {
    let shape = [1, 2, 4, 6];
    // Few different numbers: most windows have ties.
    let values: Vec<f32> = (0..48u32)
        .map(|i| ((i * 7 + i / 5) % 3) as f32 - 1.0)
        .collect();
    let mut expected = vec![0.0f32; values.len()];
    for channel in 0..2 {
        for row in (0..4).step_by(2) {
            for column in (0..6).step_by(2) {
                let places = [(0, 0), (0, 1), (1, 0), (1, 1)];
                let at = |(r, c): (usize, usize)| channel * 24 + (row + r) * 6 + column + c;
                let best = places.iter().fold(places[0], |best, place| {
                    if values[at(*place)] > values[at(best)] {
                        *place
                    } else {
                        best
                    }
                });
                expected[at(best)] = values[at(best)].tanh();
            }
        }
    }
    let x = tensor(&shape, &values);
    let lowered = import(unpooling(), None).expect("a net");
    let graph = dyno_hub::graph::Graph::from_onnx(lowered.onnx.clone()).expect("ONNX");
    assert!(
        graph.nodes.iter().all(|n| n.op != "MaxUnpool"),
        "lowered to what every engine has"
    );
    for engine in engines() {
        let outputs = run_one(engine, &lowered.onnx, &x).expect("a run");
        close(&tensor(&shape, &expected), &outputs[0], 1e-6)
            .expect("the places of the first greatest");
    }
    // An odd length has a row that no window holds: ONNX's own operator, which ONNX Runtime has.
    let odd = import(unpooling(), Some(&[1, 2, 5, 6])).expect("a net");
    let graph = dyno_hub::graph::Graph::from_onnx(odd.onnx.clone()).expect("ONNX");
    assert!(graph.nodes.iter().any(|n| n.op == "MaxUnpool"));
    for engine in engines().into_iter().filter(|e| *e == Engine::OnnxRuntime) {
        let values: Vec<f32> = (0..60u32).map(|i| (i % 7) as f32).collect();
        let found =
            run(engine, &odd.onnx, &[("", &tensor(&[1, 2, 5, 6], &values))]).expect("a run");
        assert_eq!(found[0].1.shape(), [1, 2, 5, 6]);
    }
}

#[test]
fn modules_that_cannot_be_expressed_are_said_all_at_once() {
    let net = Module::new("nn.Sequential").modules(vec![
        Module::new("nn.Frobnicate"),
        Module::new("nn.ReLU"),
        Module::new("nn.Sequential").modules(vec![Module::new("my.Thing")]),
        Module::new("nn.SpatialMaxUnpooling"),
    ]);
    let error = import(file(&net), Some(&[1, 3, 8, 8]));
    let Err(ImportError::Unsupported { operators }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        operators,
        [
            "/Sequential/1/Frobnicate (class `nn.Frobnicate`)",
            "/Sequential/3/Sequential/1/Thing (class `my.Thing`)",
            "/Sequential/4/SpatialMaxUnpooling: no pool before it shares its `indices`",
        ]
    );
}

#[test]
fn loops_of_modules_and_deep_nesting_are_refused() {
    let own = Module::new("nn.Sequential").holding_itself();
    let text = import(file(&own), None).expect_err("a loop").to_string();
    assert!(text.contains("nested more than 100 deep"), "{text}");
    let mut deep = Module::new("nn.Identity");
    for _ in 0..120 {
        deep = Module::new("nn.Sequential").modules(vec![deep]);
    }
    let text = import(file(&deep), None).expect_err("too deep").to_string();
    assert!(text.contains("nested more than 100 deep"), "{text}");
}

#[test]
fn every_truncation_of_a_real_file_is_an_error() {
    let Some(model) = enet() else {
        return;
    };
    let bytes = fs::read(model).expect("a model");
    for percent in 0..100 {
        let part = bytes[..bytes.len() * percent / 100].to_vec();
        assert!(import(part, None).is_err(), "{percent} %");
    }
}
