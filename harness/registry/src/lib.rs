//! Manifests, names, versions, resolution and write-back.
