//! `dyno completions`: made from the clap tree, as is the manual page.

use crate::{args::Cli, exit, output};
use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;

/// Shell completions and the manual page.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell to complete in, or `man` for the manual page
    #[arg(value_enum)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
    /// The manual page, in roff.
    Man,
}

/// The manual page of a command, followed by those of its subcommands.
fn pages(command: &clap::Command, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(bytes)?;
    command
        .get_subcommands()
        .filter(|c| !c.is_hide_set() && c.get_name() != "help")
        .try_for_each(|c| pages(c, bytes))
}

/// Prints them.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<u8> {
    let mut command = Cli::command();
    let mut bytes = Vec::new();
    let shell = match args.target {
        Target::Bash => Some(Shell::Bash),
        Target::Zsh => Some(Shell::Zsh),
        Target::Fish => Some(Shell::Fish),
        Target::Elvish => Some(Shell::Elvish),
        Target::Powershell => Some(Shell::PowerShell),
        Target::Man => None,
    };
    if let Some(shell) = shell {
        clap_complete::generate(shell, &mut command, "dyno", &mut bytes);
    } else {
        command.build();
        pages(&command, &mut bytes)?;
    }
    output::write(&bytes, None)?;
    Ok(exit::OK)
}
