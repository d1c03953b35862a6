//! A process under limits. Where the program could hang, spin or take all memory, the system stops
//! it, and the test fails by what it sees.

use crate::support::{Done, Place};
use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// A process that has not ended after this hangs: nothing that is measured here takes a tenth of
/// it, and no test says how long anything may take.
pub(crate) const HANGS: Duration = Duration::from_mins(1);

/// The copy of the binary that a user without rights runs.
const COPY: &str = "dyno-copy";

/// What `ulimit` allows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Seconds of processor time.
    pub(crate) cpu_s: Option<u32>,
    /// Address space in KiB.
    pub(crate) memory_kib: Option<u32>,
    /// Processes and threads of the user; the process runs as a user without rights.
    pub(crate) threads: Option<u32>,
    /// The process runs as a user without rights, whoever runs the test.
    pub(crate) unprivileged: bool,
}

/// Runs the binary with blank-separated arguments under limits. A process that hangs is ended, and
/// has no exit code.
pub(crate) fn limited(place: &Place, limits: Limits, line: &str) -> Done {
    ended(limits.command(place, line).spawn().expect("sh"))
}

/// Starts the binary; `ended` waits for it.
pub(crate) fn started(place: &Place, line: &str) -> Child {
    Limits::default()
        .command(place, line)
        .spawn()
        .expect("the binary starts")
}

impl Limits {
    /// The command with its environment; standard output and standard error are pipes.
    pub(crate) fn command(self, place: &Place, line: &str) -> Command {
        let mut script = String::new();
        for (flag, value) in [("t", self.cpu_s), ("v", self.memory_kib)] {
            if let Some(value) = value {
                script.extend([format!("ulimit -{flag} {value} && ")]);
            }
        }
        script.push_str("exec ");
        // Shells do not agree on the letter of this one.
        if let Some(threads) = self.threads {
            script.extend([format!("prlimit --nproc={threads}:{threads} -- ")]);
        }
        script.push_str("\"$@\"");
        let own = place.dyno();
        let mut command = if self.unprivileged && is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=-all",
                "sh",
            ]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", &script, "sh"]);
        let copy = place.join(COPY);
        let program = if self.unprivileged && copy.is_file() {
            copy.as_os_str()
        } else {
            own.get_program()
        };
        command.arg(program).args(line.split_whitespace());
        command.current_dir(place.path());
        for (key, value) in own.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// The test runs as root: file permissions and limits of users mean nothing to it.
fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout == b"0\n"
}

/// Waits for a process; one that hangs is ended, and has no exit code.
pub(crate) fn ended(child: Child) -> Done {
    let id = child.id();
    let (send, receive) = mpsc::channel();
    let waiter = thread::spawn(move || {
        // Nobody listens once the test has given up.
        let _ = send.send(child.wait_with_output().expect("a child"));
    });
    if let Ok(output) = receive.recv_timeout(HANGS) {
        waiter.join().expect("the waiter ends");
        return Done::from(output);
    }
    kill(id);
    let output: Output = receive.recv().expect("a killed process ends");
    let mut done = Done::from(output);
    done.code = None;
    done.stderr.push_str("\n(it hung, and the test ended it)\n");
    done
}

/// Ends a process at once.
pub(crate) fn kill(id: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &id.to_string()])
        .status()
        .expect("kill");
    assert!(status.success(), "process {id} cannot be ended");
}

/// Lets a user without rights read and write everything of a place, and run a copy of the binary in
/// it: folders above the binary may be closed to them.
pub(crate) fn open_to_all(place: &Place) {
    let program = place.dyno().get_program().to_owned();
    std::fs::copy(program, place.join(COPY)).expect("a copy of the binary");
    let status = Command::new("chmod")
        .args(["-R", "a+rwX"])
        .arg(place.path())
        .status()
        .expect("chmod");
    assert!(status.success());
}

/// Processes that a process has started and that live.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let file = PathBuf::from(format!("/proc/{id}/task/{id}/children"));
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace()
        .map(|id| id.parse().expect("a process id"))
        .collect()
}
