//! The nine frameworks of the manifests and their aliases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Framework of a model file, by the name that dyno writes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum Framework {
    /// ONNX.
    Onnx,
    /// Caffe.
    Caffe,
    /// Darknet.
    Darknet,
    /// TensorFlow frozen graphs.
    TensorFlow,
    /// Torch7; the registries call it `enet`, after its one model.
    Torch7,
    /// OpenVINO IR; `dldt` in the registries.
    OpenVino,
    /// TensorRT engine files.
    TensorRt,
    /// Hailo executable files.
    Hailo,
    /// Myriad blobs.
    Myriad,
    /// Qualcomm Cloud AI; known by name only.
    Qaic,
    /// PyTorch hub models; known by name only.
    Torch,
}

/// Canonical name first, then the other names under which manifests and people know it.
const NAMES: &[(Framework, &[&str])] = &[
    (Framework::Onnx, &["onnx"]),
    (Framework::Caffe, &["caffe"]),
    (Framework::Darknet, &["darknet"]),
    (Framework::TensorFlow, &["tensorflow", "tf"]),
    (Framework::Torch7, &["torch7", "enet"]),
    (Framework::OpenVino, &["openvino", "dldt"]),
    (Framework::TensorRt, &["tensorrt", "tensor-rt"]),
    (Framework::Hailo, &["hailo"]),
    (Framework::Myriad, &["myriad"]),
    (Framework::Qaic, &["qaic"]),
    (Framework::Torch, &["torch"]),
];

/// A name that is no framework.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown framework `{name}` (there are: {known})")]
pub struct UnknownFramework {
    /// The name.
    pub name: String,
    /// What exists, with aliases.
    pub known: String,
}

impl Framework {
    /// The name that dyno writes.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(f, _)| *f == self)
            .map_or("", |(_, names)| names[0])
    }

    /// The framework that a file extension suggests; `None` where the extension is ambiguous
    /// (`bin`, `pb`, `net` is Torch7's).
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "onnx" => Some(Self::Onnx),
            "caffemodel" | "prototxt" => Some(Self::Caffe),
            "weights" | "cfg" => Some(Self::Darknet),
            "pb" => Some(Self::TensorFlow),
            "net" => Some(Self::Torch7),
            "xml" => Some(Self::OpenVino),
            "trt" | "engine" => Some(Self::TensorRt),
            "hef" => Some(Self::Hailo),
            "blob" => Some(Self::Myriad),
            _ => None,
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Framework {
    type Err = UnknownFramework;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        NAMES
            .iter()
            .find(|(_, names)| names.contains(&s))
            .map(|(f, _)| *f)
            .ok_or_else(|| UnknownFramework {
                name: s.to_owned(),
                known: NAMES
                    .iter()
                    .flat_map(|(_, n)| n.iter().copied())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}

impl From<Framework> for String {
    fn from(f: Framework) -> Self {
        f.name().to_owned()
    }
}

impl TryFrom<String> for Framework {
    type Error = UnknownFramework;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_reads_and_the_canonical_name_is_written() {
        for (framework, names) in NAMES {
            for name in *names {
                assert_eq!(name.parse::<Framework>().as_ref(), Ok(framework));
            }
            assert_eq!(framework.name(), names[0]);
        }
        assert!("caffee".parse::<Framework>().is_err());
    }
}
