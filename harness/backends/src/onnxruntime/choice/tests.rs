//! Settings are read strictly, and what ran is held against what was asked for.

use super::*;

fn config(device: &str, settings: &[(&str, &str)]) -> OpenConfig {
    OpenConfig {
        device: device.to_owned(),
        settings: settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        ..OpenConfig::default()
    }
}

fn refusal(device: &str, settings: &[(&str, &str)]) -> String {
    Choice::read(&config(device, settings))
        .map(drop)
        .expect_err("refused")
        .to_string()
}

fn read(device: &str, settings: &[(&str, &str)]) -> Choice {
    Choice::read(&config(device, settings)).unwrap_or_else(|e| panic!("{settings:?}: {e}"))
}

fn ran(list: &[(&str, u64)]) -> Vec<Ran> {
    list.iter()
        .map(|(name, nodes)| Ran {
            name: (*name).to_owned(),
            nodes: Some(*nodes),
        })
        .collect()
}

#[test]
fn mistakes_are_named_with_what_would_be_right() {
    for (device, settings, expected) in [
        ("cpu", &[("provider", "cudda")][..], "did you mean `cuda`?"),
        (
            "cpu",
            &[("arena", "maybe")],
            "arena `maybe` (there are: on, off)",
        ),
        (
            "cpu",
            &[("optimization", "most")],
            "disable, basic, extended, layout, all",
        ),
        (
            "cpu",
            &[("spining", "on")],
            "setting `spining`, did you mean `spinning`?",
        ),
        ("cpu", &[("provider.x", "1")], "without a `provider`"),
        ("gpu:0", &[], "device `gpu:0` (there is: cpu)"),
        (
            "cpu",
            &[("provider", "cuda")],
            "it runs on: gpu; `--device gpu`",
        ),
        ("gpu:x", &[("provider", "cuda")], "device `gpu:x`"),
        ("npu:1", &[("provider", "openvino")], "device `npu:1`"),
        (
            "gpu",
            &[("provider", "cuda"), ("provider.device_id", "1")],
            "that is said by --device",
        ),
        (
            "gpu",
            &[("provider", "directml"), ("provider.x", "1")],
            "`directml` has no options here",
        ),
    ] {
        let said = refusal(device, settings);
        assert!(said.contains(expected), "`{said}` lacks `{expected}`");
    }
}

#[test]
fn what_is_in_force_stands_in_the_record_and_paths_do_not() {
    let choice = read(
        "gpu:1",
        &[
            ("provider", "cuda"),
            ("provider.enable_cuda_graph", "1"),
            ("profile", "/home/someone/x"),
            ("library", "/home/someone/y.so"),
            ("arena", "off"),
        ],
    );
    assert_eq!(choice.device(), "gpu:1");
    assert_eq!(
        choice.max_slots(),
        Some(1),
        "graph capture is for one thread"
    );
    let settings: Vec<String> = choice
        .in_force(2)
        .into_iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(
        settings,
        [
            "spinning=on",
            "arena=off",
            "profile=on",
            "thread_pool=one for all slots",
            "provider=cuda",
            "provider.enable_cuda_graph=1",
        ]
    );
    assert_eq!(read("cpu", &[]).max_slots(), None);
}

#[test]
fn nodes_that_went_elsewhere_are_an_error_unless_that_was_allowed() {
    let openvino = "OpenVINOExecutionProvider";
    let strict = read("cpu", &[("provider", "openvino")]);
    let partial = read("cpu", &[("provider", "openvino"), ("allow_partial", "on")]);
    assert!(strict.check_ran(&ran(&[(openvino, 66)])).is_ok());
    let mixed = ran(&[(CPU, 6), (openvino, 60)]);
    let said = strict.check_ran(&mixed).expect_err("mixed").to_string();
    assert_eq!(
        said,
        "onnxruntime does not support the whole model on `OpenVINOExecutionProvider`: it took 60 of 66 nodes, the rest went elsewhere (6 of `CPUExecutionProvider`); --allow-partial runs it so and records the nodes of each"
    );
    assert!(partial.check_ran(&mixed).is_ok());
    // Nothing ran where it was asked for: no permission covers that.
    let fallen = ran(&[(CPU, 66)]);
    for choice in [&strict, &partial] {
        let said = choice
            .check_ran(&fallen)
            .expect_err("fallen back")
            .to_string();
        assert!(said.contains("it took none of the 66 nodes"), "{said}");
    }
    // The processor was asked for, and another had nodes.
    let plain = read("cpu", &[]);
    assert!(plain.check_ran(&fallen).is_ok());
    assert!(plain.check_ran(&[]).is_ok());
    let stranger = ran(&[(CPU, 1), ("XnnpackExecutionProvider", 1)]);
    let said = plain
        .check_ran(&stranger)
        .expect_err("not asked for")
        .to_string();
    assert!(said.contains("1 of `XnnpackExecutionProvider`"), "{said}");
    assert!(
        partial
            .check_ran(&ran(&[(openvino, 1), ("Other", 1)]))
            .is_err()
    );
}

#[test]
fn providers_are_known_by_one_name_each() {
    for (at, provider) in PROVIDERS.iter().enumerate() {
        assert!(!provider.classes.is_empty(), "{}", provider.id);
        for other in &PROVIDERS[at + 1..] {
            assert_ne!(provider.id, other.id);
            assert_ne!(provider.name, other.name);
        }
    }
}
