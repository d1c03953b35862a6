//! `dyno doctor`: what this machine has, and why not.

use crate::{
    args::Format,
    context::Context,
    exit,
    output::{self, listing},
    version,
};
use std::fmt::Write as _;

/// Prints every check of every engine, the machine and the settings.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let mut rows = Vec::new();
    let mut usable = 0;
    for backend in dyno_backends::BACKENDS {
        let availability = backend.probe();
        usable += usize::from(availability.usable());
        for check in &availability.checks {
            rows.push(vec![
                backend.id().to_owned(),
                check.what.clone(),
                if check.ok { "ok" } else { "no" }.to_owned(),
                check.detail.clone(),
            ]);
        }
    }
    for name in ["tract", "rten", "onnxruntime"] {
        if !dyno_backends::BACKENDS.iter().any(|b| b.id() == name) {
            rows.push(vec![
                name.to_owned(),
                "compiled in".to_owned(),
                "no".to_owned(),
                format!("build with `--features {name}`"),
            ]);
        }
    }
    if context.format == Format::Human {
        let machine = dyno_machine::describe(false);
        let mut text = format!("dyno {}\n\n", version::text());
        let memory = machine.memory_bytes as f64 / f64::from(1u32 << 30);
        let _ = writeln!(
            text,
            "board    {}\ncpu      {} ({} cores)\nmemory   {memory:.1} GiB\nsystem   {}",
            machine.board.id, machine.cpu, machine.cores, machine.os
        );
        if let Some(governor) = &machine.governor {
            let _ = writeln!(text, "governor {governor}");
        }
        if machine.virtualized == Some(true) {
            text.push_str(
                "note     a virtual machine: timings carry the noise of its neighbours\n",
            );
        }
        for sensor in &machine.sensors {
            let _ = writeln!(text, "sensor   {} ({})", sensor.name, sensor.quantity);
        }
        text.push('\n');
        output::write(&text, None)?;
    }
    listing(context.format, &["engine", "check", "ok", "detail"], &rows)?;
    Ok(if usable > 0 {
        exit::OK
    } else {
        exit::CANNOT_RUN
    })
}
