//! `dyno worker`: a plan or a question on standard input, events on standard output.

use crate::{exit, interrupt, tables::TABLES, version};
use clap::Args;
use dyno_runner::Identity;
use std::{
    io::{BufReader, Write as _},
    thread,
    time::Duration,
};

/// Longest time that looking for an engine's library may take.
const PROBE: Duration = Duration::from_mins(1);

/// Run a plan, answer a question, or look for an engine.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Tell the host's name, not only its hash
    #[arg(long)]
    include_host: bool,
    /// Look for this engine, and print what there is of it as JSON
    #[arg(long, value_name = "BACKEND")]
    probe: Option<String>,
}

/// Does what standard input says.
///
/// # Errors
/// When standard input holds no request. Errors of a run are events.
pub(crate) fn run(args: &WorkerArgs) -> anyhow::Result<u8> {
    // What libraries print must not stand among events.
    let mut output = dyno_runner::claim_stdout()?;
    if let Some(name) = &args.probe {
        let backend = TABLES.backend(name)?;
        thread::spawn(|| {
            thread::sleep(PROBE);
            interrupt::end(exit::FAILED);
        });
        let text = serde_json::to_vec(&backend.probe())?;
        output.write_all(&text)?;
        return Ok(exit::OK);
    }
    let identity = Identity {
        tool: version::tool(),
        include_host: args.include_host,
    };
    let input = BufReader::new(std::io::stdin());
    let stop = interrupt::install();
    Ok(dyno_runner::serve(
        input,
        output,
        &TABLES,
        &identity,
        stop,
        &interrupt::end,
    )?)
}
