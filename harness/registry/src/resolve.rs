//! From a reference to everything that a plan needs to know about a model.

use crate::{
    RegistryError,
    alwaysai::AlwaysAiManifest,
    eta::EtaManifest,
    external::list_external,
    files::{inside, read_labels},
    locate::{ResolveOptions, locate},
    search::{ListedModel, Location, SearchPath},
    spec::{merge, read_entry_spec, read_package_spec},
    translate::BlobFacts,
};
use dyno_core::{FileRole, Framework, LabelMap, ModelContent, ModelFile, ModelSpec, Purpose};
use dyno_evidence::EvidenceStore;
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// A model, ready to be planned with.
#[derive(Debug, Clone)]
pub struct ResolvedModel {
    /// Its name with version, or the file name of a bare model.
    pub reference: String,
    /// Where it is described.
    pub location: Location,
    /// Framework of its files.
    pub framework: Framework,
    /// What it is for, where anything says it.
    pub purpose: Option<Purpose>,
    /// Its files; all exist.
    pub files: Vec<ModelFile>,
    /// What `dyno.json` and the vendor's manifest say together. With a `recipe` the inputs may be
    /// empty: the recipe fills them in.
    pub spec: ModelSpec,
    /// Preprocessing as the vendor's manifest says it, to be compared with what a recipe fills in
    /// ([`BlobFacts::conflicts`]).
    pub blob: BlobFacts,
    /// Classes and what they were read from: a file name, or the name of a well-known list.
    pub labels: Option<(String, LabelMap)>,
    /// The manifest could take numbers, as far as permissions tell.
    pub writable: bool,
    /// The package's manifest or the entry, as it stands; null for a bare file.
    pub manifest: serde_json::Value,
}

impl ResolvedModel {
    /// The evidence of this model; a bare file has none.
    pub fn evidence(&self) -> Option<EvidenceStore> {
        evidence_of(&self.location)
    }

    /// The path of the file of a role.
    pub fn path(&self, role: FileRole) -> Option<&Path> {
        self.files
            .iter()
            .find(|f| f.role == role)
            .and_then(|f| match &f.content {
                ModelContent::Path(path) => Some(path.as_path()),
                ModelContent::Bytes(_) => None,
            })
    }
}

/// The evidence of a model at this place; a bare file has none.
pub(crate) fn evidence_of(location: &Location) -> Option<EvidenceStore> {
    match location {
        Location::Package { folder } => Some(EvidenceStore::for_folder(folder)),
        Location::Entry {
            models_dir,
            name,
            version,
        } => Some(EvidenceStore::for_entry(
            models_dir,
            &crate::name::full_name(name, version.as_deref()),
        )),
        Location::Bare { .. } => None,
    }
}

/// Finds a model ([`locate`]) and reads everything about it.
///
/// # Errors
/// As [`locate`]; [`RegistryError::Invalid`] with all problems of the manifest, or all points at
/// which manifest and `dyno.json` differ; [`RegistryError::FileMissing`];
/// [`RegistryError::NoFramework`].
pub fn resolve(
    reference: &str,
    search: &SearchPath,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    resolve_listed(locate(reference, search, options)?, options)
}

/// Reads everything about a model that was found.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_listed(
    listed: ListedModel,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    let mut model = resolve_named(listed, options)?;
    complete(&mut model)?;
    Ok(model)
}

/// Adds the files that the model file itself names, which takes reading it.
///
/// # Errors
/// [`RegistryError::Invalid`] when one is missing or outside the model's folder.
pub(crate) fn complete(model: &mut ResolvedModel) -> Result<(), RegistryError> {
    let path = model.location.manifest_path();
    list_external(&mut model.files, model.framework).map_err(|p| RegistryError::invalid(&path, p))
}

/// As [`resolve_listed`], with the files that manifests name only.
pub(crate) fn resolve_named(
    listed: ListedModel,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    match listed.location.clone() {
        Location::Package { folder } => package(&folder, listed, options),
        Location::Entry {
            models_dir,
            name,
            version,
        } => entry(&models_dir, &name, version.as_deref(), listed, options),
        Location::Bare { path } => bare(&path, listed, options),
    }
}

