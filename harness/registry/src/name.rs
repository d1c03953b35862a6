//! Names with versions, and the file names that ETA derives from them.
//!
//! `name@version` splits at the last `@`. ETA inserts the version before what it takes for an
//! extension, which breaks every dotted name (`squeezenet-1@1.1.1-imagenet-torch`); that form is
//! understood when reading and never written.

/// How a versioned file name is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilenameMode {
    /// `.tar.gz` and its like are one extension.
    Fixed,
    /// As ETA does, before the last dot whatever follows it.
    Eta,
}

/// Extensions of two parts.
const COMPOUND: [&str; 5] = [".tar.gz", ".tar.bz2", ".tar.bz", ".tar.xz", ".tar.zst"];

/// Name and version: `foo@1.0` is `("foo", Some("1.0"))`, `foo` is `("foo", None)`. A leading `@`
/// of 2019's `@publisher/name` is dropped.
pub fn split_version(reference: &str) -> (&str, Option<&str>) {
    let reference = match reference.strip_prefix('@') {
        Some(rest) if rest.contains('/') => rest,
        _ => reference,
    };
    reference
        .rsplit_once('@')
        .map_or((reference, None), |(name, version)| (name, Some(version)))
}

/// `base@version`, or `base` without one. An empty version is none.
pub fn full_name(base: &str, version: Option<&str>) -> String {
    match version {
        Some(v) if !v.is_empty() => format!("{base}@{v}"),
        _ => base.to_owned(),
    }
}

/// The last dot and what follows; a leading dot is no extension.
fn split_extension(name: &str) -> (&str, &str) {
    let file = name.rsplit('/').next().unwrap_or(name);
    let leading = name.len() - file.trim_start_matches('.').len();
    match name.rfind('.') {
        Some(dot) if dot >= leading => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The name as ETA's own tools spell it, with the version before the "extension".
pub fn eta_name(base: &str, version: Option<&str>) -> String {
    match version {
        Some(v) if !v.is_empty() => {
            let (stem, extension) = split_extension(base);
            format!("{stem}@{v}{extension}")
        }
        _ => base.to_owned(),
    }
}

/// File of an entry below its models folder: `-v<version>` before the extension, below `subdir` if
/// there is one.
pub fn filename(
    base_filename: &str,
    version: Option<&str>,
    subdir: Option<&str>,
    mode: FilenameMode,
) -> String {
    let (stem, extension) = match COMPOUND.iter().find(|c| base_filename.ends_with(**c)) {
        Some(compound) if mode == FilenameMode::Fixed => {
            base_filename.split_at(base_filename.len() - compound.len())
        }
        _ => split_extension(base_filename),
    };
    let file = match version {
        Some(v) if !v.is_empty() => format!("{stem}-v{v}{extension}"),
        _ => base_filename.to_owned(),
    };
    subdir.map_or_else(|| file.clone(), |s| format!("{s}/{file}"))
}
