//! `dyno`: says what a vision model really delivers.
//!
//! `main` parses, builds the [`context::Context`], and hands over to one file per verb. Standard
//! output is data, everything else goes to standard error; exit codes are in [`exit`].
#![expect(
    clippy::print_stderr,
    reason = "this is the program that talks to people"
)]

mod args;
mod child;
mod commands;
mod config;
mod context;
mod engines;
mod exit;
mod interrupt;
mod machine;
mod output;
mod pip;
mod progress;
mod samples;
mod say;
mod tables;
mod values;
mod version;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes; clap prints each to its stream.
            let code = if error.use_stderr() {
                exit::USAGE
            } else {
                exit::OK
            };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let result =
        context::Context::new(&cli).and_then(|context| commands::run(cli.command, &context));
    ExitCode::from(result.unwrap_or_else(|error| exit::report(&error)))
}
