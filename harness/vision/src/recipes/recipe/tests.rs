//! Tests of the recipes: each file reads, resolves and builds; the models of the sample assets find
//! their recipe and no other.

use super::*;
use crate::preprocess::Preprocessor;
use crate::recipes::RECIPES;
use dyno_core::UnknownName;
use std::collections::BTreeSet;

fn tensor(name: &str, dtype: DType, shape: &[usize]) -> TensorInfo {
    let shape = shape.iter().map(|n| Dimension::Fixed(*n)).collect();
    TensorInfo::new(name, dtype, shape)
}

fn io(input: &[usize], dtype: DType, outputs: &[(&str, &[usize])]) -> IoSpec {
    IoSpec {
        inputs: vec![tensor("input", dtype, input)],
        outputs: outputs
            .iter()
            .map(|(n, s)| tensor(n, DType::F32, s))
            .collect(),
    }
}

fn recipe(name: &str) -> Result<&'static dyn Recipe, UnknownName> {
    lookup("recipe", RECIPES, name)
}

/// Recipes that fit exactly so well.
fn fitting(io: &IoSpec, fit: RecipeFit) -> Vec<&'static str> {
    let rows = RECIPES.iter().filter(|r| r.fit(io) == fit);
    rows.map(|r| r.name()).collect()
}

fn names(io: &IoSpec) -> Vec<&'static str> {
    fitting(io, RecipeFit::Recognised)
}

fn nanodet() -> IoSpec {
    let outputs: &[(&str, &[usize])] = &[
        ("cls_pred_stride_8", &[1, 1600, 80]),
        ("cls_pred_stride_16", &[1, 400, 80]),
        ("cls_pred_stride_32", &[1, 100, 80]),
        ("dis_pred_stride_8", &[1, 1600, 32]),
        ("dis_pred_stride_16", &[1, 400, 32]),
        ("dis_pred_stride_32", &[1, 100, 32]),
    ];
    io(&[1, 3, 320, 320], DType::F32, outputs)
}

#[test]
fn every_recipe_reads_and_names_real_things() {
    let unique: BTreeSet<&str> = RECIPES.iter().map(|r| r.name()).collect();
    assert_eq!(unique.len(), RECIPES.len());
    let images = io(&[1, 3, 224, 224], DType::F32, &[]);
    for r in RECIPES {
        let name = r.name();
        let resolved = r.resolve(&images).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            lookup("decoder", DECODERS, &resolved.decoder.kind).is_ok(),
            "{name}"
        );
        assert_eq!(
            resolved.decoder.evaluate.is_some(),
            resolved.purpose == Purpose::ObjectDetection,
            "{name}"
        );
        assert!(!r.about().is_empty() && !r.about().ends_with('.'));
        assert_eq!(recipe(name).expect("it is in the table").name(), name);
    }
    let error = recipe("yoloxx").map(|_| ()).expect_err("no such recipe");
    assert!(
        error.to_string().contains("did you mean `yolox`"),
        "{error}"
    );
}

#[test]
fn detectors_find_their_recipe_and_no_other() {
    assert_eq!(
        names(&io(
            &[1, 3, 416, 416],
            DType::F32,
            &[("output", &[1, 3549, 85])]
        )),
        ["yolox"]
    );
    assert_eq!(names(&nanodet()), ["nanodet"]);
    assert_eq!(
        names(&io(
            &[1, 3, 352, 352],
            DType::F32,
            &[("758", &[1, 85, 22, 22])]
        )),
        ["fastestdet"]
    );
    assert_eq!(
        names(&io(
            &[1, 3, 640, 640],
            DType::F32,
            &[("output0", &[1, 84, 8400])]
        )),
        ["yolov8"]
    );
    assert_eq!(
        names(&io(
            &[1, 3, 300, 300],
            DType::F32,
            &[("detection_out", &[1, 1, 100, 7])]
        )),
        ["ssd-caffe"]
    );
    let four: &[(&str, &[usize])] = &[
        ("num_detections", &[1]),
        ("detection_boxes", &[1, 100, 4]),
        ("detection_scores", &[1, 100]),
        ("detection_classes", &[1, 100]),
    ];
    assert_eq!(names(&io(&[1, 300, 300, 3], DType::U8, four)), ["ssd-tf"]);
}

