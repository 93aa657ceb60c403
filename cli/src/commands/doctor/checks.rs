//! The checks, from here outwards: this program, the socket, the daemon, its disk, the gateway, the hosts, what was cut off.

use std::{fs, os::unix::fs::FileTypeExt as _, path::Path};

use ktrdr_proto::{
    BUILD, CONTRACT, reason,
    spelling::Word as _,
    v1::{
        CheckHostServicesRequest, GatewayState, GatewayStatus, GetDaemonStatusRequest, GetDaemonStatusResponse,
        GetGatewayStatusRequest, HostService, HostServiceState, ListOperationsRequest, OperationState,
        TestGatewayRequest,
    },
};

use super::{Check, State};
use crate::{client::Client, failure::Failure, output::table::bytes, time};

/// Less than this, and a load may not end; the daemon refuses writes only when the disk is full.
const FREE_LOW: u64 = 1 << 30;
/// A clock further off makes open bars look closed.
const CLOCK_OFF: f64 = 5.0;

/// All of them; those that need the daemon only when it answers.
pub(super) async fn all(client: &Client) -> Vec<Check> {
    let mut checks = vec![Check::ok("ktrdr", format!("build {BUILD}, contract {CONTRACT}"))];
    checks.push(socket(Path::new(client.socket())));
    let request = client.request(GetDaemonStatusRequest {});
    match client.answer_of_any(client.daemon().get_status(request)).await {
        Ok(status) => {
            checks.push(daemon(&status));
            checks.extend(disk(&status.data_dir));
            checks.extend(bucket(&status));
            checks.extend(unit(&status));
            if status.contract == CONTRACT {
                behind(client, &mut checks).await;
            }
        }
        Err(failure) => checks.push(Check::failed("daemon", &failure)),
    }
    checks
}

/// What the daemon stands before.
async fn behind(client: &Client, checks: &mut Vec<Check>) {
    let request = client.request(GetGatewayStatusRequest {});
    match client.answer(client.gateway().get_status(request)).await {
        Ok(answer) => {
            let status = answer.status.unwrap_or_default();
            checks.push(gateway(&status));
            if status.state() == GatewayState::Ready {
                checks.push(clock(client).await);
            }
        }
        Err(failure) => checks.push(Check::failed("gateway", &failure)),
    }
    let request = client.request(CheckHostServicesRequest::default());
    match client.answer(client.host_services().check(request)).await {
        Ok(answer) => checks.extend(answer.services.iter().map(host)),
        Err(failure) => checks.push(Check::failed("host services", &failure)),
    }
    checks.push(match interrupted(client).await {
        Ok(0) => Check::ok("operations", "none was cut off"),
        Ok(count) => Check::bad(
            "operations",
            State::Warning,
            format!("{count} were cut off by an end of the daemon"),
            "ktrdr operations list --state interrupted; ktrdr operations retry ID",
        ),
        Err(failure) => Check::failed("operations", &failure),
    });
}

fn socket(path: &Path) -> Check {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => Check::ok("socket", shown.to_string()),
        Ok(_) => Check::bad("socket", State::Error, format!("{shown} is not a socket"), "move it away"),
        Err(_) if fs::read_to_string("/proc/net/unix").is_ok_and(|sockets| listens(&sockets, path)) => Check::bad(
            "socket",
            State::Error,
            format!("{shown} was removed, and a program listens under that name"),
            "wait some seconds: the daemon makes it again; what systemd made comes back by: systemctl restart ktrdrd.socket \
             (with --user for a daemon of one user)",
        ),
        Err(error) => Check::bad(
            "socket",
            State::Error,
            format!("{shown}: {error}"),
            "ktrdr daemon start; KTRDR_SOCKET and XDG_RUNTIME_DIR decide where it is looked for",
        ),
    }
}

/// Whether some socket listens that was made there, as the kernel lists them: flags are the fourth column, the path is the eighth.
fn listens(sockets: &str, path: &Path) -> bool {
    const LISTENS: u32 = 0x1_0000;
    let flags = |line: &str| line.split_whitespace().nth(3).and_then(|flags| u32::from_str_radix(flags, 16).ok());
    let named = |line: &str| path.to_str().is_some_and(|path| line.ends_with(&format!(" {path}")));
    sockets.lines().any(|line| named(line) && flags(line).is_some_and(|flags| flags & LISTENS != 0))
}

fn daemon(status: &GetDaemonStatusResponse) -> Check {
    let found = format!(
        "build {}, contract {}, pid {}, {} series, {}",
        status.version,
        status.contract,
        status.pid,
        status.series,
        bytes(status.memory_bytes)
    );
    if status.contract != CONTRACT {
        let fix = "update the older of the two, then: ktrdr daemon restart";
        return Check::bad("daemon", State::Error, found, fix);
    }
    if status.version != BUILD {
        return Check::bad("daemon", State::Warning, found, "after an update: ktrdr daemon restart");
    }
    Check::ok("daemon", found)
}