fn package(
    folder: &Path,
    listed: ListedModel,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    let manifest = AlwaysAiManifest::read(folder)?;
    let own = read_package_spec(folder)?;
    if let Some(named) = options.framework.filter(|f| *f != manifest.framework) {
        return Err(RegistryError::invalid(
            &manifest.path,
            format!("the framework is `{}`, not `{named}`", manifest.framework),
        ));
    }
    let invalid = |problems| RegistryError::Invalid {
        path: manifest.path.clone(),
        problems,
    };
    let spec = merge(&manifest, own).map_err(invalid)?;
    let mut problems = Vec::new();
    let mut files = Vec::new();
    let named = [
        (FileRole::Model, "model_file", Some(&manifest.model_file)),
        (
            FileRole::Config,
            "config_file",
            manifest.config_file.as_ref(),
        ),
        (
            FileRole::Labels,
            "labels",
            spec.labels
                .as_ref()
                .filter(|l| LabelMap::builtin(l).is_none() || folder.join(l).is_file()),
        ),
        (
            FileRole::Colors,
            "colors_file",
            manifest.colors_file.as_ref(),
        ),
    ];
    for (role, key, name) in named
        .into_iter()
        .filter_map(|(r, k, n)| n.map(|n| (r, k, n)))
    {
        match inside(folder, name) {
            Err(problem) => problems.push(format!("`{key}`: {problem}")),
            Ok(path) if path.is_file() => files.push(ModelFile {
                role,
                content: ModelContent::Path(path),
            }),
            Ok(_) if role == FileRole::Labels => {
                problems.push(format!(
                    "`{key}`: `{name}` is neither a file of the package nor one of {}",
                    LabelMap::BUILTIN.join(", ")
                ));
            }
            Ok(_) => problems.push(format!("`{key}`: the file `{name}` is missing")),
        }
    }
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    pair(&mut files, manifest.framework);
    let labels = labels_of(&spec, &files)?;
    Ok(ResolvedModel {
        reference: listed.name(),
        writable: is_writable(&listed.location),
        location: listed.location,
        framework: manifest.framework,
        purpose: spec.purpose,
        files,
        spec,
        blob: manifest.blob,
        labels,
        manifest: manifest.value,
    })
}

fn entry(
    models_dir: &Path,
    name: &str,
    version: Option<&str>,
    listed: ListedModel,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    let manifest = EtaManifest::read(models_dir)?;
    let reference = listed.name();
    let missing = || RegistryError::NotFound {
        reference: reference.clone(),
        nearest: None,
        known: manifest.entries.iter().map(crate::EtaEntry::name).collect(),
    };
    let found = manifest.entry(name, version).ok_or_else(missing)?;
    let path = manifest.file(found)?;
    if !path.is_file() {
        let hint = match found.value.get("manager") {
            None | Some(serde_json::Value::Null) => {
                "the entry has no manager that could fetch it: put the file there"
            }
            Some(_) => "download it with ETA's or FiftyOne's own tools, or put the file there",
        };
        return Err(RegistryError::FileMissing {
            path,
            hint: hint.to_owned(),
        });
    }
    let spec = read_entry_spec(models_dir, &reference)?.unwrap_or_default();
    beside(&path, models_dir, spec, listed, options)
}

fn bare(
    path: &Path,
    listed: ListedModel,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    beside(path, folder, ModelSpec::default(), listed, options)
}

/// A model whose second file is found by its name.
fn beside(
    path: &Path,
    folder: &Path,
    mut spec: ModelSpec,
    listed: ListedModel,
    options: &ResolveOptions,
) -> Result<ResolvedModel, RegistryError> {
    if let (Some(named), Some(own)) = (options.framework, spec.framework)
        && named != own
    {
        return Err(RegistryError::invalid(
            &folder.join(crate::DYNO_MANIFEST),
            format!(
                "the framework of `{}` is `{own}`, not `{named}`",
                listed.name()
            ),
        ));
    }
    let framework = options
        .framework
        .or(spec.framework)
        .or_else(|| sniff(path))
        .ok_or_else(|| RegistryError::NoFramework {
            path: path.to_owned(),
        })?;
    spec.framework = Some(framework);
    let mut files = vec![ModelFile {
        role: FileRole::Model,
        content: ModelContent::Path(path.to_owned()),
    }];
    pair(&mut files, framework);
    if let Some(name) = spec
        .labels
        .as_ref()
        .filter(|l| LabelMap::builtin(l).is_none())
    {
        let labels = inside(folder, name).map_err(|p| {
            RegistryError::invalid(&listed.location.manifest_path(), format!("`labels`: {p}"))
        })?;
        if !labels.is_file() {
            return Err(RegistryError::FileMissing {
                path: labels,
                hint: format!(
                    "`labels` names a file beside the manifest or one of {}",
                    LabelMap::BUILTIN.join(", ")
                ),
            });
        }
        files.push(ModelFile {
            role: FileRole::Labels,
            content: ModelContent::Path(labels),
        });
    }
    if spec.labels.is_none()
        && framework == Framework::Darknet
        && let Some((name, names)) = only_names(path)
    {
        spec.labels = Some(name);
        files.push(ModelFile {
            role: FileRole::Labels,
            content: ModelContent::Path(names),
        });
    }
    let labels = labels_of(&spec, &files)?;
    Ok(ResolvedModel {
        reference: listed.name(),
        writable: is_writable(&listed.location),
        location: listed.location,
        framework,
        purpose: spec.purpose,
        files,
        spec,
        blob: BlobFacts::default(),
        labels,
        manifest: listed.manifest,
    })
}

