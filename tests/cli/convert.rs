//! Models of other frameworks: run as they are, converted, looked into.

use crate::support::Place;
use std::fs;

const CFG: &str = "[net]\nwidth=32\nheight=32\nchannels=3\n\n[convolutional]\nfilters=24\nsize=1\nstride=4\nactivation=linear\n\n\
[yolo]\nmask=0,1,2\nanchors=4,4, 8,8, 16,16\nclasses=3\nnum=3\n";

/// A net of one convolution and one head, for the three classes of the generated pictures.
fn net(place: &Place) {
    fs::write(place.join("net.cfg"), CFG).expect("written");
    let mut weights = Vec::new();
    for number in [0i32, 2, 5, 0, 0] {
        weights.extend(number.to_le_bytes());
    }
    for value in 0..24 + 24 * 3 {
        weights.extend((value as f32 * 0.01).to_le_bytes());
    }
    fs::write(place.join("net.weights"), weights).expect("written");
    fs::write(place.join("names.txt"), "circle\nsquare\ntriangle\n").expect("written");
}

#[test]
fn a_darknet_net_runs_needs_no_recipe_and_becomes_a_package() {
    let place = Place::new();
    place.with_shapes(4);
    net(&place);
    let run = "--dataset coco:pictures --only accuracy --format json";
    let done = place.run(&format!("run net.cfg --labels names.txt {run}"));
    let record = done.succeeds().record();
    let import = record.measurements[0].execution.import.clone();
    let import = import.expect("it was imported");
    assert_eq!(import.id, "darknet");
    let decoder = &record.plan.spec.model.decoder;
    assert_eq!(decoder.kind, "yolo");

    place
        .run("convert net.cfg --labels names.txt -o package -q")
        .succeeds();
    let converted = place
        .run(&format!("run ./package {run}"))
        .succeeds()
        .record();
    let scores = |record: &dyno_core::Record| {
        let accuracy = record.measurements[0].accuracy().expect("accuracy");
        accuracy.scores.iter().map(|s| s.value).collect::<Vec<_>>()
    };
    assert_eq!(scores(&record), scores(&converted));
    let said = fs::read_to_string(place.join("package/dyno.json")).expect("a description");
    assert!(
        said.contains("derived_from") && said.contains("anchors"),
        "{said}"
    );

    let looked = place.run("inspect net.cfg").succeeds();
    for words in [
        "darknet version",
        "decoder     yolo",
        "classes     3",
        "Conv",
    ] {
        assert!(looked.stdout.contains(words), "{words}:\n{}", looked.stdout);
    }
}

#[test]
fn what_a_conversion_cannot_use_is_refused_and_nothing_is_left() {
    let place = Place::new();
    net(&place);
    for (flags, words) in [
        ("--score 0.5", "--score means nothing here"),
        ("--recipe nobody", "nobody"),
        ("--import epsilon=2", "epsilon"),
        ("--labels nowhere.txt", "nowhere.txt"),
    ] {
        place
            .run(&format!("convert net.cfg -o out {flags}"))
            .exits_not(0)
            .says(&[words]);
        assert!(!place.join("out").exists(), "{flags}");
    }
    fs::write(place.join("net.weights"), b"short").expect("written");
    place.run("convert net.cfg -o out").exits(5).says(&["net"]);
    assert!(!place.join("out").exists());
}
