//! What a configuration asks of ONNX Runtime: its settings, read and checked before a library is
//! opened.

use super::{
    backend::ID,
    providers::{Asked, CPU, Class, PROVIDERS, Provider},
};
use dyno_core::{
    Absence, BackendError, OpenConfig, Precision, Provider as Ran, Reason, Remedy, nearest,
};
use ort::session::builder::GraphOptimizationLevel;
use std::path::PathBuf;

/// Settings that are no option of a provider.
pub(super) const SETTINGS: &[&str] = &[
    "allow_partial",
    "arena",
    "io_binding",
    "library",
    "memory_pattern",
    "optimization",
    "profile",
    "provider",
    "spinning",
];

/// Prefix of a provider's own options.
const OPTION: &str = "provider.";

/// Graph capture replays one recorded run; ONNX Runtime does not allow it in several threads.
const CAPTURES: &[&str] = &[
    "enable_cuda_graph",
    "trt_cuda_graph_enable",
    "enableGraphCapture",
];

/// A configuration, read.
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of the library, each with a setting of its own"
)]
pub(super) struct Choice {
    /// `None` for the processor's own provider.
    pub(super) provider: Option<&'static Provider>,
    /// Options of the provider, in the order of their keys.
    pub(super) options: Vec<(String, String)>,
    class: Class,
    index: u32,
    half: bool,
    /// Some nodes may run on the processor.
    allow_partial: bool,
    pub(super) optimization: Level,
    pub(super) arena: bool,
    pub(super) memory_pattern: bool,
    pub(super) spinning: bool,
    pub(super) io_binding: bool,
    /// Where the library writes its profile when the session ends.
    pub(super) profile: Option<PathBuf>,
    pub(super) library: Option<PathBuf>,
}

/// How far the graph is optimised before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Disable,
    Basic,
    Extended,
    Layout,
    All,
}

const LEVELS: &[(&str, Level)] = &[
    ("disable", Level::Disable),
    ("basic", Level::Basic),
    ("extended", Level::Extended),
    ("layout", Level::Layout),
    ("all", Level::All),
];

impl Level {
    fn word(self) -> &'static str {
        LEVELS
            .iter()
            .find(|(_, l)| *l == self)
            .map_or("", |(w, _)| w)
    }

    pub(super) fn level(self) -> GraphOptimizationLevel {
        match self {
            Self::Disable => GraphOptimizationLevel::Disable,
            Self::Basic => GraphOptimizationLevel::Level1,
            Self::Extended => GraphOptimizationLevel::Level2,
            Self::Layout => GraphOptimizationLevel::Level3,
            Self::All => GraphOptimizationLevel::All,
        }
    }
}

fn refused(what: impl Into<String>) -> BackendError {
    BackendError::Unsupported {
        backend: ID,
        what: what.into(),
    }
}