/// Darknet's own place for class names is a `.names` file; the only one beside the model is its.
fn only_names(model: &Path) -> Option<(String, PathBuf)> {
    let folder = model.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut found = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "names") && p.is_file());
    let first = found.next()?;
    let name = first.file_name()?.to_str()?.to_owned();
    found.next().is_none().then_some((name, first))
}

fn labels_of(
    spec: &ModelSpec,
    files: &[ModelFile],
) -> Result<Option<(String, LabelMap)>, RegistryError> {
    let Some(source) = &spec.labels else {
        return Ok(None);
    };
    let file = files.iter().find(|f| f.role == FileRole::Labels);
    match file.map(|f| &f.content) {
        Some(ModelContent::Path(path)) => Ok(Some((source.clone(), read_labels(path)?))),
        _ => Ok(LabelMap::builtin(source).map(|map| (source.clone(), map))),
    }
}

fn is_writable(location: &Location) -> bool {
    let path = location.manifest_path();
    let writable = |p: &Path| fs::metadata(p).is_ok_and(|m| !m.permissions().readonly());
    !matches!(location, Location::Bare { .. })
        && writable(&path)
        && path.parent().is_some_and(writable)
}

/// Framework by extension; where that is ambiguous, by the first bytes.
fn sniff(path: &Path) -> Option<Framework> {
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or("")
        .to_ascii_lowercase();
    let mut head = Vec::new();
    File::open(path)
        .and_then(|f| f.take(8).read_to_end(&mut head))
        .ok()?;
    match extension.as_str() {
        // A TensorRT plan begins with `ftrt`; the `.bin` of an IR has no mark and goes with its
        // `.xml`.
        "bin" if head.starts_with(b"ftrt") => Some(Framework::TensorRt),
        "bin" => path
            .with_extension("xml")
            .is_file()
            .then_some(Framework::OpenVino),
        // Field 1 of ONNX's ModelProto is a number (tag 08), of TensorFlow's GraphDef a node (tag
        // 0a).
        "pb" if head.first() == Some(&0x08) => Some(Framework::Onnx),
        other => Framework::from_extension(other),
    }
}

/// Sets the model's two files right: adds the second one where it stands beside the first under its
/// name, and exchanges them where the graph of an IR or the description of a Caffe or Darknet net
/// was named as the model.
fn pair(files: &mut Vec<ModelFile>, framework: Framework) {
    let (model, config): (&[&str], &[&str]) = match framework {
        Framework::Caffe => (&["caffemodel"], &["prototxt"]),
        Framework::Darknet => (&["weights"], &["cfg"]),
        Framework::TensorFlow => (&["pb"], &["pbtxt"]),
        Framework::OpenVino => (&["xml"], &["bin"]),
        _ => return,
    };
    let path_of = |files: &[ModelFile], role| {
        files.iter().find(|f| f.role == role).and_then(|f| {
            if let ModelContent::Path(p) = &f.content {
                Some(p.clone())
            } else {
                None
            }
        })
    };
    let has = |path: &Path, extensions: &[&str]| {
        path.extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| extensions.contains(&e))
    };
    let sibling = |path: &Path, extensions: &[&str]| {
        extensions
            .iter()
            .map(|e| path.with_extension(e))
            .find(|p: &PathBuf| p.is_file())
    };
    let Some(first) = path_of(files, FileRole::Model) else {
        return;
    };
    let second = path_of(files, FileRole::Config);
    let (first, second) = if has(&first, config) {
        match second
            .filter(|s| has(s, model))
            .or_else(|| sibling(&first, model))
        {
            Some(graph) => (graph, Some(first)),
            None => (first, None),
        }
    } else {
        let second = second.or_else(|| sibling(&first, config));
        (first, second)
    };
    files.retain(|f| !matches!(f.role, FileRole::Model | FileRole::Config));
    let mut paired = vec![ModelFile {
        role: FileRole::Model,
        content: ModelContent::Path(first),
    }];
    paired.extend(second.map(|p| ModelFile {
        role: FileRole::Config,
        content: ModelContent::Path(p),
    }));
    files.splice(0..0, paired);
}
