//! What every verb needs: the common flags and the settings in force.

use crate::{
    args::Cli,
    config::{self, Settings},
    output, say, tables,
};
use dyno_core::{Reporter, UnknownName, lookup};
use dyno_datasets::HashCache;
use dyno_registry::SearchPath;
use dyno_reports::table::{Listing, Table};

/// Common flags and settings.
pub(crate) struct Context {
    /// Form of the output, by its name: of a listing or of a report.
    pub(crate) format: String,
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
        let common = &cli.common;
        let settings = config::settings(&common.models_dirs, common.runs_dir.as_deref())?;
        let search_path = SearchPath::new(settings.models_dirs.value.clone());
        Ok(Self {
            format: common.format.clone(),
            quiet: common.quiet,
            verbose: common.verbose,
            settings,
            search_path,
        })
    }

    /// The form of a listing.
    ///
    /// # Errors
    /// When listings have no such form.
    pub(crate) fn listing(&self) -> Result<Listing, UnknownName> {
        self.format.parse()
    }

    /// A table is asked for, for people or for a spreadsheet.
    pub(crate) fn has_listing(&self) -> bool {
        self.listing().is_ok_and(|l| l != Listing::Json)
    }

    /// The form of a report.
    ///
    /// # Errors
    /// When reports have no such form.
    pub(crate) fn reporter(&self) -> Result<&'static dyn Reporter, UnknownName> {
        lookup("format of a report", dyno_reports::REPORTERS, &self.format)
    }

    /// Prints a listing.
    ///
    /// # Errors
    /// When there is no such form, or standard output cannot be written.
    pub(crate) fn list(&self, table: &Table) -> anyhow::Result<()> {
        let text = table.render(self.listing()?, tables::terminal_width());
        output::write(text.as_bytes(), None)
    }

    /// Hashes of files that were read before.
    pub(crate) fn hash_cache(&self) -> HashCache {
        HashCache::open(self.settings.cache_dir.value.join("hashes.json"))
    }

    /// Says one line to people, unless they asked for quiet.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            say::line(text);
        }
    }
}
