//! The facts.

use serde::{Deserialize, Serialize};

/// A thing is there, or not and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence<T> {
    /// It is there.
    Yes(T),
    /// It is not.
    No(Absence),
}

impl<T> Presence<T> {
    /// What is there.
    pub fn yes(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) => None,
        }
    }

    /// Why it is not there.
    pub fn no(&self) -> Option<&Absence> {
        match self {
            Self::Yes(_) => None,
            Self::No(absence) => Some(absence),
        }
    }
}

/// Why something is not there, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// Why.
    pub reason: Reason,
    /// What mends it; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Remedy>,
}

impl Absence {
    /// An absence that nothing mends.
    pub fn lasting(reason: Reason) -> Self {
        Self {
            reason,
            remedy: None,
        }
    }
}

/// A file that was tried as a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// The file.
    pub path: String,
    /// What led to it: a variable, a Python installation.
    pub source: String,
    /// Why it is not usable.
    pub problem: String,
}

/// Why something is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// This build was made without the feature of that name.
    NotCompiledIn {
        /// The feature.
        feature: String,
    },
    /// No usable library.
    NoLibrary {
        /// The library with the versions that would do: `ONNX Runtime 1.24 or newer`.
        needs: String,
        /// Files that were tried; empty where none was found.
        tried: Vec<Tried>,
    },
    /// The library that was found was built without it.
    NotInLibrary {
        /// Path or name and version of the library.
        library: String,
    },
    /// The machine has no such hardware, as far as the system tells.
    NoDevice {
        /// What was looked for: `an NVIDIA GPU`.
        device: String,
    },
    /// The engine cannot do it on any machine.
    NotSupported {
        /// What it does instead or why, in a few words.
        detail: String,
    },
    /// The library or a driver said so.
    Refused {
        /// Its words.
        says: String,
    },
    /// What it needs is missing itself.
    Needs {
        /// What: `the library`.
        what: String,
    },
    /// The process that looked did not live to tell.
    Died {
        /// How it ended.
        how: String,
    },
}

/// What mends an absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Build with a feature.
    Build {
        /// The feature.
        feature: String,
    },
    /// Install a run-time library (`dyno backends install`).
    Install {
        /// Name of the runtime.
        runtime: String,
    },
    /// Set a variable of the environment.
    Set {
        /// The variable.
        variable: String,
        /// What it holds: `FILE`.
        value: String,
    },
    /// A command of the system.
    Run {
        /// The command line.
        command: String,
    },
    /// Something that no command does: a driver, a chip.
    Provide {
        /// What.
        what: String,
    },
}

/// A native library that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// The file.
    pub path: String,
    /// Its version.
    pub version: String,
    /// What led to it: a variable, a Python installation.
    pub source: String,
}

/// A device, a precision or an execution provider, by the name that a configuration uses for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Its name: `cpu`, `f16`, `openvino`.
    pub name: String,
    /// Whether it can be used, with a detail that may be empty: the model of a device, an engine's
    /// own name.
    pub state: Presence<String>,
}

impl Capability {
    /// One that is there.
    pub fn there(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: Presence::Yes(detail.into()),
        }
    }

    /// One that is not there.
    pub fn missing(name: impl Into<String>, absence: Absence) -> Self {
        Self {
            name: name.into(),
            state: Presence::No(absence),
        }
    }
}

/// What a backend has on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// Compiled into this build, with the engine's version or what it was built against.
    pub compiled_in: Presence<String>,
    /// The native library that is opened at run time; absent for an engine that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<Presence<Library>>,
    /// Devices that a configuration can name, and those that cannot be used here.
    pub devices: Vec<Capability>,
    /// Arithmetic of model files and of requests.
    pub precisions: Vec<Capability>,
    /// Execution providers or plugins, where the engine has such.
    pub providers: Vec<Capability>,
}

impl Availability {
    /// A backend of this build without a native library, that runs on the processor.
    pub fn built_in(version: impl Into<String>) -> Self {
        Self {
            compiled_in: Presence::Yes(version.into()),
            library: None,
            devices: vec![Capability::there("cpu", "")],
            precisions: Vec::new(),
            providers: Vec::new(),
        }
    }

    /// A backend that this build was made without; the feature has its name.
    pub fn not_compiled_in(feature: &str) -> Self {
        Self {
            compiled_in: Presence::No(Absence {
                reason: Reason::NotCompiledIn {
                    feature: feature.to_owned(),
                },
                remedy: Some(Remedy::Build {
                    feature: feature.to_owned(),
                }),
            }),
            library: None,
            devices: Vec::new(),
            precisions: Vec::new(),
            providers: Vec::new(),
        }
    }

    /// A backend of this build whose library could not be used.
    pub fn without_library(built_against: impl Into<String>, absence: Absence) -> Self {
        Self {
            library: Some(Presence::No(absence)),
            devices: Vec::new(),
            ..Self::built_in(built_against)
        }
    }

    /// The process that looked ended without an answer.
    pub fn unknown(how: impl Into<String>) -> Self {
        Self {
            library: Some(Presence::No(Absence::lasting(Reason::Died {
                how: how.into(),
            }))),
            devices: Vec::new(),
            ..Self::built_in("")
        }
    }

    /// Names of the devices that can be used.
    pub fn usable_devices(&self) -> impl Iterator<Item = &str> {
        self.devices
            .iter()
            .filter(|d| d.state.yes().is_some())
            .map(|d| d.name.as_str())
    }

    /// A model can be opened.
    pub fn usable(&self) -> bool {
        self.compiled_in.yes().is_some()
            && self.library.as_ref().is_none_or(|l| l.yes().is_some())
            && self.usable_devices().next().is_some()
    }
}
