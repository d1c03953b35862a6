//! `dyno backends install`, `remove` and `runtimes`: the vendors' run-time libraries.
//!
//! A runtime is unpacked beside its place, opened in a child process from there, and only then gets
//! its name: what an engine finds has been loaded once. Nothing of a wheel is run in this process.

use crate::{child, context::Context, exit, pip};
use anyhow::Context as _;
use clap::Args;
use dyno_backends::{Engines, Installed, RUNTIMES, Runtime, Unpacked, unpack};
use dyno_core::lookup;
use dyno_reports::{
    table::{Cell, Column, Table},
    text::bytes,
};
use indicatif::ProgressBar;
use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// Install a runtime.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Name of the runtime (`dyno backends runtimes`)
    runtime: String,
    /// Version of the package [default: the one that this dyno was tested with]
    #[arg(long)]
    version: Option<String>,
    /// Take this wheel instead of fetching one with pip
    #[arg(long, value_name = "FILE", conflicts_with = "version")]
    wheel: Option<PathBuf>,
}

/// Remove an installed runtime.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Name of the runtime
    runtime: String,
    /// This version only [default: all of them]
    #[arg(long)]
    version: Option<String>,
}

fn runtime(name: &str) -> anyhow::Result<&'static Runtime> {
    let rows: Vec<&'static Runtime> = RUNTIMES.iter().collect();
    Ok(lookup("runtime", &rows, name)?)
}

/// What can be installed and what is.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn list(context: &Context) -> anyhow::Result<u8> {
    let installed = Engines::of_user()?.installed();
    let columns = [
        "runtime",
        "engine",
        "default",
        "installed",
        "folder",
        "about",
    ];
    let mut table = Table::new(columns.map(Column::text));
    for row in RUNTIMES {
        let mine: Vec<&Installed> = installed.iter().filter(|i| i.runtime == row.name).collect();
        let join = |f: &dyn Fn(&Installed) -> String| {
            let all: Vec<String> = mine.iter().map(|i| f(i)).collect();
            all.join(" ")
        };
        table.push([
            Cell::from(row.name),
            Cell::from(row.engine),
            Cell::from(row.version),
            Cell::from(join(&|i| i.version.clone())),
            Cell::from(join(&|i| i.folder.display().to_string())),
            Cell::from(row.about),
        ]);
    }
    context.list(&table)?;
    Ok(exit::OK)
}

