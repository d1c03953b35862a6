//! The words for people, all made here.

use super::facts::{Absence, Availability, Capability, Library, Reason, Remedy, Tried};
use std::fmt;

/// One *no* of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem<'a> {
    /// What is not there: `library`, `provider cuda`.
    pub what: String,
    /// Why, and what mends it.
    pub absence: &'a Absence,
    /// No model can be opened without it.
    pub fatal: bool,
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.absence)
    }
}

impl Availability {
    /// Every *no*, from the build to the providers.
    pub fn problems(&self) -> Vec<Problem<'_>> {
        let problem = |what: String, absence, fatal| Problem {
            what,
            absence,
            fatal,
        };
        let mut found = Vec::new();
        if let Some(absence) = self.compiled_in.no() {
            found.push(problem("compiled in".to_owned(), absence, true));
        }
        if let Some(absence) = self.library.as_ref().and_then(|l| l.no()) {
            found.push(problem("library".to_owned(), absence, true));
        }
        let no_device = self.usable_devices().next().is_none();
        for (kind, list, fatal) in [
            ("device", &self.devices, no_device),
            ("precision", &self.precisions, false),
            ("provider", &self.providers, false),
        ] {
            for Capability { name, state } in list {
                if let Some(absence) = state.no() {
                    found.push(problem(format!("{kind} {name}"), absence, fatal));
                }
            }
        }
        found
    }

    /// Why no model can be opened; `None` where one can.
    pub fn first_problem(&self) -> Option<Problem<'_>> {
        self.problems().into_iter().find(|p| p.fatal)
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` (from {}): {}",
            self.path, self.source, self.problem
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompiledIn { feature } => {
                write!(f, "this build has no `{feature}`")
            }
            Self::NoLibrary { needs, tried } if tried.is_empty() => write!(
                f,
                "the library of {needs} was not found: none lies in an installed runtime, Python's packages or the system's library folders"
            ),
            Self::NoLibrary { needs, tried } => {
                let tried: Vec<String> = tried.iter().map(Tried::to_string).collect();
                write!(
                    f,
                    "the library of {needs} was not found: tried {}",
                    tried.join("; ")
                )
            }
            Self::NotInLibrary { library } => write!(f, "`{library}` was built without it"),
            Self::NoDevice { device } => write!(f, "this machine has no {device}"),
            Self::NotSupported { detail } => f.write_str(detail),
            Self::Refused { says } => f.write_str(says),
            Self::Needs { what } => write!(f, "needs {what}"),
            Self::Died { how } => write!(f, "the process that opened its library {how}"),
        }
    }
}

impl Remedy {
    /// The command that does it; `None` where it is no command.
    pub fn command(&self) -> Option<String> {
        Some(match self {
            Self::Build { feature } => format!("cargo install --path . --features {feature}"),
            Self::Install { runtime } => format!("dyno backends install {runtime}"),
            Self::Set { variable, value } => format!("export {variable}={value}"),
            Self::Run { command } => command.clone(),
            Self::Provide { .. } => return None,
        })
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.command(), self) {
            (_, Self::Install { runtime }) => {
                write!(f, "install it with `dyno backends install {runtime}`")
            }
            (_, Self::Build { feature }) => write!(f, "build with `--features {feature}`"),
            (_, Self::Provide { what }) => f.write_str(what),
            (Some(command), _) => write!(f, "`{command}`"),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.version)
    }
}
