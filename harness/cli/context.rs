//! What every verb needs: the common flags and the settings in force.

use crate::{
    args::{Cli, Format},
    config::{self, Settings},
};
use dyno_datasets::HashCache;
use dyno_registry::SearchPath;

/// Common flags and settings.
pub(crate) struct Context {
    /// Form of the output.
    pub(crate) format: Format,
    /// Errors only.
    pub(crate) quiet: bool,
    /// More words.
    pub(crate) verbose: bool,
    /// Settings in force.
    pub(crate) settings: Settings,
    /// Where models are looked for.
    pub(crate) search_path: SearchPath,
}

impl Context {
    /// Reads configuration.
    ///
    /// # Errors
    /// When a configuration file is malformed.
    pub(crate) fn new(cli: &Cli) -> anyhow::Result<Self> {
        let settings = config::settings(&cli.common.models_dirs)?;
        let search_path = SearchPath::new(settings.models_dirs.value.clone());
        Ok(Self {
            format: cli.common.format,
            quiet: cli.common.quiet,
            verbose: cli.common.verbose,
            settings,
            search_path,
        })
    }

    /// Hashes of files that were read before.
    pub(crate) fn hash_cache(&self) -> HashCache {
        HashCache::open(self.settings.cache_dir.value.join("hashes.json"))
    }

    /// Says something to people, unless they asked for quiet.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}
