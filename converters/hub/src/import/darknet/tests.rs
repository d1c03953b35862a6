//! What the importer says and refuses, with files made here. What its graphs compute is tried on
//! engines, in `tests/darknet.rs`.

use super::Darknet;
use crate::graph::Graph;
use dyno_core::{
    FileRole, ImportError, ImportOptions, ImportSays, Importer, ModelContent, ModelFile,
    PreprocessStep, Purpose,
};
use serde_json::json;
use std::sync::Arc;

const V3: &str = include_str!("../../../tests/reference/darknet/v3.cfg");
const CSP: &str = include_str!("../../../tests/reference/darknet/csp.cfg");
const V2: &str = include_str!("../../../tests/reference/darknet/v2.cfg");
const CLASSIFIER: &str = include_str!("../../../tests/reference/darknet/classifier.cfg");

fn weights(numbers: &[f32]) -> Vec<u8> {
    let header = [0i32, 2, 5, 0, 0];
    let mut bytes: Vec<u8> = header.iter().flat_map(|v| v.to_le_bytes()).collect();
    bytes.extend(numbers.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

fn files(cfg: &[u8], weights: Vec<u8>) -> [ModelFile; 2] {
    let file = |role, bytes: Vec<u8>| ModelFile {
        role,
        content: ModelContent::Bytes(Arc::new(bytes)),
    };
    [
        file(FileRole::Config, cfg.to_vec()),
        file(FileRole::Model, weights),
    ]
}

fn graph(
    cfg: &str,
    numbers: &[f32],
    options: &ImportOptions,
) -> Result<(Graph, ImportSays), ImportError> {
    super::importer::graph(&files(cfg.as_bytes(), weights(numbers)), options)
}

/// Why the cfg is refused, with as many weights as it likes.
fn refused(cfg: &str) -> String {
    let none = ImportOptions::default();
    let e = graph(cfg, &[], &none).expect_err("must be refused");
    e.to_string()
}

/// As many numbers as the cfg needs, from the words of the refusal.
fn fitting(cfg: &str) -> Vec<f32> {
    let words = refused(cfg);
    let needs = words.split("it needs ").nth(1).expect("the need");
    let bytes: usize = needs
        .split(' ')
        .next()
        .expect("a word")
        .parse()
        .expect("bytes");
    vec![0.5; (bytes - 20) / 4]
}

fn says(cfg: &str, options: &ImportOptions) -> ImportSays {
    graph(cfg, &fitting(cfg), options).expect("a model").1
}

#[test]
fn heads_are_cut_and_described() {
    let says = says(V3, &ImportOptions::default());
    assert_eq!(says.purpose, Some(Purpose::ObjectDetection));
    assert_eq!(says.classes, Some(2));
    assert_eq!(says.outputs, ["conv_6", "conv_12"]);
    let decoder = says.decoder.expect("a decoder");
    assert_eq!(decoder.kind, "yolo");
    let head = |output: &str, anchors: [[f32; 2]; 3]| json!({"output": output, "anchors": anchors, "scale_x_y": 1.0, "new_coords": false});
    let expected = json!({"classes": 2, "heads": [
        head("conv_6", [[20.0, 24.0], [30.0, 20.0], [40.0, 30.0]]),
        head("conv_12", [[4.0, 6.0], [8.0, 12.0], [14.0, 10.0]]),
    ]});
    assert_eq!(decoder.parameters, expected);
    let (evaluate, deploy) = (
        decoder.evaluate.expect("some"),
        decoder.deploy.expect("some"),
    );
    assert!((evaluate.score - 0.001).abs() < 1e-9 && evaluate.iou == Some(0.45));
    assert!((deploy.score - 0.25).abs() < 1e-9 && deploy.iou == Some(0.45));
    let inputs = says.inputs.expect("an input");
    assert_eq!(inputs[0].name.as_deref(), Some("data"));
    assert_eq!(inputs[0].shape, Some(vec![1, 3, 32, 64]));
    let PreprocessStep::Resize { size, .. } = inputs[0].preprocess[0] else {
        panic!("{:?}", inputs[0].preprocess);
    };
    assert_eq!(size, [64, 32]);
    assert_eq!(inputs[0].preprocess.len(), 3);
}

#[test]
fn every_kind_of_head_and_the_classifier_say_what_they_are() {
    let options = ImportOptions::default();
    let csp = says(CSP, &options).decoder.expect("a decoder").parameters;
    assert_eq!(csp["heads"][0]["new_coords"], json!(true));
    assert_eq!(csp["heads"][0]["scale_x_y"], json!(2.0));
    let v2 = says(V2, &options).decoder.expect("a decoder");
    assert_eq!(v2.kind, "region");
    assert_eq!(v2.parameters["heads"][0]["softmax"], json!(true));
    let classifier = says(CLASSIFIER, &options);
    assert_eq!(classifier.purpose, Some(Purpose::Classification));
    assert_eq!(classifier.classes, Some(10));
    assert_eq!(
        classifier.decoder.expect("a decoder").kind,
        "classification"
    );
    assert_eq!(classifier.inputs, None, "the cfg says nothing of pictures");
    let in_graph = ImportOptions {
        in_graph: true,
        ..ImportOptions::default()
    };
    let v3 = says(V3, &in_graph);
    let decoder = v3.decoder.expect("a decoder");
    assert_eq!((decoder.kind.as_str(), v3.outputs.len()), ("yolov8", 1));
    assert_eq!(
        decoder.parameters,
        json!({"multi_label": true, "strides": []})
    );
}

#[test]
fn weights_that_do_not_fit_say_how_many_bytes_and_where() {
    let numbers = fitting(V3);
    let options = ImportOptions::default();
    for (given, words) in [
        (numbers.len() - 1, "layer 12, line 85, [convolutional]"),
        (numbers.len() + 1, "4 bytes are left after the last layer"),
        (3, "layer 0, line 7, [convolutional]"),
    ] {
        let e = graph(V3, &vec![0.5; given], &options).expect_err("must not fit");
        let e = e.to_string();
        let (needs, has) = (numbers.len() * 4 + 20, given * 4 + 20);
        let both = format!("it needs {needs} bytes, the file has {has}");
        assert!(e.contains(words) && e.contains(&both), "{e}");
    }
}

/// `[net]` of 4x4 and these sections.
fn small(sections: &str) -> String {
    format!("[net]\nwidth=4\nheight=4\nchannels=2\n{sections}")
}

#[test]
fn everything_unsupported_is_named_at_once_with_its_line() {
    let text = small(
        "[convolutional]\nflipped=1\nxnor=1\nbinary=0\nshare_index=3\n[lstm]\noutput=3\n\
         [convolutional]\nactivation=cosine\ndontloadscales=1\n[sam]\nfrom=0\nactivation=mish\n\
         [maxpool]\nmystery=2\n",
    );
    let options = ImportOptions::default();
    let e = graph(&text, &[], &options).expect_err("must be refused");
    let ImportError::Unsupported { operators } = e else {
        panic!("{e}");
    };
    let expected = [
        "cfg, line 6, [convolutional]: `flipped=1`",
        "cfg, line 7, [convolutional]: `xnor=1`",
        "cfg, line 9, [convolutional]: `share_index=3`",
        "cfg, line 10: [lstm]",
        "cfg, line 13, [convolutional]: activation `cosine`",
        "cfg, line 14, [convolutional]: `dontloadscales=1`",
        "cfg, line 17, [sam]: activation `mish`",
        "cfg, line 19, [maxpool]: unknown setting `mystery=2`",
    ];
    assert_eq!(operators, expected);
}

#[test]
fn layers_that_cannot_be_are_refused() {
    for (sections, words) in [
        ("", "no layer"),
        ("[route]\nlayers=0\n", "does not stand before"),
        ("[route]\nlayers=-1\n", "does not stand before"),
        ("[dropout]\n[shortcut]\nfrom=1\n", "does not stand before"),
        (
            "[dropout]\n[shortcut]\nfrom=-9223372036854775808\n",
            "does not stand before",
        ),
        ("[dropout]\n[route]\n", "`layers` is missing"),
        (
            "[dropout]\n[route]\nlayers=0\ngroups=2\ngroup_id=2\n",
            "no group 2",
        ),
        ("[dropout]\n[route]\nlayers=0\ngroups=3\n", "2 channels"),
        (
            "[dropout]\n[maxpool]\nsize=2\nstride=2\n[route]\nlayers=0,1\n",
            "4x4 and 2x2",
        ),
        ("[dropout]\n[upsample]\n[shortcut]\nfrom=0\n", "8x8 and 4x4"),
        ("[convolutional]\nfilters=3\ngroups=2\n", "groups"),
        ("[convolutional]\nsize=9\n", "does not fit"),
        ("[convolutional]\nfilters=0\n", "filters=0"),
        (
            "[convolutional]\nfilters=2000000000\n",
            "filters=2000000000",
        ),
        ("[convolutional]\nfilters=1.5\n", "no such number"),
        ("[maxpool]\nsize=1\npadding=2\n", "padding=2"),
        ("[upsample]\nstride=1000000\n", "none that can be"),
        ("[crop]\ncrop_width=5\ncrop_height=4\n", "cut out of 4x4"),
        ("[upsample]\nstride=-2\n", "stride=-2"),
        ("[reorg]\nstride=3\n", "cannot be cut"),
        ("[reorg]\nstride=2\n", "`stride=2` of 2 channels"),
        ("[softmax]\ngroups=5\n", "5 groups"),
        ("[softmax]\ntemperature=0\n", "temperature=0"),
        ("[dropout]\n[scale_channels]\nfrom=-1\n", "does not scale"),
        ("[dropout]\n[avgpool]\n[sam]\nfrom=0\n", "does not scale"),
        ("[yolo]\nanchors=1,2\nclasses=2\n", "need 7 channels"),
        ("[yolo]\nmask=1\nnum=1\n", "anchor 1 of `num=1`"),
        ("[yolo]\nmask=0\nnum=1\n", "`anchors` is missing"),
        ("[yolo]\nnum=1000000\nanchors=1,2\n", "num=1000000"),
        ("[region]\nanchors=1,0\n", "positive"),
        ("[region]\nanchors=1,1\ncoords=5\n", "coords"),
        ("[shortcut]\nfrom=-1\n", "does not stand before"),
        (
            "[dropout]\n[shortcut]\nfrom=-1\nweights_type=per_channel\n",
            "weights_normalization=none",
        ),
        (
            "[convolutional]\nsize=3\npad=1\nsize=5\n",
            "`size` is `3` here and `5` in line 8",
        ),
        ("[convolutional]\nsize=2\ndilation=2\n", "dilation"),
        ("[convolutional]\npadding=1\n", "1x1"),
    ] {
        let e = refused(&small(sections));
        assert!(e.contains(words), "{sections:?}: {e}");
    }
    for net in ["", "width=4\nheight=4", "width=4\nheight=0\nchannels=3"] {
        let e = refused(&format!("[net]\n{net}\n[dropout]\n"));
        assert!(e.contains("=0"), "{e}");
    }
    assert!(refused("[net]\nwidth=70000\nheight=4\nchannels=1\n[dropout]\n").contains("65536"));
}

#[test]
fn claims_of_gigabytes_need_no_memory() {
    let layer = "[convolutional]\nfilters=1000000\nsize=1\nactivation=linear\n";
    let e = refused(&small(&layer.repeat(30)));
    assert!(
        e.contains("the weights do not fit") && e.contains("the file has 20"),
        "{e}"
    );
    let wide =
        "[dropout]\n[route]\nlayers=-1,-1\n".to_owned() + &"[route]\nlayers=-1,-1\n".repeat(80);
    assert!(refused(&small(&wide)).contains("none that can be"));
}

#[test]
fn files_cut_anywhere_are_refused_or_another_model() {
    let whole = weights(&fitting(V3));
    let options = ImportOptions::default();
    for percent in 0..100 {
        let cut = |bytes: &[u8]| bytes[..bytes.len() * percent / 100].to_vec();
        // A text that ends before its last section is a text: it has one head less.
        let text = files(&cut(V3.as_bytes()), whole.clone());
        if let Ok(other) = Darknet.import(&text, &options) {
            assert_eq!(other.says.outputs, ["conv_6"], "cfg at {percent} %");
        }
        let numbers = files(V3.as_bytes(), cut(&whole));
        assert!(
            Darknet.import(&numbers, &options).is_err(),
            "weights at {percent} %"
        );
    }
}

#[test]
fn models_are_one_cfg_and_one_file_of_weights() {
    let options = ImportOptions::default();
    let [cfg, weights] = files(V3.as_bytes(), weights(&fitting(V3)));
    // Roles are the other way round as often as not.
    let swapped = [
        ModelFile {
            role: FileRole::Model,
            ..cfg.clone()
        },
        ModelFile {
            role: FileRole::Config,
            ..weights.clone()
        },
    ];
    let one = Darknet.import(&swapped, &options).expect("content decides");
    let again = Darknet
        .import(&[cfg.clone(), weights.clone()], &options)
        .expect("a model");
    assert_eq!(one, again, "the same bytes");
    for (files, words) in [
        (vec![cfg.clone()], "no file of weights"),
        (vec![weights.clone()], "no cfg"),
        (vec![cfg.clone(), cfg, weights], "one cfg"),
    ] {
        let e = Darknet
            .import(&files, &options)
            .expect_err("must be refused");
        assert!(e.to_string().contains(words), "{e}");
    }
}

#[test]
fn options_are_read_or_refused() {
    let with = |key: &str, value: &str| ImportOptions {
        parameters: [(key.to_owned(), value.to_owned())].into(),
        ..ImportOptions::default()
    };
    let numbers = fitting(V3);
    for value in ["1e-5", "1e-6", "pjreddie"] {
        assert!(graph(V3, &numbers, &with("epsilon", value)).is_ok());
    }
    for options in [with("epsilon", "0.1"), with("epsilom", "1e-5")] {
        let e = graph(V3, &numbers, &options).expect_err("must be refused");
        assert!(matches!(e, ImportError::Option(_)), "{e}");
    }
    let shape = |name: &str, shape: &[usize]| ImportOptions {
        shapes: [(name.to_owned(), shape.to_vec())].into(),
        ..ImportOptions::default()
    };
    let (made, says) = graph(V3, &numbers, &shape("data", &[2, 3, 64, 64])).expect("a model");
    assert_eq!(made.inputs[0].fixed_shape(), Some(vec![2, 3, 64, 64]));
    assert!(
        says.notes.iter().any(|n| n.contains("not 64x32")),
        "{says:?}"
    );
    for options in [
        shape("input", &[1, 3, 32, 64]),
        shape("data", &[1, 4, 32, 64]),
        shape("data", &[3, 32, 64]),
        shape("data", &[0, 3, 32, 64]),
    ] {
        assert!(graph(V3, &numbers, &options).is_err());
    }
}

#[test]
fn heads_in_the_graph_are_bounded() {
    let heads = "[yolo]\nmask=0\nnum=1\nanchors=1,1\nclasses=1\n".repeat(2);
    let text = format!("[net]\nwidth=1024\nheight=1024\nchannels=6\n{heads}");
    let options = |in_graph| ImportOptions {
        in_graph,
        ..ImportOptions::default()
    };
    assert!(graph(&text, &[], &options(false)).is_ok());
    let e = graph(&text, &[], &options(true)).expect_err("must be refused");
    assert!(e.to_string().contains("1048576 cells"), "{e}");
}

/// One convolution of one weight, so that the fold can be computed by hand.
#[test]
fn batch_normalization_is_folded_by_each_epsilon() {
    let text = "[net]\nwidth=1\nheight=1\nchannels=1\n[convolutional]\nbatch_normalize=1\nactivation=linear\n";
    // Bias, scale, mean, variance, weight.
    let numbers = [0.25f32, 2.0, 3.0, 1e-6, 0.5];
    for (epsilon, deviation) in [
        ("1e-5", 1.1e-5f64.sqrt()),
        ("1e-6", 2e-6f64.sqrt()),
        ("pjreddie", 1e-3 + 1e-6),
    ] {
        let options = ImportOptions {
            parameters: [("epsilon".to_owned(), epsilon.to_owned())].into(),
            ..ImportOptions::default()
        };
        let (graph, _) = graph(text, &numbers, &options).expect("a model");
        let value = |name: &str| {
            let tensor = graph.initializers.get(name).expect("a constant");
            f64::from(tensor.to_f32s().expect("numbers")[0])
        };
        let factor = 2.0 / deviation;
        assert!(
            (value("conv_0.weight") / (0.5 * factor) - 1.0).abs() < 1e-6,
            "{epsilon}"
        );
        assert!(
            (value("conv_0.bias") / (0.25 - 3.0 * factor) - 1.0).abs() < 1e-6,
            "{epsilon}"
        );
    }
    let negative = [0.25f32, 2.0, 3.0, -1.0, 0.5];
    let e = graph(text, &negative, &ImportOptions::default()).expect_err("no root of it");
    assert!(e.to_string().contains("channel 0"), "{e}");
}

/// Weights of old files of connected layers are stored by input.
#[test]
fn transposed_weights_are_turned() {
    let text = "[net]\nwidth=1\nheight=1\nchannels=2\n[connected]\noutput=3\nactivation=linear\n";
    let body: Vec<u8> = (0u8..9).flat_map(|v| f32::from(v).to_le_bytes()).collect();
    let values = |version: [i32; 3], seen: usize| {
        let mut bytes: Vec<u8> = version.iter().flat_map(|v| v.to_le_bytes()).collect();
        bytes.extend(vec![0; seen]);
        bytes.extend_from_slice(&body);
        let files = files(text.as_bytes(), bytes);
        let (graph, _) =
            super::importer::graph(&files, &ImportOptions::default()).expect("a model");
        graph.initializers["connected_0.weight"]
            .to_f32s()
            .expect("numbers")
    };
    assert_eq!(values([0, 2, 0], 8), [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    assert_eq!(values([0, 1001, 0], 4), [3.0, 6.0, 4.0, 7.0, 5.0, 8.0]);
}

/// Every name of the tables is unique, and every function is reached by a section of a test net.
#[test]
fn tables_are_sound() {
    let names = super::sections::SECTIONS.iter().flat_map(|r| r.names);
    let mut sorted: Vec<_> = names.clone().collect();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.count());
    let activations = super::activation::ACTIVATIONS;
    assert!(
        activations.is_sorted_by(|a, b| a.0 < b.0),
        "by name, each once"
    );
}
