//! Where it was measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A computer, not a device: `nano`, `xavier-nx`, `generic-x86_64`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Board {
    /// Short name.
    pub id: String,
    /// As the firmware says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A machine. No user name, no path; the host's name only as a hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The computer.
    pub board: Board,
    /// Power mode, where the board has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_mode: Option<String>,
    /// Processor, as it calls itself.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: u32,
    /// Main memory.
    pub memory_bytes: u64,
    /// Operating system and architecture.
    pub os: String,
    /// Frequency governor, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Runs under a hypervisor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualized: Option<bool>,
    /// sha256 of the host's name, 16 digits of it; the name itself only on request.
    pub host: String,
}
