//! Names of devices, and what they compute in.
//!
//! Here a device is `cpu`, `gpu`, `gpu:1`, `npu`; OpenVINO says `CPU`, `GPU`, `GPU.1`, `NPU`. Its
//! virtual devices `auto`, `hetero:gpu,cpu`, `multi:…` and `batch:gpu` choose or divide by
//! themselves: they are opened when asked for by these names, never by default, and the facts say
//! which devices were in it.

use super::backend::ID;
use dyno_core::{BackendError, Precision};
use std::ffi::CString;

/// Virtual devices, and whether they must name their members.
const VIRTUAL: &[(&str, bool)] = &[
    ("auto", false),
    ("batch", true),
    ("hetero", true),
    ("multi", true),
];

/// A device that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    /// As it was asked for.
    pub(super) name: String,
    /// As OpenVINO calls it.
    pub(super) library: CString,
    /// Real devices in it, in OpenVINO's names.
    pub(super) members: Vec<String>,
    /// It is one of the virtual devices.
    pub(super) is_virtual: bool,
}

impl Device {
    /// The device called `name`, on a machine that has `there` (in OpenVINO's names).
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] with what there is instead.
    pub(super) fn find(name: &str, there: &[String]) -> Result<Self, BackendError> {
        let listed = || there.iter().map(|d| ours(d)).collect::<Vec<_>>().join(", ");
        let refuse = |what: String| BackendError::Unsupported { backend: ID, what };
        let missing = || refuse(format!("device `{name}` (there is: {})", listed()));
        let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
        let real = |one: &str| {
            let theirs = theirs(one)?;
            let same = |d: &&String| {
                **d == theirs
                    || d.strip_suffix(".0") == Some(&theirs)
                    || theirs.strip_suffix(".0") == Some(d)
            };
            there.iter().find(same).map(|_| theirs)
        };
        let text = |text: String| CString::new(text).map_err(|_| missing());
        let Some(&(_, must_name)) = VIRTUAL.iter().find(|(v, _)| *v == kind) else {
            let theirs = real(name).ok_or_else(missing)?;
            return Ok(Self {
                name: name.to_owned(),
                library: text(theirs.clone())?,
                members: vec![theirs],
                is_virtual: false,
            });
        };
        if rest.is_empty() && must_name {
            return Err(refuse(format!(
                "device `{name}` without its members (write `{kind}:{}`)",
                there.first().map_or_else(|| "cpu".to_owned(), |d| ours(d))
            )));
        }
        let members = if rest.is_empty() {
            there.to_vec()
        } else {
            rest.split(',')
                .map(|one| real(one).ok_or_else(missing))
                .collect::<Result<Vec<_>, _>>()?
        };
        let upper = kind.to_ascii_uppercase();
        let library = if rest.is_empty() {
            upper
        } else {
            format!("{upper}:{}", members.join(","))
        };
        Ok(Self {
            name: name.to_owned(),
            library: text(library)?,
            members,
            is_virtual: true,
        })
    }

    /// Nothing but the processor is in it.
    pub(super) fn is_cpu(&self) -> bool {
        !self.is_virtual && self.members.iter().all(|m| m == "CPU")
    }
}

/// A device in the words of dyno.
pub(super) fn ours(theirs: &str) -> String {
    theirs.to_ascii_lowercase().replacen('.', ":", 1)
}

/// A device in OpenVINO's words; `None` for what cannot be the name of one.
fn theirs(ours: &str) -> Option<String> {
    let good = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    match ours.split_once(':') {
        Some((kind, number)) if good(kind) && good(number) => {
            Some(format!("{}.{number}", kind.to_ascii_uppercase()))
        }
        None if good(ours) => Some(ours.to_ascii_uppercase()),
        _ => None,
    }
}

