//! Configuration files: the system's, the user's, the one that was named. Each overrides the ones before, value by value.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, hosts::Training};

const SYSTEM: &str = "/etc/ktrdr/config.toml";

/// What files and environment may say; absent means not said. A key that is not here is an error: it would be a typing
/// mistake with silent effect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Values {
    pub(super) data: Data,
    pub(super) access: Access,
    pub(super) ib: Ib,
    pub(super) daemon: Daemon,
    pub(super) operations: Operations,
    pub(super) limits: Limits,
    pub(super) listen: Listen,
    pub(super) observe: Observe,
    pub(super) training: Training,
    /// From the environment only.
    #[serde(skip)]
    pub(super) time_scale: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Data {
    pub(super) dir: Option<PathBuf>,
    pub(super) local_dir: Option<PathBuf>,
    pub(super) cache_mib: Option<u32>,
    pub(super) keep_replaced_days: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Access {
    pub(super) read: Option<Vec<String>>,
    pub(super) work: Option<Vec<String>>,
    pub(super) manage: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ib {
    pub(super) enabled: Option<bool>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) client_id: Option<i32>,
    pub(super) quiet: Option<Vec<String>>,
    pub(super) weekly_login: Option<Vec<String>>,
    pub(super) host_service: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Daemon {
    pub(super) socket: Option<PathBuf>,
    pub(super) log_level: Option<String>,
    pub(super) log_format: Option<String>,
    pub(super) grace_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Operations {
    pub(super) keep_days: Option<u32>,
    pub(super) keep_count: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) connections: Option<usize>,
    pub(super) calls_per_user: Option<usize>,
    pub(super) operations_per_user: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listen {
    pub(super) address: Option<String>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) client_ca: Option<PathBuf>,
    pub(super) ib_service: Option<String>,
    pub(super) ib_service_names: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Observe {
    pub(super) metrics: Option<String>,
    pub(super) otlp: Option<String>,
}

impl Values {
    fn overridden_by(self, over: Self) -> Self {
        Self {
            data: Data {
                dir: over.data.dir.or(self.data.dir),
                local_dir: over.data.local_dir.or(self.data.local_dir),
                cache_mib: over.data.cache_mib.or(self.data.cache_mib),
                keep_replaced_days: over.data.keep_replaced_days.or(self.data.keep_replaced_days),
            },
            access: Access {
                read: over.access.read.or(self.access.read),
                work: over.access.work.or(self.access.work),
                manage: over.access.manage.or(self.access.manage),
            },
            ib: Ib {
                enabled: over.ib.enabled.or(self.ib.enabled),
                host: over.ib.host.or(self.ib.host),
                port: over.ib.port.or(self.ib.port),
                client_id: over.ib.client_id.or(self.ib.client_id),
                quiet: over.ib.quiet.or(self.ib.quiet),
                weekly_login: over.ib.weekly_login.or(self.ib.weekly_login),
                host_service: over.ib.host_service.or(self.ib.host_service),
            },
            daemon: Daemon {
                socket: over.daemon.socket.or(self.daemon.socket),
                log_level: over.daemon.log_level.or(self.daemon.log_level),
                log_format: over.daemon.log_format.or(self.daemon.log_format),
                grace_seconds: over.daemon.grace_seconds.or(self.daemon.grace_seconds),
            },
            operations: Operations {
                keep_days: over.operations.keep_days.or(self.operations.keep_days),
                keep_count: over.operations.keep_count.or(self.operations.keep_count),
            },
            limits: Limits {
                connections: over.limits.connections.or(self.limits.connections),
                calls_per_user: over.limits.calls_per_user.or(self.limits.calls_per_user),
                operations_per_user: over.limits.operations_per_user.or(self.limits.operations_per_user),
            },
            listen: Listen {
                address: over.listen.address.or(self.listen.address),
                certificate: over.listen.certificate.or(self.listen.certificate),
                key: over.listen.key.or(self.listen.key),
                client_ca: over.listen.client_ca.or(self.listen.client_ca),
                ib_service: over.listen.ib_service.or(self.listen.ib_service),
                ib_service_names: over.listen.ib_service_names.or(self.listen.ib_service_names),
            },
            observe: Observe {
                metrics: over.observe.metrics.or(self.observe.metrics),
                otlp: over.observe.otlp.or(self.observe.otlp),
            },
            training: self.training.overridden_by(over.training),
            time_scale: None,
        }
    }
}

/// The values of all files there are, and which those are. A named file must be there; the others need not.
pub(super) fn read(
    named: Option<&Path>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<(Values, Vec<PathBuf>), ConfigError> {
    let config_home = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config_home = config_home.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")));
    let usual = [Some(PathBuf::from(SYSTEM)), config_home.map(|home| home.join("ktrdr/config.toml"))];
    let (mut values, mut read) = (Values::default(), Vec::new());
    let candidates = usual.into_iter().flatten().map(|path| (path, false));
    for (path, must_exist) in candidates.chain(named.map(|path| (path.to_path_buf(), true))) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if !must_exist && error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let parsed: Result<Values, _> = toml::from_str(&text);
        let over = parsed.map_err(|source| ConfigError::Invalid { path: path.clone(), source: Box::new(source) })?;
        values = values.overridden_by(over);
        read.push(path);
    }
    Ok((values, read))
}