/// A sign of life on a terminal.
fn spinner(context: &Context, message: String) -> ProgressBar {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    if context.quiet || plain || !std::io::stderr().is_terminal() {
        context.say(&message);
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Installs a runtime.
///
/// # Errors
/// When there is no such runtime, no Python or no pip, the wheel is refused, or its library cannot
/// be opened here.
pub(super) fn install(args: &InstallArgs, context: &Context) -> anyhow::Result<u8> {
    let runtime = runtime(&args.runtime)?;
    if !dyno_backends::BACKENDS
        .iter()
        .any(|b| b.id() == runtime.engine)
    {
        return Err(exit::coded(
            exit::CANNOT_RUN,
            format!(
                "this build has no engine `{}`, which opens `{}`",
                runtime.engine, runtime.name
            ),
            format!("build with `--features {}`", runtime.engine),
        ));
    }
    let engines = Engines::of_user()?;
    let root = engines.root();
    fs::create_dir_all(root)
        .with_context(|| format!("cannot make the folder `{}`", root.display()))?;
    let _lock = dyno_evidence::lock(&root.join("lock"))?;
    clear(root)?;
    let version = args.version.as_deref().unwrap_or(runtime.version);
    let there = |version: &str| {
        let installed = engines.installed();
        installed
            .into_iter()
            .find(|i| i.runtime == runtime.name && i.version == version)
    };
    if args.wheel.is_none()
        && let Some(there) = there(version)
    {
        context.say(&format!(
            "{} {version} is installed in `{}`",
            runtime.name,
            there.folder.display()
        ));
        return Ok(exit::OK);
    }
    let staging = Staging::new(root)?;
    let wheel = if let Some(wheel) = &args.wheel {
        wheel.clone()
    } else {
        let folder = staging.folder("wheel")?;
        let bar = spinner(context, format!("pip fetches {} {version}", runtime.name));
        let wheel = pip::download(runtime.name, version, &folder);
        bar.finish_and_clear();
        wheel?
    };
    let folder = staging.folder("runtime")?;
    let bar = spinner(context, "unpacking and checking".to_owned());
    let unpacked = unpack(runtime, &wheel, &folder);
    bar.finish_and_clear();
    let unpacked = unpacked?;
    if let Some(there) = there(&unpacked.version) {
        return Err(exit::usage(
            format!("`{}` is there already", there.folder.display()),
            format!(
                "`dyno backends remove {} --version {}`",
                runtime.name, unpacked.version
            ),
        ));
    }
    opens(runtime, &unpacked, &folder)?;
    let place = engines.keep(runtime.name, &unpacked, &folder)?;
    context.say(&format!(
        "installed {} {} in `{}` ({} of libraries, wheel sha256 {})",
        runtime.name,
        unpacked.version,
        place.display(),
        bytes(unpacked.bytes),
        unpacked.wheel_sha256
    ));
    Ok(exit::OK)
}

/// Opens the unpacked library in a child, as its engine does.
fn opens(runtime: &Runtime, unpacked: &Unpacked, folder: &Path) -> anyhow::Result<()> {
    let library = folder.join("lib").join(&unpacked.library);
    let environment = [(runtime.variable, library.as_os_str())];
    let found = child::probe(runtime.engine, &environment);
    let opened = found.library.as_ref().and_then(|l| l.yes());
    let ours = opened.is_some_and(|l| Path::new(&l.path) == library);
    if found.usable() && ours {
        return Ok(());
    }
    let reason = found.first_problem().map_or_else(
        || "another library was opened in its place".to_owned(),
        |problem| problem.to_string(),
    );
    Err(exit::coded(
        exit::CANNOT_RUN,
        format!(
            "{} {} was not installed: its library cannot be used here: {reason}",
            runtime.name, unpacked.version
        ),
        "",
    ))
}

/// Folders that an interrupted installation has left. The lock is held.
fn clear(root: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".incoming-") || name.starts_with(".removing-") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A folder beside the place of runtimes that goes when it is dropped.
struct Staging(PathBuf);

impl Staging {
    fn new(root: &Path) -> anyhow::Result<Self> {
        let folder = root.join(format!(".incoming-{}", std::process::id()));
        fs::create_dir(&folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        Ok(Self(folder))
    }

    fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.0.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes a runtime.
///
/// # Errors
/// When it is not installed or cannot be deleted.
pub(super) fn remove(args: &RemoveArgs, context: &Context) -> anyhow::Result<u8> {
    let runtime = runtime(&args.runtime)?;
    let engines = Engines::of_user()?;
    let mine: Vec<Installed> = engines
        .installed()
        .into_iter()
        .filter(|i| i.runtime == runtime.name)
        .collect();
    let wanted: Vec<&Installed> = mine
        .iter()
        .filter(|i| args.version.as_ref().is_none_or(|v| *v == i.version))
        .collect();
    if wanted.is_empty() {
        let versions: Vec<&str> = mine.iter().map(|i| i.version.as_str()).collect();
        let hint = if versions.is_empty() {
            "`dyno backends runtimes` shows what is".to_owned()
        } else {
            format!("installed: {}", versions.join(", "))
        };
        return Err(exit::usage(
            format!("`{}` is not installed in that version", runtime.name),
            hint,
        ));
    }
    let _lock = dyno_evidence::lock(&engines.root().join("lock"))?;
    for installed in wanted {
        engines.remove(installed)?;
        context.say(&format!("removed `{}`", installed.folder.display()));
    }
    Ok(exit::OK)
}
