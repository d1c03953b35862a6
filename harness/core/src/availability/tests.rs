//! Facts keep their form in JSON, and each *no* is told with what mends it.

use super::*;

fn sample() -> Availability {
    Availability {
        library: Some(Presence::Yes(Library {
            path: "/opt/libx.so.1".to_owned(),
            version: "1.2".to_owned(),
            source: "DYNO_X".to_owned(),
        })),
        devices: vec![
            Capability::there("cpu", ""),
            Capability::missing(
                "gpu:0",
                Absence {
                    reason: Reason::NoDevice {
                        device: "NVIDIA GPU".to_owned(),
                    },
                    remedy: Some(Remedy::Provide {
                        what: "a GPU with its driver".to_owned(),
                    }),
                },
            ),
        ],
        precisions: vec![Capability::there("f32", "")],
        providers: vec![Capability::missing(
            "cuda",
            Absence {
                reason: Reason::NotInLibrary {
                    library: "libx.so.1".to_owned(),
                },
                remedy: Some(Remedy::Install {
                    runtime: "x-gpu".to_owned(),
                }),
            },
        )],
        ..Availability::built_in("for X 1.0")
    }
}

#[test]
fn facts_keep_their_form_in_json() {
    for availability in [
        sample(),
        Availability::not_compiled_in("x"),
        Availability::unknown("died of signal 11"),
    ] {
        let text = serde_json::to_string(&availability).expect("plain data");
        let back: Availability = serde_json::from_str(&text).expect("what was written");
        assert_eq!(back, availability);
    }
    let text = serde_json::to_string(&sample()).expect("plain data");
    assert!(
        text.contains(r#""state":{"no":{"reason":{"not_in_library":"#),
        "{text}"
    );
    assert!(serde_json::from_str::<Availability>(r#"{"checks":[]}"#).is_err());
}

#[test]
fn a_device_that_is_missing_beside_one_that_is_there_stops_nothing() {
    let availability = sample();
    assert!(availability.usable());
    assert_eq!(availability.first_problem(), None);
    let said: Vec<String> = availability
        .problems()
        .iter()
        .map(Problem::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "device gpu:0: this machine has no NVIDIA GPU; a GPU with its driver",
            "provider cuda: `libx.so.1` was built without it; install it with `dyno backends install x-gpu`",
        ]
    );
}

#[test]
fn what_stops_a_backend_is_told_first() {
    let absent = Availability::not_compiled_in("x");
    assert!(!absent.usable());
    let problem = absent.first_problem().expect("it is not there");
    assert_eq!(
        problem.to_string(),
        "compiled in: this build has no `x`; build with `--features x`"
    );
    let remedy = problem.absence.remedy.as_ref().expect("it can be built");
    assert_eq!(
        remedy.command().as_deref(),
        Some("cargo install --path . --features x")
    );
    let dead = Availability::unknown("died of signal 11");
    assert_eq!(
        dead.first_problem().expect("it died").to_string(),
        "library: the process that opened its library died of signal 11"
    );
    let mut no_device = sample();
    no_device.devices.remove(0);
    assert!(!no_device.usable());
    assert_eq!(
        no_device.first_problem().expect("no device").what,
        "device gpu:0"
    );
    let missing = Availability::without_library(
        "for X 1.0",
        Absence::lasting(Reason::NoLibrary {
            needs: "X 1.0 or newer".to_owned(),
            tried: vec![Tried {
                path: "/a.so".to_owned(),
                source: "DYNO_X".to_owned(),
                problem: "not a file".to_owned(),
            }],
        }),
    );
    assert_eq!(
        missing.first_problem().expect("no library").to_string(),
        "library: the library of X 1.0 or newer was not found: tried `/a.so` (from DYNO_X): not a file"
    );
}