/// The arithmetic to compile for, in OpenVINO's words (`INFERENCE_PRECISION_HINT`). Reals are
/// computed in f32 unless something else is asked for, also where a processor would be faster in
/// bf16; integers of a quantized model stay integers.
///
/// `file` is the file's arithmetic; `capable` what every device in it can (`FP32`, `BF16`, …).
///
/// # Errors
/// [`BackendError::Unsupported`] with what there is instead.
pub(super) fn precision(
    asked: Precision,
    file: &str,
    device: &str,
    capable: &[String],
) -> Result<&'static str, BackendError> {
    let refuse = |what: String| Err(BackendError::Unsupported { backend: ID, what });
    let quantized = file == "int8";
    let (hint, capability) = match asked {
        Precision::Native => ("f32", "FP32"),
        Precision::F32 if !quantized => ("f32", "FP32"),
        Precision::F16 if !quantized => ("f16", "FP16"),
        Precision::Bf16 if !quantized => ("bf16", "BF16"),
        other => {
            let there = if quantized {
                "native"
            } else {
                "native, f32, f16, bf16"
            };
            return refuse(format!(
                "precision `{other}` for a model in {file} (there is: {there})"
            ));
        }
    };
    if capable.iter().any(|c| c == capability) {
        return Ok(hint);
    }
    let there: Vec<&str> = [("FP32", "f32"), ("FP16", "f16"), ("BF16", "bf16")]
        .into_iter()
        .filter(|(c, _)| capable.iter().any(|there| there == c))
        .map(|(_, name)| name)
        .collect();
    refuse(format!(
        "precision `{hint}` on device `{device}` (there is: {})",
        there.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, there: &[&str]) -> Result<Device, String> {
        let there: Vec<String> = there.iter().map(|d| (*d).to_owned()).collect();
        Device::find(name, &there).map_err(|e| e.to_string())
    }

    #[test]
    fn names_go_to_the_library_and_back() {
        for (name, there, library, members) in [
            ("cpu", &["CPU"][..], "CPU", &["CPU"][..]),
            ("gpu:1", &["CPU", "GPU.0", "GPU.1"], "GPU.1", &["GPU.1"]),
            ("gpu:0", &["CPU", "GPU"], "GPU.0", &["GPU.0"]),
            ("gpu", &["CPU", "GPU.0", "GPU.1"], "GPU", &["GPU"]),
            ("auto", &["CPU", "GPU"], "AUTO", &["CPU", "GPU"]),
            (
                "hetero:gpu,cpu",
                &["CPU", "GPU"],
                "HETERO:GPU,CPU",
                &["GPU", "CPU"],
            ),
            ("batch:cpu", &["CPU"], "BATCH:CPU", &["CPU"]),
        ] {
            let device = find(name, there).expect(name);
            assert_eq!(device.library.to_str(), Ok(library));
            assert_eq!(device.members, members);
            assert_eq!(device.name, name);
        }
        assert_eq!(ours("GPU.1"), "gpu:1");
        assert!(find("cpu", &["CPU"]).expect("there").is_cpu());
        assert!(!find("auto:cpu", &["CPU"]).expect("there").is_cpu());
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        for (name, expected) in [
            ("gpu:0", "device `gpu:0` (there is: cpu)"),
            ("npu", "device `npu` (there is: cpu)"),
            ("auto:gpu,cpu", "device `auto:gpu,cpu` (there is: cpu)"),
            (
                "hetero",
                "device `hetero` without its members (write `hetero:cpu`)",
            ),
            ("cpu:", "device `cpu:` (there is: cpu)"),
            ("c p u", "device `c p u` (there is: cpu)"),
            ("", "device `` (there is: cpu)"),
        ] {
            let error = find(name, &["CPU"]).expect_err(name);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn arithmetic_is_f32_unless_asked_and_never_what_a_device_lacks() {
        let said = |asked, file, capable: &[&str]| {
            let capable: Vec<String> = capable.iter().map(|c| (*c).to_owned()).collect();
            precision(asked, file, "cpu", &capable).map_err(|e| e.to_string())
        };
        let all = &["FP32", "BF16", "INT8"];
        assert_eq!(said(Precision::Native, "f32", all), Ok("f32"));
        assert_eq!(said(Precision::Native, "int8", all), Ok("f32"));
        assert_eq!(said(Precision::Bf16, "f32", all), Ok("bf16"));
        for (asked, file, capable, expected) in [
            (
                Precision::F16,
                "f32",
                &all[..],
                "precision `f16` on device `cpu` (there is: f32, bf16)",
            ),
            (
                Precision::Native,
                "f32",
                &["FP16"],
                "precision `f32` on device `cpu` (there is: f16)",
            ),
            (
                Precision::F32,
                "int8",
                all,
                "precision `f32` for a model in int8 (there is: native)",
            ),
            (
                Precision::Int8,
                "f32",
                all,
                "precision `int8` for a model in f32 (there is: native, f32, f16, bf16)",
            ),
        ] {
            let error = said(asked, file, capable).expect_err("refused");
            assert!(error.contains(expected), "{error}");
        }
    }
}
