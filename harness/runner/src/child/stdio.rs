//! Standard output for events alone.

use std::{fs::File, io};

/// Takes standard output for the caller: from now on what anything else in this process writes
/// there goes to standard error. Libraries of engines print where they like, and a line that is no
/// event is an error of whoever reads.
///
/// # Errors
/// When the system has no descriptor left.
#[cfg(unix)]
pub fn claim_stdout() -> io::Result<File> {
    use rustix::{
        io::{FdFlags, dup, fcntl_setfd},
        stdio::{dup2_stdout, stderr, stdout},
    };
    let own = dup(stdout())?;
    fcntl_setfd(&own, FdFlags::CLOEXEC)?;
    dup2_stdout(stderr())?;
    Ok(File::from(own))
}

/// Takes standard output for the caller. On this system others can still write there.
///
/// # Errors
/// When the system has no handle left.
#[cfg(windows)]
pub fn claim_stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}
