//! Nets made here: what is kept, dropped, refused, and with which words.

use super::Caffe;
use crate::graph::Graph;
use dyno_core::{
    FileRole, ImportError, ImportOptions, Imported, Importer as _, ModelContent, ModelFile,
};
use prost::encoding::{WireType, encode_key, encode_varint};
use std::sync::Arc;

fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

/// Blobs of ones, with their shapes.
fn weights(layers: &[(&str, &[&[usize]])]) -> Vec<u8> {
    let mut file = Vec::new();
    for (name, blobs) in layers {
        let mut layer = field(1, name.as_bytes());
        for dims in *blobs {
            let mut shape = Vec::new();
            for &d in *dims {
                encode_varint(d as u64, &mut shape);
            }
            let values = 1f32.to_le_bytes().repeat(dims.iter().product());
            let blob = [field(7, &field(1, &shape)), field(5, &values)].concat();
            layer.extend(field(7, &blob));
        }
        file.extend(field(100, &layer));
    }
    file
}

fn file(role: FileRole, bytes: &[u8]) -> ModelFile {
    ModelFile {
        role,
        content: ModelContent::Bytes(Arc::new(bytes.to_vec())),
    }
}

fn import_with(
    text: &str,
    weights: Option<&[u8]>,
    options: &ImportOptions,
) -> Result<(Imported, Graph), ImportError> {
    let mut files = vec![file(FileRole::Config, text.as_bytes())];
    files.extend(weights.map(|bytes| file(FileRole::Model, bytes)));
    let imported = Caffe.import(&files, options)?;
    let graph = Graph::from_onnx(imported.onnx.clone()).expect("our own file");
    Ok((imported, graph))
}

fn import(text: &str) -> Result<Graph, ImportError> {
    import_with(text, None, &ImportOptions::default()).map(|(_, graph)| graph)
}

fn refused(text: &str) -> String {
    import(text).expect_err(text).to_string()
}

const INPUT: &str = "input: \"x\" input_shape { dim: 1 dim: 2 dim: 4 dim: 4 }\n";

fn ops(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|n| n.op.as_str()).collect()
}

fn names(graph: &Graph) -> (Vec<&str>, Vec<&str>) {
    let of = |values: &'_ [crate::graph::Value]| -> Vec<String> {
        values.iter().map(|v| v.name.clone()).collect()
    };
    let leak = |names: Vec<String>| -> Vec<&'static str> {
        names
            .into_iter()
            .map(|n| &*Box::leak(n.into_boxed_str()))
            .collect()
    };
    (leak(of(&graph.inputs)), leak(of(&graph.outputs)))
}