impl Choice {
    /// Reads the settings and the device of `config`.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] for a setting that is not known, has no such value, or does
    /// not go with another.
    pub(super) fn read(config: &OpenConfig) -> Result<Self, BackendError> {
        let get = |key: &str| config.settings.get(key).map(String::as_str);
        let switch = |key: &str, default: &'static str| match get(key).unwrap_or(default) {
            "on" | "true" => Ok(true),
            "off" | "false" => Ok(false),
            other => Err(refused(format!("{key} `{other}` (there are: on, off)"))),
        };
        let path = |key: &str| get(key).map(PathBuf::from);
        let provider = provider(get("provider").unwrap_or("cpu"))?;
        let options: Vec<(String, String)> = config
            .settings
            .iter()
            .filter_map(|(k, v)| Some((k.strip_prefix(OPTION)?.to_owned(), v.clone())))
            .collect();
        check_options(provider, &options)?;
        if let Some(key) = config
            .settings
            .keys()
            .find(|k| !k.starts_with(OPTION) && !SETTINGS.contains(&k.as_str()))
        {
            let hint = nearest(key, SETTINGS.iter().copied())
                .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
            return Err(refused(format!(
                "setting `{key}`{hint} (there are: {}, provider.OPTION)",
                SETTINGS.join(", ")
            )));
        }
        let (class, index) = device(provider, &config.device)?;
        let wanted = get("optimization").unwrap_or("layout");
        let optimization = LEVELS
            .iter()
            .find(|(word, _)| *word == wanted)
            .map(|(_, level)| *level)
            .ok_or_else(|| {
                let words: Vec<&str> = LEVELS.iter().map(|(w, _)| *w).collect();
                refused(format!(
                    "optimization `{wanted}` (there are: {})",
                    words.join(", ")
                ))
            })?;
        Ok(Self {
            options,
            class,
            index,
            half: config.precision == Precision::F16 && provider.is_some_and(|p| p.half),
            allow_partial: switch("allow_partial", "off")?,
            optimization,
            arena: switch("arena", "on")?,
            memory_pattern: switch("memory_pattern", "on")?,
            spinning: switch("spinning", "on")?,
            io_binding: switch("io_binding", "off")?,
            profile: path("profile"),
            library: path("library"),
            provider,
        })
    }

    /// The configuration as the checks that all engines share know it: of the processor, without
    /// settings, and of the file's arithmetic where a provider changes it.
    pub(super) fn shared(&self, config: &OpenConfig) -> OpenConfig {
        OpenConfig {
            device: "cpu".to_owned(),
            precision: if self.half {
                Precision::Native
            } else {
                config.precision
            },
            settings: [].into(),
            ..config.clone()
        }
    }

    /// What the provider is asked for.
    pub(super) fn asked<'a>(&'a self, config: &OpenConfig) -> Asked<'a> {
        Asked {
            class: self.class,
            index: self.index,
            threads: config.threads,
            slots: config.slots,
            half: self.half,
            options: &self.options,
        }
    }

    /// The device as it stands in a record.
    pub(super) fn device(&self) -> String {
        match self.class {
            Class::Gpu => format!("gpu:{}", self.index),
            other => other.word().to_owned(),
        }
    }

    /// Arithmetic that runs for a model in `file`.
    pub(super) fn precision(&self, file: &str) -> String {
        if self.half && file == "f32" {
            "f16"
        } else {
            file
        }
        .to_owned()
    }

    /// Slots that may run at once.
    pub(super) fn max_slots(&self) -> Option<usize> {
        self.options
            .iter()
            .any(|(key, value)| {
                CAPTURES.contains(&key.as_str()) && value != "0" && value != "false"
            })
            .then_some(1)
    }

    /// Settings in force, without paths: those would tell about the machine, and facts are kept in
    /// records.
    pub(super) fn in_force(&self, threads: u32) -> Vec<(String, String)> {
        let word = |on: bool| if on { "on" } else { "off" };
        let mut settings = vec![("spinning", word(self.spinning))];
        for (key, is, default) in [
            ("allow_partial", word(self.allow_partial), "off"),
            ("arena", word(self.arena), "on"),
            ("io_binding", word(self.io_binding), "off"),
            ("memory_pattern", word(self.memory_pattern), "on"),
            ("optimization", self.optimization.word(), "layout"),
            ("profile", word(self.profile.is_some()), "off"),
        ] {
            if is != default {
                settings.push((key, is));
            }
        }
        if threads > 1 {
            settings.push(("thread_pool", "one for all slots"));
        }
        if let Some(provider) = self.provider {
            settings.push(("provider", provider.id));
            if provider.id == "tensorrt" {
                // The builder's own default; the provider has no option against it.
                settings.push(("tf32", "left to the provider"));
            }
        }
        let options = self.options.iter();
        settings
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .chain(options.map(|(k, v)| (format!("{OPTION}{k}"), v.clone())))
            .collect()
    }

    /// Whether the library can be asked for the provider at all.
    ///
    /// # Errors
    /// What is missing and what would provide it.
    pub(super) fn check_library(&self, library: &str) -> Result<(), BackendError> {
        let Some(provider) = self.provider else {
            return Ok(());
        };
        let absence = match (provider.available)() {
            Ok(true) => return Ok(()),
            Ok(false) => missing(provider, library),
            Err(error) => Absence::lasting(Reason::Refused {
                says: error.to_string(),
            }),
        };
        Err(BackendError::Unavailable {
            backend: ID,
            reason: format!("provider `{}`: {absence}", provider.id),
        })
    }

    /// Whether those that ran nodes are those that were asked for.
    ///
    /// # Errors
    /// With the nodes of each, when some or all went elsewhere and that was not allowed.
    pub(super) fn check_ran(&self, ran: &[Ran]) -> Result<(), BackendError> {
        let wanted = self.provider.map_or(CPU, |p| p.name);
        let (ours, others): (Vec<&Ran>, Vec<&Ran>) = ran.iter().partition(|p| p.name == wanted);
        if others.is_empty() {
            return Ok(());
        }
        let count = |list: &[&Ran]| -> u64 { list.iter().filter_map(|p| p.nodes).sum() };
        let elsewhere: Vec<String> = others
            .iter()
            .map(|p| format!("{} of `{}`", p.nodes.unwrap_or(0), p.name))
            .collect();
        let total = count(&ours) + count(&others);
        let only_cpu = others.iter().all(|p| p.name == CPU);
        if ours.is_empty() {
            return Err(refused(format!(
                "this model on `{wanted}`: it took none of the {total} nodes ({})",
                elsewhere.join(", ")
            )));
        }
        if self.allow_partial && only_cpu {
            return Ok(());
        }
        let hint = if only_cpu {
            "; --allow-partial runs it so and records the nodes of each"
        } else {
            ""
        };
        Err(refused(format!(
            "the whole model on `{wanted}`: it took {} of {total} nodes, the rest went elsewhere ({}){hint}",
            count(&ours),
            elsewhere.join(", ")
        )))
    }
}

