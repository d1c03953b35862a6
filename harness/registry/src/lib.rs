//! Manifests, names, versions, resolution and write-back.
//!
//! Two worlds are read and written losslessly: a registry folder with ETA's `manifest.json` and a
//! model package with `alwaysai.model.json`. dyno's own facts stand beside them, in
//! `manifest.dyno.json` and `dyno.json`, never in the vendor's file; the numbers of a measurement
//! go into the vendor's plain fields with their evidence beside them.
//!
//! The crate reads no flags and no environment: the caller brings search path, home folder and
//! clock.

#[cfg(test)]
mod tests;

mod alwaysai;
mod check;
mod configure;
mod decide;
mod described;
mod error;
mod eta;
mod external;
mod fields;
mod files;
pub mod json_edit;
mod locate;
mod name;
mod package;
mod plan_files;
mod reference;
mod register;
mod resolve;
mod search;
mod spec;
mod target;
mod translate;
mod version;
mod weights;
mod write;

pub use alwaysai::{ALWAYSAI_MANIFEST, AlwaysAiManifest};
pub use check::{CheckContext, DatasetCheck, DatasetState, Finding, FindingStatus, check, repair};
pub use configure::{ConfigureOptions, configure};
pub use described::{Describe, Description};
pub use error::RegistryError;
pub use eta::{ETA_MANIFEST, EtaEntry, EtaManifest};
pub use fields::{ACCURACY, INFERENCE_TIME, TOP_1, TOP_5};
pub use files::read_labels;
pub use locate::{ResolveOptions, locate};
pub use name::{FilenameMode, eta_name, filename, full_name, split_version};
pub use package::{NewPackage, create_package};
pub use reference::reference_set;
pub use register::{RegisterOptions, register};
pub use resolve::{ResolvedModel, resolve, resolve_listed};
pub use search::{ListedModel, Location, Scan, SearchPath};
pub use spec::{DYNO_JSON, DYNO_MANIFEST};
pub use target::check_writable;
pub use translate::BlobFacts;
pub use version::{VersionOrder, compare_versions, is_prerelease, latest_version};
pub use write::{Action, FieldChange, WriteMode, promote, write_back};