#[test]
fn other_models_match_nothing() {
    let nothing: [&str; 0] = [];
    assert_eq!(
        names(&io(
            &[1, 3, 368, 432],
            DType::F32,
            &[("concat_stage7", &[1, 57, 46, 54])]
        )),
        nothing,
        "pose"
    );
    assert_eq!(
        names(&io(
            &[1, 257, 257, 3],
            DType::F32,
            &[("ResizeBilinear_3", &[1, 257, 257, 21])]
        )),
        nothing,
        "segmentation"
    );
    assert_eq!(
        names(&io(
            &[1, 3, 227, 227],
            DType::F32,
            &[("prob", &[1, 1000, 1, 1])]
        )),
        nothing,
        "classification"
    );
    assert_eq!(
        names(&io(
            &[1, 3, 640, 640],
            DType::F32,
            &[("output", &[1, 25200, 85])]
        )),
        nothing,
        "three anchors a cell"
    );
    assert_eq!(names(&IoSpec::default()), nothing);
}

#[test]
fn recipes_are_proposed_by_outputs_as_well_as_inputs() {
    let with = |outputs: &[(&str, &[usize])]| {
        fitting(
            &io(&[1, 3, 224, 224], DType::F32, outputs),
            RecipeFit::Possible,
        )
    };
    let classifiers = ["caffe-bgr", "torchvision", "tf-slim"];
    assert_eq!(with(&[("prob", &[1, 1000])]), classifiers);
    assert_eq!(
        with(&[("prob", &[1, 10, 1, 1])]),
        classifiers,
        "own classes"
    );
    let nothing: [&str; 0] = [];
    assert_eq!(
        with(&[("heat", &[1, 57, 46, 54])]),
        nothing,
        "maps of a pose"
    );
    assert_eq!(with(&[("a", &[1, 10]), ("b", &[1, 10])]), nothing);
    assert_eq!(
        with(&[("output", &[1, 1029, 8])]),
        ["yolox"],
        "three classes of its own: could be, need not be"
    );
}

#[test]
fn resolved_recipes_make_preprocessors() {
    let classes: &[(&str, &[usize])] = &[("prob", &[1, 1000, 1, 1])];
    let slim: &[(&str, &[usize])] = &[("out", &[1, 1001])];
    let models = [
        (
            "yolox",
            io(&[1, 3, 416, 416], DType::F32, &[("output", &[1, 3549, 85])]),
        ),
        ("nanodet", nanodet()),
        (
            "fastestdet",
            io(&[1, 3, 352, 352], DType::F32, &[("758", &[1, 85, 22, 22])]),
        ),
        (
            "yolov8",
            io(
                &[1, 3, 640, 640],
                DType::F16,
                &[("output0", &[1, 84, 8400])],
            ),
        ),
        ("caffe-bgr", io(&[1, 3, 227, 227], DType::F32, classes)),
        ("torchvision", io(&[1, 3, 224, 224], DType::F32, classes)),
        ("tf-slim", io(&[1, 224, 224, 3], DType::U8, slim)),
        ("tf-slim", io(&[1, 3, 224, 224], DType::F32, slim)),
    ];
    for (name, io) in models {
        let resolved = recipe(name)
            .expect("exists")
            .resolve(&io)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(resolved.labels.is_some(), "{name}");
        let p = Preprocessor::new(&resolved.inputs[0], &io.inputs[0], 1)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            Some(p.shape()),
            resolved.inputs[0].shape.as_deref(),
            "{name}"
        );
    }
    let ten = recipe("torchvision")
        .expect("exists")
        .resolve(&io(&[1, 3, 224, 224], DType::F32, &[("p", &[1, 10])]))
        .expect("an image model");
    assert_eq!(ten.labels, None, "ten classes are not ImageNet's");
}

#[test]
fn what_cannot_be_resolved_says_why() {
    let open = IoSpec {
        inputs: vec![TensorInfo::new(
            "x",
            DType::F32,
            vec![
                Dimension::Unknown,
                Dimension::Fixed(3),
                Dimension::Symbolic("h".into()),
                Dimension::Unknown,
            ],
        )],
        outputs: Vec::new(),
    };
    let yolox = recipe("yolox").expect("exists");
    assert!(
        yolox
            .resolve(&open)
            .expect_err("open size")
            .to_string()
            .contains("[?, 3, h, ?]")
    );
    assert!(
        yolox
            .resolve(&io(&[1, 10], DType::F32, &[]))
            .expect_err("no image")
            .to_string()
            .contains("[1, 10]")
    );
    assert!(
        recipe("torchvision")
            .expect("exists")
            .resolve(&io(&[1, 224, 224, 3], DType::U8, &[]))
            .expect_err("u8")
            .to_string()
            .contains("u8")
    );
}