/// Why a library lacks a provider, and what has it.
pub(super) fn missing(provider: &Provider, library: &str) -> Absence {
    Absence {
        reason: Reason::NotInLibrary {
            library: library.to_owned(),
        },
        remedy: Some(match provider.runtime {
            Some(runtime) => Remedy::Install {
                runtime: runtime.to_owned(),
            },
            None => Remedy::Provide {
                what: format!("it needs {}", provider.shipped),
            },
        }),
    }
}

/// The provider of that id; `None` for the processor's own.
fn provider(wanted: &str) -> Result<Option<&'static Provider>, BackendError> {
    if wanted == "cpu" {
        return Ok(None);
    }
    PROVIDERS
        .iter()
        .find(|p| p.id == wanted || p.name == wanted)
        .map(Some)
        .ok_or_else(|| {
            let ids: Vec<&str> = PROVIDERS.iter().map(|p| p.id).collect();
            let hint = nearest(wanted, ids.iter().copied())
                .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
            refused(format!(
                "provider `{wanted}`{hint} (there are: cpu, {})",
                ids.join(", ")
            ))
        })
}

/// Options that dyno decides by itself are said by flags.
fn check_options(
    provider: Option<&Provider>,
    options: &[(String, String)],
) -> Result<(), BackendError> {
    let Some((key, _)) = options.first() else {
        return Ok(());
    };
    let Some(provider) = provider else {
        return Err(refused(format!(
            "setting `{OPTION}{key}` without a `provider` that it would be an option of"
        )));
    };
    if matches!(provider.id, "migraphx" | "directml") {
        return Err(refused(format!(
            "setting `{OPTION}{key}`: `{}` has no options here",
            provider.id
        )));
    }
    for (key, _) in options {
        if let Some((_, flag)) = provider.decided.iter().find(|(k, _)| k == key) {
            return Err(refused(format!(
                "setting `{OPTION}{key}`: that is said by {flag}"
            )));
        }
    }
    Ok(())
}

/// Class and number of a device such as `gpu:1`.
fn device(provider: Option<&Provider>, device: &str) -> Result<(Class, u32), BackendError> {
    let classes = provider.map_or(&[Class::Cpu][..], |p| p.classes);
    let (word, index) = device.split_once(':').unwrap_or((device, "0"));
    let class = classes.iter().find(|c| c.word() == word);
    match (class, index.parse()) {
        (Some(Class::Gpu), Ok(index)) => Ok((Class::Gpu, index)),
        (Some(class), _) if !device.contains(':') => Ok((*class, 0)),
        _ => {
            let words: Vec<&str> = classes.iter().map(|c| c.word()).collect();
            let there = words.join(", ");
            Err(refused(match provider {
                None => format!(
                    "device `{device}` (there is: cpu) without an execution provider: `--set provider=…`"
                ),
                Some(p) => format!(
                    "device `{device}` with provider `{}` (it runs on: {there}; `--device {}`)",
                    p.id,
                    words.first().unwrap_or(&"cpu")
                ),
            }))
        }
    }
}

#[cfg(test)]
mod tests;
