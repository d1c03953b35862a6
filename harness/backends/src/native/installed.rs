//! Installed runtimes among the files that may be an engine's library.

use super::search::FoundLibrary;
use crate::runtimes::Engines;

/// `found` with the installed runtimes of `engine` behind the files that the user named and before
/// all others; those of `runtime` come first.
pub(crate) fn with_installed(
    mut found: Vec<FoundLibrary>,
    engine: &str,
    runtime: Option<&str>,
) -> Vec<FoundLibrary> {
    let installed = Engines::of_user()
        .map_or_else(|_| Vec::new(), |engines| engines.libraries(engine, runtime));
    let named = found.iter().take_while(|f| f.explicit).count();
    let installed = installed.into_iter().map(|path| FoundLibrary {
        path,
        source: "an installed runtime",
        explicit: false,
    });
    found.splice(named..named, installed);
    found
}