/// As far as this user may look.
fn disk(folder: &str) -> Option<Check> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let told = format!("{folder}: {} free", bytes(free));
    let fix = "ktrdr data compact frees what is kept for data restore; or give the folder more room";
    Some(if free < FREE_LOW { Check::bad("disk", State::Warning, told, fix) } else { Check::ok("disk", told) })
}

fn bucket(status: &GetDaemonStatusResponse) -> Option<Check> {
    let bucket = status.bucket.as_ref()?;
    let told = format!("{}: {} files behind", bucket.address, bucket.files_behind);
    Some(match bucket.last_error.as_str() {
        "" => Check::ok("bucket", told),
        error => {
            let fix = "check the AWS_… variables of the daemon and the bucket itself; everything goes on meanwhile";
            Check::bad("bucket", State::Warning, format!("{told}; {error}"), fix)
        }
    })
}

/// A unit of a user ends with the last session, unless it may linger.
fn unit(status: &GetDaemonStatusResponse) -> Option<Check> {
    if status.unit.is_empty() {
        return None;
    }
    let user = std::env::var("USER").unwrap_or_default();
    if status.unit_of_user && !user.is_empty() && !Path::new("/var/lib/systemd/linger").join(&user).exists() {
        let found = format!("{} ends when you log out", status.unit);
        return Some(Check::bad("unit", State::Warning, found, "loginctl enable-linger"));
    }
    Some(Check::ok("unit", status.unit.clone()))
}

/// The daemon tells the causes apart; what helps is the reason's.
fn gateway(status: &GatewayStatus) -> Check {
    let word = status.state().word();
    let mut found = format!("{word} at {}", status.address);
    if !status.reason.is_empty() {
        found = format!("{found}: {}", status.reason);
    }
    let (state, reason) = match status.state() {
        // the last two are what the configuration wants
        GatewayState::Ready | GatewayState::Disabled | GatewayState::Resting => (State::Ok, None),
        GatewayState::Connecting | GatewayState::Synchronising => (State::Warning, Some(&reason::GATEWAY_NOT_READY)),
        GatewayState::Degraded => (State::Warning, Some(&reason::UPSTREAM_LOST)),
        GatewayState::Wedged => (State::Error, Some(&reason::GATEWAY_WEDGED)),
        GatewayState::LoginNeeded => (State::Error, Some(&reason::GATEWAY_LOGIN_NEEDED)),
        GatewayState::Disconnected | GatewayState::Stopped | GatewayState::Unspecified => {
            (State::Error, Some(&reason::GATEWAY_UNREACHABLE))
        }
    };
    match reason {
        None => Check::ok("gateway", found),
        Some(reason) => {
            let next = if status.next.is_empty() { String::new() } else { format!("; the daemon: {}", status.next) };
            Check::bad("gateway", state, found, format!("{} (ktrdr explain {}){next}", reason.hint, reason.name))
        }
    }
}

async fn clock(client: &Client) -> Check {
    let request = client.request(TestGatewayRequest {});
    match client.answer(client.gateway().test(request)).await {
        Ok(answer) => {
            let off = time::seconds_off(answer.gateway_time_ns);
            let found = format!("the gateway answers in {:.0} ms", answer.latency_seconds * 1e3);
            if off < CLOCK_OFF {
                return Check::ok("clock", found);
            }
            let found = format!("{found}, and its clock differs by {off:.0} s");
            Check::bad("clock", State::Warning, found, "set both clocks by NTP")
        }
        Err(failure) => Check::failed("clock", &failure),
    }
}

fn host(host: &HostService) -> Check {
    let name = format!("host {}", host.name);
    let found = format!("{} at {}", host.state().word(), host.url);
    match host.state() {
        HostServiceState::Up => Check::ok(name, found),
        HostServiceState::Slow => Check::bad(name, State::Warning, found, "ktrdr services list"),
        _ => {
            let last = host.last_error.clone().unwrap_or_else(|| "it was not asked".into());
            let fix = "is the service running there, and its address in the configuration right?";
            Check::bad(name, State::Error, format!("{found}: {last}"), fix)
        }
    }
}

async fn interrupted(client: &Client) -> Result<u64, Failure> {
    let states = vec![OperationState::Interrupted.into()];
    let request = client.request(ListOperationsRequest { states, page_size: 1, ..Default::default() });
    Ok(client.answer(client.operations().list(request)).await?.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_who_listens_where_no_file_is_any_more() {
        let sockets = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                       0000000000000000: 00000002 00000000 00010000 0001 01 163841 /run/ktrdr/ktrdrd.sock\n\
                       0000000000000000: 00000003 00000000 00000000 0001 03 163842 /run/other.sock\n";
        assert!(listens(sockets, Path::new("/run/ktrdr/ktrdrd.sock")));
        assert!(!listens(sockets, Path::new("/run/other.sock")) && !listens(sockets, Path::new("ktrdrd.sock")));
    }
}
