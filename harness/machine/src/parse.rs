//! Readers of the texts that Linux gives about itself (man pages proc(5), os-release(5)).

/// The value of `key` in lines of `key : value`.
pub(crate) fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (k, v) = line.split_once(':')?;
        (k.trim() == key)
            .then_some(v.trim())
            .filter(|v| !v.is_empty())
    })
}

/// Bytes of a field that is written as `123 kB`.
pub(crate) fn kib_field(text: &str, key: &str) -> Option<u64> {
    let number = field(text, key)?.strip_suffix("kB")?.trim();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// The processor's name in `/proc/cpuinfo`; processors of ARM often tell only numbers, from which a
/// name is put together.
pub(crate) fn cpu_name(cpuinfo: &str) -> Option<String> {
    for key in ["model name", "Model", "cpu model", "Hardware", "Processor"] {
        if let Some(name) = field(cpuinfo, key) {
            return Some(name.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    let (implementer, part) = (
        field(cpuinfo, "CPU implementer")?,
        field(cpuinfo, "CPU part")?,
    );
    Some(arm_part(implementer, part).map_or_else(
        || format!("ARM implementer {implementer} part {part}"),
        str::to_owned,
    ))
}

/// Names of the cores of boards that run vision models (Arm's MIDR part numbers).
fn arm_part(implementer: &str, part: &str) -> Option<&'static str> {
    Some(match (implementer, part) {
        ("0x41", "0xd03") => "ARM Cortex-A53",
        ("0x41", "0xd04") => "ARM Cortex-A35",
        ("0x41", "0xd05") => "ARM Cortex-A55",
        ("0x41", "0xd07") => "ARM Cortex-A57",
        ("0x41", "0xd08") => "ARM Cortex-A72",
        ("0x41", "0xd09") => "ARM Cortex-A73",
        ("0x41", "0xd0b") => "ARM Cortex-A76",
        ("0x41", "0xd0c") => "ARM Neoverse-N1",
        ("0x41", "0xd40") => "ARM Neoverse-V1",
        ("0x41", "0xd42") => "ARM Cortex-A78AE",
        ("0x4e", "0x003") => "NVIDIA Denver 2",
        ("0x4e", "0x004") => "NVIDIA Carmel",
        _ => return None,
    })
}

/// Whether `/proc/cpuinfo` shows a hypervisor; `None` where processors do not tell (only x86 has
/// the flag).
pub(crate) fn hypervisor(cpuinfo: &str) -> Option<bool> {
    field(cpuinfo, "flags").map(|flags| flags.split_whitespace().any(|f| f == "hypervisor"))
}

/// `PRETTY_NAME` of `/etc/os-release`.
pub(crate) fn os_name(os_release: &str) -> Option<String> {
    let value = os_release
        .lines()
        .find_map(|l| l.trim().strip_prefix("PRETTY_NAME="))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// The mode's name in `/etc/nvpmodel.conf` for the id in `/var/lib/nvpmodel/status` (`pmode:0002`).
pub(crate) fn power_mode(status: &str, conf: &str) -> Option<String> {
    let id: u32 = status
        .trim()
        .split(':')
        .nth(1)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    let name = conf.lines().find_map(|line| {
        let inside = line
            .trim()
            .strip_prefix("< POWER_MODEL ")?
            .strip_suffix('>')?;
        let value = |key: &str| {
            inside
                .split_whitespace()
                .find_map(|p| p.strip_prefix(key)?.strip_prefix('='))
        };
        (value("ID")?.parse::<u32>().ok()? == id)
            .then(|| value("NAME").map(str::to_owned))
            .flatten()
    });
    Some(name.unwrap_or_else(|| format!("mode {id}")))
}

/// Text of the device tree: ends with a zero byte.
pub(crate) fn device_tree(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPYC: &str = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC  9B14\ncache size\t: 1024 KB\nflags\t\t: fpu avx2 hypervisor lahf_lm\n";
    const NANO: &str = "processor\t: 0\nBogoMIPS\t: 38.40\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd07\n";

    #[test]
    fn processors() {
        assert_eq!(cpu_name(EPYC).as_deref(), Some("AMD EPYC 9B14"));
        assert_eq!(hypervisor(EPYC), Some(true));
        assert_eq!(hypervisor(&EPYC.replace(" hypervisor", "")), Some(false));
        assert_eq!(cpu_name(NANO).as_deref(), Some("ARM Cortex-A57"));
        assert_eq!(hypervisor(NANO), None);
        assert_eq!(
            cpu_name("CPU implementer : 0x99\nCPU part : 0x1\n").as_deref(),
            Some("ARM implementer 0x99 part 0x1")
        );
        assert_eq!(cpu_name("garbage"), None);
    }

    #[test]
    fn memory() {
        assert_eq!(
            kib_field("MemTotal:       8011820 kB\nMemFree: 1 kB\n", "MemTotal"),
            Some(8_204_103_680)
        );
        assert_eq!(kib_field("VmHWM:\t    3412 kB\n", "VmHWM"), Some(3_493_888));
        assert_eq!(kib_field("MemTotal: many kB\n", "MemTotal"), None);
        assert_eq!(
            kib_field("MemTotal: 18446744073709551615 kB\n", "MemTotal"),
            None
        );
    }

    #[test]
    fn systems() {
        assert_eq!(
            os_name("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n").as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(os_name("NAME=x\n"), None);
    }

    #[test]
    fn power_modes() {
        let conf = "# comment\n< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=2 NAME=MODE_15W_6CORE >\n";
        assert_eq!(
            power_mode("pmode:0002 fmode:quiet", conf).as_deref(),
            Some("MODE_15W_6CORE")
        );
        assert_eq!(power_mode("pmode:0000", conf).as_deref(), Some("MAXN"));
        assert_eq!(power_mode("pmode:7", conf).as_deref(), Some("mode 7"));
        assert_eq!(power_mode("", conf), None);
    }

    #[test]
    fn device_trees() {
        assert_eq!(
            device_tree("NVIDIA Jetson Nano Developer Kit\0").as_deref(),
            Some("NVIDIA Jetson Nano Developer Kit")
        );
        assert_eq!(device_tree("\0"), None);
    }
}
