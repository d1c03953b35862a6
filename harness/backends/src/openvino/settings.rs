//! Settings that only OpenVINO knows.

use super::backend::ID;
use dyno_core::{BackendError, OpenConfig};
use std::path::{Path, PathBuf};

pub(super) const KEYS: &[&str] = &["cache", "hint", "library", "pinning", "streams"];

/// What OpenVINO's own settings are tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    Latency,
    Throughput,
}

impl Hint {
    /// The value of `PERFORMANCE_HINT`.
    pub(super) fn property(self) -> &'static str {
        match self {
            Self::Latency => "LATENCY",
            Self::Throughput => "THROUGHPUT",
        }
    }
}

/// How many runs are under way inside the device at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Streams {
    /// As many as slots that cores can feed.
    Slots,
    /// What OpenVINO finds best.
    Auto,
    /// So many.
    Count(u32),
}

/// Settings, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) hint: Hint,
    pub(super) streams: Streams,
    /// Threads are bound to cores; `None` for the engine's own choice.
    pub(super) pinning: Option<bool>,
    /// Folder of compiled models.
    pub(super) cache: Option<PathBuf>,
    pub(super) library: Option<PathBuf>,
}

impl Settings {
    /// # Errors
    /// [`BackendError::Unsupported`] with what there is instead. Unknown keys are refused elsewhere.
    pub(super) fn read(config: &OpenConfig) -> Result<Self, BackendError> {
        let refuse = |what: String| BackendError::Unsupported { backend: ID, what };
        let get = |key: &str| config.settings.get(key).map(String::as_str);
        let hint = match get("hint") {
            None | Some("latency") => Hint::Latency,
            Some("throughput") => Hint::Throughput,
            Some(other) => {
                return Err(refuse(format!(
                    "hint `{other}` (there are: latency, throughput)"
                )));
            }
        };
        let streams = match get("streams") {
            None if hint == Hint::Throughput => Streams::Auto,
            None => Streams::Slots,
            Some("auto") => Streams::Auto,
            Some(text) => match text.parse() {
                Ok(count @ 1..=MOST_STREAMS) => Streams::Count(count),
                _ => {
                    return Err(refuse(format!(
                        "streams `{text}` (there are: auto, 1 to {MOST_STREAMS})"
                    )));
                }
            },
        };
        let pinning = match get("pinning") {
            None => None,
            Some("on") => Some(true),
            Some("off") => Some(false),
            Some(other) => {
                return Err(refuse(format!("pinning `{other}` (there are: on, off)")));
            }
        };
        let cache = get("cache").map(PathBuf::from);
        if let Some(folder) = &cache
            && !Path::is_dir(folder)
        {
            return Err(refuse(format!("cache `{}`: no folder", folder.display())));
        }
        Ok(Self {
            hint,
            streams,
            pinning,
            cache,
            library: get("library").map(PathBuf::from),
        })
    }
}

/// More streams than any machine has cores for.
const MOST_STREAMS: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<Settings, String> {
        let settings = settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Settings::read(&OpenConfig {
            settings,
            ..OpenConfig::default()
        })
        .map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_and_what_follows_from_the_hint() {
        let plain = read(&[]).expect("nothing is asked");
        assert_eq!((plain.hint, plain.streams), (Hint::Latency, Streams::Slots));
        assert_eq!((plain.pinning, plain.cache), (None, None));
        let streams = |s: &[(&str, &str)]| read(s).expect("good").streams;
        assert_eq!(streams(&[("hint", "throughput")]), Streams::Auto);
        assert_eq!(
            streams(&[("hint", "throughput"), ("streams", "2")]),
            Streams::Count(2)
        );
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        for (key, value, expected) in [
            (
                "hint",
                "fast",
                "hint `fast` (there are: latency, throughput)",
            ),
            ("streams", "0", "streams `0` (there are: auto, 1 to 1024)"),
            ("streams", "many", "streams `many`"),
            ("pinning", "yes", "pinning `yes` (there are: on, off)"),
            (
                "cache",
                "/no/such/folder",
                "cache `/no/such/folder`: no folder",
            ),
        ] {
            let error = read(&[(key, value)]).expect_err("refused");
            assert!(error.contains(expected), "{error}");
        }
    }
}
