//! `dyno doctor`: what this machine has, and why not.
//!
//! Everything about engines comes from the table of backends and their typed facts, asked for in a
//! child; everything about the machine from `dyno-machine`. No engine is named here.

use crate::{child, context::Context, exit, machine, output, version};
use dyno_core::{Availability, Capability, Remedy};
use dyno_reports::{
    table::{Cell, Column, Listing, Table},
    terminal::clean_json,
};
use serde_json::json;

/// An engine with what there is of it.
struct Engine {
    id: &'static str,
    computes: bool,
    facts: Availability,
}

fn engines() -> Vec<Engine> {
    let here = dyno_backends::BACKENDS.iter().map(|b| Engine {
        id: b.id(),
        computes: b.computes(),
        facts: child::probe(b.id(), &[]),
    });
    let absent = dyno_backends::ABSENT.iter().map(|id| Engine {
        id,
        computes: true,
        facts: Availability::not_compiled_in(id),
    });
    here.chain(absent).collect()
}

/// Prints what every engine has, each *no* with its reason and what mends it, and the machine.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let listing = context.listing()?;
    let engines = engines();
    let usable = engines.iter().any(|e| e.computes && e.facts.usable());
    match listing {
        Listing::Json => output::write(whole(&engines)?.as_bytes(), None)?,
        Listing::Csv => context.list(&facts(&engines))?,
        Listing::Human | Listing::Markdown => {
            if listing == Listing::Human {
                output::write(machine::lines().as_bytes(), None)?;
            }
            context.list(&matrix(&engines))?;
            let missing = missing(&engines);
            if !missing.is_empty() {
                output::write(b"\n", None)?;
                context.list(&missing)?;
            }
        }
    }
    Ok(if usable { exit::OK } else { exit::CANNOT_RUN })
}

/// Everything, as one JSON document.
fn whole(engines: &[Engine]) -> anyhow::Result<String> {
    let list: Vec<serde_json::Value> = engines
        .iter()
        .map(|e| json!({"backend": e.id, "computes": e.computes, "usable": e.facts.usable(), "facts": e.facts}))
        .collect();
    let document = json!({
        "schema": "dyno.doctor/1",
        "tool": version::tool(),
        "machine": machine::document(),
        "backends": list,
    });
    let text = serde_json::to_string_pretty(&document)?;
    Ok(format!("{}\n", clean_json(&text)))
}

/// Names of what is there.
fn there(list: &[Capability]) -> String {
    let names: Vec<&str> = list
        .iter()
        .filter(|c| c.state.yes().is_some())
        .map(|c| c.name.as_str())
        .collect();
    if names.is_empty() {
        "–".to_owned()
    } else {
        names.join(" ")
    }
}

/// One row an engine.
fn matrix(engines: &[Engine]) -> Table {
    let columns = [
        "backend",
        "compiled in",
        "library",
        "devices",
        "precisions",
        "providers",
    ];
    let mut table = Table::new(columns.map(Column::text));
    for Engine { id, facts, .. } in engines {
        let compiled_in = match facts.compiled_in.yes() {
            Some(version) if version.is_empty() => "yes",
            Some(version) => version,
            None => "no",
        };
        let library = match facts.library.as_ref().map(|l| l.yes()) {
            None if facts.compiled_in.yes().is_some() => "not needed".to_owned(),
            None => "–".to_owned(),
            Some(None) => "no".to_owned(),
            Some(Some(l)) => format!("{} from {}: {}", l.version, l.source, l.path),
        };
        table.push([
            *id,
            compiled_in,
            &library,
            &there(&facts.devices),
            &there(&facts.precisions),
            &there(&facts.providers),
        ]);
    }
    table
}

/// Every *no* with its reason and what mends it.
fn missing(engines: &[Engine]) -> Table {
    let mut table = Table::new(["backend", "no", "because", "what mends it"].map(Column::text));
    for Engine { id, facts, .. } in engines {
        for problem in facts.problems() {
            table.push([
                Cell::from(*id),
                Cell::from(problem.what.as_str()),
                Cell::from(problem.absence.reason.to_string()),
                Cell::from(mends(problem.absence.remedy.as_ref())),
            ]);
        }
    }
    table
}

/// The command, or what to provide.
fn mends(remedy: Option<&Remedy>) -> String {
    remedy.map_or_else(
        || "nothing".to_owned(),
        |r| r.command().unwrap_or_else(|| r.to_string()),
    )
}

/// Every fact in a row of its own, for a spreadsheet.
fn facts(engines: &[Engine]) -> Table {
    let columns = ["backend", "kind", "name", "there", "detail", "remedy"];
    let mut table = Table::new(columns.map(Column::text));
    for Engine { id, facts, .. } in engines {
        let mut yes = |kind: &str, name: &str, detail: &str| {
            table.push([
                Cell::from(*id),
                Cell::from(kind),
                Cell::from(name),
                Cell::from(true),
                Cell::from(detail),
                Cell::from(""),
            ]);
        };
        if let Some(version) = facts.compiled_in.yes() {
            yes("compiled in", "", version);
        }
        if let Some(library) = facts.library.as_ref().and_then(|l| l.yes()) {
            yes("library", &library.version, &library.path);
        }
        for (kind, list) in [
            ("device", &facts.devices),
            ("precision", &facts.precisions),
            ("provider", &facts.providers),
        ] {
            for capability in list {
                if let Some(detail) = capability.state.yes() {
                    yes(kind, &capability.name, detail);
                }
            }
        }
        for problem in facts.problems() {
            let (kind, name) = problem
                .what
                .split_once(' ')
                .filter(|_| problem.what != "compiled in")
                .unwrap_or((problem.what.as_str(), ""));
            table.push([
                Cell::from(*id),
                Cell::from(kind),
                Cell::from(name),
                Cell::from(false),
                Cell::from(problem.absence.reason.to_string()),
                Cell::from(mends(problem.absence.remedy.as_ref())),
            ]);
        }
    }
    table
}