#[test]
fn blobs_written_in_place_are_versions_of_one_name() {
    let graph = import(&format!(
        "{INPUT}layer {{ name: \"a\" type: \"TanH\" bottom: \"x\" top: \"x\" }}
         layer {{ name: \"b\" type: \"ReLU\" bottom: \"x\" top: \"y\" }}
         layer {{ name: \"c\" type: \"Dropout\" bottom: \"y\" top: \"y\" }}
         layer {{ name: \"d\" type: \"Sigmoid\" bottom: \"x\" top: \"z\" }}"
    ))
    .expect("a good net");
    assert_eq!(ops(&graph), ["Tanh", "Relu", "Sigmoid"]);
    assert_eq!(
        graph.nodes[1].inputs, graph.nodes[2].inputs,
        "both read the second version"
    );
    assert_eq!(names(&graph), (vec!["x"], vec!["y", "z"]));
}

#[test]
fn phases_and_what_training_alone_has() {
    let graph = import(
        "layer { name: \"data\" type: \"Data\" top: \"x\" top: \"label\" include { phase: TRAIN } nonsense: 3 }
         layer { name: \"data\" type: \"Input\" top: \"x\" input_param { shape { dim: 1 dim: 2 } } }
         layer { name: \"l\" type: \"DummyData\" top: \"label\" dummy_data_param { shape { dim: 1 } } }
         layer { name: \"staged\" type: \"TanH\" bottom: \"x\" top: \"x\" include { stage: \"deploy\" } }
         layer { name: \"high\" type: \"TanH\" bottom: \"x\" top: \"x\" include { min_level: 1 } }
         layer { name: \"not\" type: \"TanH\" bottom: \"x\" top: \"x\" exclude { phase: TEST } }
         layer { name: \"kept\" type: \"ReLU\" bottom: \"x\" top: \"y\" exclude { phase: TRAIN } }
         layer { name: \"loss\" type: \"SoftmaxWithLoss\" bottom: \"y\" bottom: \"label\" top: \"loss\" }
         layer { name: \"right\" type: \"Accuracy\" bottom: \"y\" bottom: \"label\" top: \"right\" }
         layer { name: \"other\" type: \"ELU\" bottom: \"x\" top: \"gone\" }
         layer { name: \"quiet\" type: \"Silence\" bottom: \"gone\" }",
    )
    .expect("a good net");
    assert_eq!(names(&graph), (vec!["x"], vec!["y"]));
    assert_eq!(graph.nodes[0].op, "Relu");
}

#[test]
fn data_layers_become_inputs_whose_shape_must_be_given() {
    let text = "layer { name: \"d\" type: \"Data\" top: \"x\" top: \"label\" }
                layer { name: \"r\" type: \"ReLU\" bottom: \"x\" top: \"y\" }";
    assert!(refused(text).contains("does not say the shape of input `x`"));
    let mut options = ImportOptions::default();
    options.shapes.insert("x".to_owned(), vec![2, 3]);
    let (_, graph) = import_with(text, None, &options).expect("with a shape");
    assert_eq!(graph.inputs[0].fixed_shape(), Some(vec![2, 3]));
    options.shapes.insert("z".to_owned(), vec![1]);
    let error = import_with(text, None, &options).expect_err("another input");
    assert!(error.to_string().contains("no input `z`"), "{error}");
}

#[test]
fn the_batch_is_one_unless_asked_for() {
    let text = "input: \"x\" input_dim: 10 input_dim: 2 input_dim: 4 input_dim: 4
                layers { name: \"r\" type: RELU bottom: \"x\" top: \"y\" }";
    let batch = |value: Option<&str>| {
        let mut options = ImportOptions::default();
        if let Some(value) = value {
            options
                .parameters
                .insert("batch".to_owned(), value.to_owned());
        }
        let (imported, graph) = import_with(text, None, &options).map_err(|e| e.to_string())?;
        let shape = graph.inputs[0].fixed_shape().expect("a fixed shape");
        Ok::<_, String>((shape[0], imported.says.notes.len()))
    };
    assert_eq!(batch(None), Ok((1, 1)), "and it is said");
    assert_eq!(batch(Some("file")), Ok((10, 0)));
    assert_eq!(batch(Some("3")), Ok((3, 1)));
    assert!(batch(Some("three")).is_err());
    let mut options = ImportOptions::default();
    options
        .parameters
        .insert("epsilon".to_owned(), "1".to_owned());
    let error = import_with(text, None, &options).expect_err("no such parameter");
    assert!(matches!(error, ImportError::Option(_)), "{error}");
}

#[test]
fn everything_unsupported_is_told_at_once() {
    let error = import(&format!(
        "{INPUT}layer {{ name: \"p\" type: \"Python\" bottom: \"x\" top: \"a\" }}
         layer {{ name: \"pool\" type: \"Pooling\" bottom: \"a\" top: \"b\"
           pooling_param {{ pool: STOCHASTIC kernel_size: 2 }} }}
         layer {{ name: \"s\" type: \"Softmax\" bottom: \"b\" top: \"c\" softmax_param {{ axis: 1
           temperature: 2 }} }}
         layers {{ name: \"w\" type: WINDOW_DATAX bottom: \"c\" top: \"d\" }}
         layer {{ name: \"t\" type: \"Dropout\" phase: TRAIN bottom: \"c\" top: \"e\" }}"
    ))
    .expect_err("five problems");
    let ImportError::Unsupported { operators } = error else {
        panic!("{error}");
    };
    let expected = [
        "line 2: layer `p` (Python): this kind of layer",
        "line 3: layer `pool` (Pooling), line 4: `pool`: `STOCHASTIC`",
        "line 5: layer `s` (Softmax), line 6: field `temperature`",
        "line 7: layer `w` (): `type`: `WINDOW_DATAX`",
        "line 8: layer `t` (Dropout): `phase`: a layer that works as in training",
    ];
    assert_eq!(operators, expected);
}

#[test]
fn contradictions_are_errors_with_their_place() {
    let layer = |kind: &str, more: &str| {
        refused(&format!(
            "{INPUT}layer {{ name: \"l\" type: \"{kind}\" bottom: \"x\" top: \"y\" {more} }}"
        ))
    };
    let cases = [
        (
            "Convolution",
            "convolution_param { num_output: 1 kernel_size: 3 }",
            "no `.caffemodel`",
        ),
        (
            "Convolution",
            "convolution_param { num_output: 1 }",
            "the size of the window is missing",
        ),
        (
            "Convolution",
            "convolution_param { kernel_size: 1 num_output: 0 }",
            "number of outputs",
        ),
        (
            "Pooling",
            "pooling_param { kernel_size: 9 }",
            "too small for the window",
        ),
        (
            "Pooling",
            "pooling_param { kernel_size: 1 stride: 0 }",
            "a kernel, stride or dilation of 0",
        ),
        (
            "Pooling",
            "pooling_param { kernel_size: 4294967296 }",
            "is no number of 32 bits",
        ),
        (
            "Reshape",
            "reshape_param { shape { dim: 3 dim: -1 } }",
            "does not take shape [3, -1]",
        ),
        (
            "Reshape",
            "reshape_param { shape { dim: -1 dim: -1 } }",
            "does not take shape",
        ),
        ("Slice", "top: \"z\" top: \"w\"", "do not divide"),
        (
            "Flatten",
            "flatten_param { axis: 4 }",
            "a blob of 4 axes has no axis 4",
        ),
        ("Tile", "tile_param { tiles: 4294967295 }", "is too large"),
        ("Power", "power_param { power: nan }", "is no finite number"),
        (
            "Power",
            "power_param { power: 1 power: 2 }",
            "`power` stands twice",
        ),
        ("ReLU", "relu_param: 3", "`relu_param`: no message"),
        (
            "ReLU",
            "bottom: \"nowhere\"",
            "no layer before it makes the blob `nowhere`",
        ),
        (
            "Concat",
            "bottom: \"y\"",
            "no layer before it makes the blob `y`",
        ),
        (
            "Pooling",
            "pooling_param { pool: AVE kernel_size: 1 stride: 4 }",
            "divides by nothing",
        ),
    ];
    for (kind, more, expected) in cases {
        let error = layer(kind, more);
        assert!(
            error.contains(expected) && error.contains("line 2"),
            "{kind} {more}: {error}"
        );
    }
    assert!(refused("name: \"empty\"").contains("no outputs"));
    let twice = format!("{INPUT}input: \"x\"");
    assert!(refused(&twice).contains("made twice"));
}

const CONVOLUTION: &str = "layer { name: \"c\" type: \"Convolution\" bottom: \"x\" top: \"y\"
    convolution_param { num_output: 3 kernel_size: 2 } }";

#[test]
fn weights_that_do_not_fit_say_what_is_expected_and_found() {
    let text = format!("{INPUT}{CONVOLUTION}");
    let with = |layers: &[(&str, &[&[usize]])]| {
        import_with(&text, Some(&weights(layers)), &ImportOptions::default())
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    assert_eq!(with(&[("c", &[&[3, 2, 2, 2], &[3]])]), Ok(()));
    assert_eq!(
        with(&[("c", &[&[3, 2, 2, 2], &[1, 1, 1, 3]])]),
        Ok(()),
        "axes of 1 are nothing"
    );
    let error = with(&[("c", &[&[3, 2, 3, 2], &[3]])]).expect_err("too large");
    assert!(error.contains("need 24 values (96 bytes)"), "{error}");
    assert!(
        error.contains("shape [3, 2, 3, 2] with 36 values (144 bytes)"),
        "{error}"
    );
    let error = with(&[("c", &[&[3, 2, 2, 2]])]).expect_err("no bias");
    assert!(
        error.contains("takes 2 blobs of weights, and there are 1"),
        "{error}"
    );
    let error = with(&[("d", &[&[3, 2, 2, 2], &[3]])]).expect_err("another name");
    assert!(error.contains("no layer of this name"), "{error}");
}

#[test]
fn files_are_told_apart_by_what_they_hold() {
    let text = format!("{INPUT}{CONVOLUTION}");
    let weights = weights(&[("c", &[&[3, 2, 2, 2], &[3]])]);
    let options = ImportOptions::default();
    let both = [
        file(FileRole::Model, text.as_bytes()),
        file(FileRole::Config, &weights),
    ];
    assert!(Caffe.import(&both, &options).is_ok(), "the other way round");
    let error = Caffe.import(&[file(FileRole::Model, &weights)], &options);
    assert!(
        error
            .expect_err("no text")
            .to_string()
            .contains("`.prototxt` is missing")
    );
    let two = [
        file(FileRole::Model, &weights),
        file(FileRole::Config, &weights),
    ];
    assert!(Caffe.import(&two, &options).is_err());
    assert!(Caffe.import(&[], &options).is_err());
}

#[test]
fn files_that_are_cut_off_are_errors() {
    let text = format!("{INPUT}{CONVOLUTION}");
    let weights = weights(&[("c", &[&[3, 2, 2, 2], &[3]])]);
    let options = ImportOptions::default();
    for percent in 0..100 {
        let cut = |bytes: &[u8]| bytes[..bytes.len() * percent / 100].to_vec();
        let model = import_with(&text, Some(&cut(&weights)), &options);
        assert!(model.is_err(), "{percent} % of the weights");
        let short = String::from_utf8(cut(text.as_bytes())).expect("plain letters");
        assert!(
            import_with(&short, Some(&weights), &options).is_err(),
            "{percent} % of the text"
        );
    }
}

#[test]
fn claims_of_much_memory_take_none() {
    // Four axes of 2^31 − 1, a prior box for each pixel, a normalization with that many channels.
    let large = "input: \"x\" input_shape { dim: 1 dim: 1 dim: 40000 dim: 40000 }\n";
    let prior = "layer { name: \"p\" type: \"PriorBox\" bottom: \"x\" bottom: \"x\" top: \"p\"
                 prior_box_param { min_size: 1 } }";
    assert!(refused(&format!("{large}{prior}")).contains("absurdly many"));
    let huge = "input: \"x\" input_shape { dim: 1 dim: 2147483647 dim: 2147483647 dim: 2 }\n";
    assert!(refused(huge).contains("too large"));
    let wide = "input: \"x\" input_shape { dim: 1 dim: 2147483647 dim: 1 dim: 1 }
                layer { name: \"b\" type: \"BatchNorm\" bottom: \"x\" top: \"y\" }";
    let few = weights(&[("b", &[&[1], &[1], &[1]])]);
    let error = import_with(wide, Some(&few), &ImportOptions::default()).expect_err("one value");
    assert!(
        error.to_string().contains("need 2147483647 values"),
        "{error}"
    );
    assert!(refused(&"a {".repeat(100_000)).contains("nested deeper"));
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let text = format!("{INPUT}{CONVOLUTION}");
    let weights = weights(&[("c", &[&[3, 2, 2, 2], &[3]])]);
    let once = || {
        import_with(&text, Some(&weights), &ImportOptions::default())
            .map(|(imported, _)| imported)
            .expect("a good net")
    };
    assert_eq!(once(), once());
}
