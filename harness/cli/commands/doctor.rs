//! `dyno doctor`: what this machine has, and why not.

use crate::{child, context::Context, exit, output, version};
use dyno_core::Availability;
use dyno_reports::{
    table::{Cell, Column, Listing, Table},
    terminal::clean,
    text::bytes,
};
use std::fmt::Write as _;

/// Prints every check of every engine, the machine and the settings.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let mut table = Table::new(["engine", "missing", "why"].map(Column::text));
    let mut usable = false;
    for backend in dyno_backends::BACKENDS {
        let availability = child::probe(backend.id());
        usable |= backend.computes() && availability.usable();
        rows(&mut table, backend.id(), &availability);
    }
    for name in dyno_backends::ABSENT {
        rows(&mut table, name, &Availability::not_compiled_in(name));
    }
    if context.listing()? == Listing::Human {
        output::write(machine().as_bytes(), None)?;
    }
    context.list(&table)?;
    Ok(if usable { exit::OK } else { exit::CANNOT_RUN })
}

fn rows(table: &mut Table, name: &str, availability: &Availability) {
    for problem in availability.problems() {
        table.push([
            Cell::from(name),
            Cell::from(problem.what.as_str()),
            Cell::from(problem.absence.to_string()),
        ]);
    }
}

/// The machine in lines.
fn machine() -> String {
    let machine = dyno_machine::describe(false);
    let mut text = format!("dyno {}\n\n", version::text());
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "{what:8} {}", clean(value));
    };
    line("board", &machine.board.id);
    line("cpu", &format!("{} ({} cores)", machine.cpu, machine.cores));
    line("memory", &bytes(machine.memory_bytes));
    line("system", &machine.os);
    if let Some(governor) = &machine.governor {
        line("governor", governor);
    }
    if machine.virtualized == Some(true) {
        line(
            "note",
            "a virtual machine: timings carry the noise of its neighbours",
        );
    }
    let mut sensors = dyno_machine::Sensors::find();
    sensors.start();
    for sensor in sensors.record() {
        line("sensor", &format!("{} ({})", sensor.name, sensor.source));
    }
    text.push('\n');
    text
}
