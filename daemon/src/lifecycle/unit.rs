//! Whether a unit of systemd runs us, and whether its journal has our log.

use std::io;

use rustix::fs::fstat;

use crate::facts::Unit;

/// Whether systemd has connected stderr to its journal.
pub fn logs_to_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").ok();
    let stderr = fstat(io::stderr()).ok();
    stream.zip(stderr).is_some_and(|(stream, stderr)| stream == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// The unit, when our log goes to the journal.
pub(super) fn own() -> Option<Unit> {
    if !logs_to_journal() {
        return None;
    }
    unit_of(&std::fs::read_to_string("/proc/self/cgroup").ok()?)
}

/// From the control group, which is where systemd puts it.
fn unit_of(cgroup: &str) -> Option<Unit> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let name = path.rsplit('/').find(|part| part.ends_with(".service") && !part.starts_with("user@"))?;
    Some(Unit { name: name.to_owned(), of_user: path.contains("/user@") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_group_names_the_unit() {
        let unit = |name: &str, of_user| Some(Unit { name: name.to_owned(), of_user });
        assert_eq!(unit_of("0::/system.slice/ktrdrd.service\n"), unit("ktrdrd.service", false));
        let user = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/ktrdrd.service\n";
        assert_eq!(unit_of(user), unit("ktrdrd.service", true));
        let terminal = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-terminal.scope\n";
        assert_eq!(unit_of(terminal), None);
        assert_eq!(unit_of("12:pids:/x\n"), None);
    }
}
