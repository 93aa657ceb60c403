//! Settings: defaults, then files, then the environment. Read once, at the start.

mod credentials;
mod environment;
mod files;
mod hosts;
pub mod reference;
mod service;

use std::path::{Path, PathBuf};

pub use credentials::Credentials;
pub use service::{IbServiceAt, Limits, Listen, MetricsAddress, Observe};

use crate::{
    bucket::BucketAddress,
    gateway::{GatewayConfig, QuietTime},
    host_service::HostConfig,
    operations::Keep,
    telemetry::LogFormat,
    training::TrainingConfig,
};

/// A dozen years of minutes.
const CACHE_MIB: u32 = 64;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; beside a bucket, the working copy and the ledger.
    pub data_dir: PathBuf,
    /// The bucket that is the data root.
    pub bucket: Option<BucketAddress>,
    /// Who may call.
    pub access: AccessConfig,
    /// Secrets that are not in the environment.
    pub credentials: Credentials,
    /// Bytes for stored years that are asked for again and again.
    pub cache_bytes: u64,
    /// Days for which replaced files can be restored; absent: until somebody compacts.
    pub keep_replaced_days: Option<u32>,
    /// Where to listen; absent: the usual place.
    pub socket: Option<PathBuf>,
    /// The log's filter.
    pub log_level: String,
    /// How it is written.
    pub log_format: LogFormat,
    /// How long an orderly stop may take, seconds.
    pub grace_seconds: u64,
    /// What is kept of ended operations.
    pub keep: Keep,
    /// How much each may hold.
    pub limits: Limits,
    /// Where other machines may call; absent: nowhere.
    pub listen: Option<Listen>,
    /// Where it takes the place of the old IB host service; absent: nowhere.
    pub ib_service_at: Option<IbServiceAt>,
    /// Where the daemon is observed.
    pub observe: Observe,
    /// The connection to the gateway.
    pub gateway: GatewayConfig,
    /// The service in front of the gateway, where that is asked instead.
    pub ib_service: Option<HostConfig>,
    /// Training hosts.
    pub training: TrainingConfig,
    /// Files that were read.
    pub config_files: Vec<PathBuf>,
    /// What a person should know about the settings, though they can be used.
    pub warnings: Vec<String>,
}

/// Who may call besides the daemon's own user and root: names of users, `@` and names of groups, `sha256:` and fingerprints of certificates.
#[derive(Debug, Clone, Default)]
pub struct AccessConfig {
    /// Look, and read what is stored.
    pub read: Vec<String>,
    /// Also load, import, train, change, cancel.
    pub work: Vec<String>,
    /// Also stop the daemon and change how it runs.
    pub manage: Vec<String>,
}

/// A setting that cannot be used, and where it came from.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("the configuration {path} is not valid")]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value of the environment or of a file cannot be used.
    #[error("{name} = {value:?} cannot be used: {why}")]
    Value {
        /// The key or variable.
        name: String,
        /// As given, cut.
        value: String,
        /// What it should be.
        why: &'static str,
    },
    /// There is no home to put the data folder in.
    #[error("no data folder: neither KTRDR_DATA_DIR, data.dir, STATE_DIRECTORY, XDG_DATA_HOME nor HOME is set")]
    NoDataFolder,
}

impl Settings {
    /// Reads the files and `variable`, which looks an environment variable up.
    pub fn load(file: Option<&Path>, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let credentials = Credentials::read(variable("CREDENTIALS_DIRECTORY").as_deref().map(Path::new))?;
        let variable = |name: &str| variable(name).or_else(|| credentials.get(name));
        let (mut values, config_files) = files::read(file, &variable)?;
        let mut warnings = environment::apply(&mut values, &variable)?;
        let time_scale = values.time_scale.unwrap_or(1.0);
        let host = values.ib.host.unwrap_or_else(|| "127.0.0.1".into());
        let usual = GatewayConfig::on(&host, values.ib.port.unwrap_or(4002), values.ib.client_id.unwrap_or(1));
        let gateway = GatewayConfig {
            enabled: values.ib.enabled.unwrap_or(true),
            quiet: quiet_times("ib.quiet", values.ib.quiet)?.unwrap_or_default(),
            weekly_login: quiet_times("ib.weekly_login", values.ib.weekly_login)?.unwrap_or(usual.weekly_login),
            time_scale,
            ..usual
        };
        check(&gateway)?;
        let keep = Keep {
            days: values.operations.keep_days.unwrap_or(Keep::default().days),
            count: values.operations.keep_count.unwrap_or(Keep::default().count),
        };
        check_keep(keep)?;
        let ib_service = values.ib.host_service.map(|url| hosts::ib_service(&url, hurry(time_scale))).transpose()?;
        let training = values.training.checked(hurry(time_scale))?;
        warnings.extend(ib_service.iter().filter_map(|service| service.address.warning()));
        warnings.extend(training.hosts.iter().filter_map(|host| host.service.address.warning()));
        let (data_dir, bucket) = data_root(values.data.dir, values.data.local_dir, &variable)?;
        Ok(Self {
            data_dir: std::path::absolute(&data_dir).unwrap_or(data_dir),
            bucket,
            access: AccessConfig {
                read: values.access.read.unwrap_or_default(),
                work: values.access.work.unwrap_or_default(),
                manage: values.access.manage.unwrap_or_default(),
            },
            credentials: credentials.clone(),
            keep_replaced_days: replaced_days(values.data.keep_replaced_days)?,
            cache_bytes: u64::from(values.data.cache_mib.unwrap_or(CACHE_MIB)) << 20,
            socket: values.daemon.socket.map(|path| at_home(path, &variable)).transpose()?,
            log_format: log_format(values.daemon.log_format.as_deref())?,
            log_level: values.daemon.log_level.unwrap_or_else(|| "info".into()),
            grace_seconds: grace(values.daemon.grace_seconds.unwrap_or(10))?,
            keep,
            limits: values.limits.checked()?,
            ib_service_at: values.listen.ib_service_at()?,
            listen: values.listen.checked(&variable)?,
            observe: values.observe.checked(&variable)?,
            gateway,
            ib_service,
            training,
            config_files,
            warnings,
        })
    }
}

/// Where the data is: a folder, or a bucket with a working copy in a folder of its own.
fn data_root(
    dir: Option<PathBuf>,
    local: Option<PathBuf>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<(PathBuf, Option<BucketAddress>), ConfigError> {
    let refused = |name: &str, value: &Path, why| {
        let value = value.display().to_string().chars().take(80).collect();
        Err(ConfigError::Value { name: name.into(), value, why })
    };
    let meant = dir.as_ref().map(|dir| dir.to_string_lossy()).filter(|text| BucketAddress::is_meant(text));
    let bucket: BucketAddress = match (meant.map(|text| text.parse()), &dir) {
        (Some(Ok(bucket)), _) => bucket,
        (Some(Err(why)), Some(dir)) => return refused("data.dir", dir, why),
        _ => {
            if let Some(local) = local {
                return refused("data.local_dir", &local, "it is for a data.dir that is a bucket");
            }
            let folder = dir.map_or_else(|| default_data_dir(variable), |dir| at_home(dir, variable));
            return Ok((folder?, None));
        }
    };
    let local = match local {
        Some(local) => at_home(local, variable)?,
        None => default_data_dir(variable)?.join("s3").join(&bucket.bucket).join(&bucket.prefix),
    };
    Ok((local, Some(bucket)))
}

fn log_format(text: Option<&str>) -> Result<LogFormat, ConfigError> {
    let Some(text) = text else { return Ok(LogFormat::default()) };
    LogFormat::parse(text).ok_or_else(|| ConfigError::Value {
        name: "daemon.log_format".into(),
        value: text.chars().take(60).collect(),
        why: "auto, text, json or journal",
    })
}

/// A stop that may take for ever is none.
fn grace(seconds: u64) -> Result<u64, ConfigError> {
    if (1..=300).contains(&seconds) {
        return Ok(seconds);
    }
    Err(ConfigError::Value {
        name: "daemon.grace_seconds".into(),
        value: seconds.to_string(),
        why: "it must be between 1 and 300",
    })
}

/// The scale in whole steps.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 or more, as it was read")]
fn hurry(time_scale: f64) -> u32 {
    time_scale.min(1_000.0) as u32
}

fn quiet_times(name: &str, texts: Option<Vec<String>>) -> Result<Option<Vec<QuietTime>>, ConfigError> {
    let read = |text: &String| {
        let cut = || text.chars().take(60).collect();
        text.parse().map_err(|why| ConfigError::Value { name: name.into(), value: cut(), why })
    };
    texts.map(|texts| texts.iter().map(read).collect()).transpose()
}

/// An undo that is gone before anybody can want it is none.
fn replaced_days(days: Option<u32>) -> Result<Option<u32>, ConfigError> {
    match days {
        Some(0) => Err(ConfigError::Value {
            name: "data.keep_replaced_days".into(),
            value: "0".into(),
            why: "it must be 1 or more",
        }),
        days => Ok(days),
    }
}

fn check_keep(keep: Keep) -> Result<(), ConfigError> {
    let refuse =
        |name: &str, value: u32, why| Err(ConfigError::Value { name: name.into(), value: value.to_string(), why });
    match keep {
        Keep { days: 0, .. } => refuse("operations.keep_days", 0, "it must be 1 or more"),
        Keep { count, .. } if count < Keep::COUNT_MIN => {
            refuse("operations.keep_count", count, "it must be 100 or more")
        }
        _ => Ok(()),
    }
}

fn check(gateway: &GatewayConfig) -> Result<(), ConfigError> {
    let refuse = |name: &str, value: String, why| Err(ConfigError::Value { name: name.into(), value, why });
    if !(1..=i32::MAX - 2).contains(&gateway.client_id) {
        // 0 also sees orders that a person makes at the gateway
        return refuse(
            "ib.client_id",
            gateway.client_id.to_string(),
            "it must be 1 or more, and leave room for two more",
        );
    }
    let on_loopback = matches!(gateway.host.as_str(), "127.0.0.1" | "localhost" | "::1");
    if gateway.time_scale > 1.0 && !on_loopback {
        return refuse("KTRDR_TEST_TIME_SCALE", gateway.time_scale.to_string(), "only for a gateway on loopback");
    }
    Ok(())
}

/// `~/…` as people write it: no shell has seen the path of a file.
fn at_home(path: PathBuf, variable: &impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    match path.strip_prefix("~") {
        Ok(rest) => variable("HOME").map(|home| Path::new(&home).join(rest)).ok_or(ConfigError::NoDataFolder),
        Err(_) => Ok(path),
    }
}

fn default_data_dir(variable: &impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    // a unit's own folder, as systemd names it
    if let Some(state) = variable("STATE_DIRECTORY").and_then(|folders| Some(folders.split(':').next()?.to_owned())) {
        return Ok(PathBuf::from(state));
    }
    let data_home = variable("XDG_DATA_HOME").map(PathBuf::from);
    let of_home = || variable("HOME").map(|home| Path::new(&home).join(".local/share"));
    data_home.or_else(of_home).map(|dir| dir.join("ktrdr")).ok_or(ConfigError::NoDataFolder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned()).or_else(|| (name == "HOME").then(|| "/home/quant".into()))
        };
        Settings::load(Some(&path), variable)
    }

    #[test]
    fn defaults_then_file_then_environment_then_old_names_below_new_ones() {
        let settings = load("", &[]).unwrap();
        assert_eq!(settings.data_dir, Path::new("/home/quant/.local/share/ktrdr"));
        assert_eq!(settings.gateway.address(), "127.0.0.1:4002");

        assert_eq!(load("[data]\ndir = \"~/bars\"", &[]).unwrap().data_dir, Path::new("/home/quant/bars"));
        let file = "[ib]\nport = 4001\nclient_id = 7\n[data]\ndir = \"/d\"\n";
        let settings = load(file, &[("IB_HOST", "gw"), ("IB_PORT", "7497"), ("KTRDR_IB_PORT", "7496")]).unwrap();
        assert_eq!(settings.gateway.address(), "gw:7496");
        assert_eq!((settings.gateway.client_id, settings.data_dir), (7, PathBuf::from("/d")));
        let settings = load(file, &[("KTRDR_DATA_DIR", "/e"), ("DATA_DIR", "/f"), ("KTRDR_IB_ENABLED", "no")]).unwrap();
        assert_eq!((settings.data_dir, settings.gateway.enabled), (PathBuf::from("/e"), false));
        assert_eq!(settings.keep, Keep { days: 90, count: 10_000 });
        let settings = load("[operations]\nkeep_days = 7", &[("KTRDR_OPERATIONS_KEEP_COUNT", "200")]).unwrap();
        assert_eq!(settings.keep, Keep { days: 7, count: 200 });
        let settings = load("[data]\nkeep_replaced_days = 30", &[]).unwrap();
        assert_eq!((settings.keep_replaced_days, settings.ib_service), (Some(30), None));
        let through = [("USE_IB_HOST_SERVICE", "true"), ("TRAINING_HOST_SERVICE_URL", "http://gpu1:5002")];
        let settings = load("", &through).unwrap();
        assert_eq!(
            settings.ib_service.map(|service| service.address.to_string()).as_deref(),
            Some("http://localhost:5001")
        );
        assert_eq!(settings.training.hosts[0].service.name, "training");
        assert_eq!(settings.warnings.len(), 1, "plain HTTP to another machine");
    }

    #[test]
    fn a_bucket_as_the_data_root_has_a_working_copy_of_its_own() {
        let settings = load("[data]\ndir = \"s3://bars/quant\"", &[]).unwrap();
        assert_eq!(settings.bucket.map(|bucket| bucket.to_string()).as_deref(), Some("s3://bars/quant"));
        assert_eq!(settings.data_dir, Path::new("/home/quant/.local/share/ktrdr/s3/bars/quant"));
        let local = [("KTRDR_DATA_DIR", "s3://bars"), ("KTRDR_DATA_LOCAL_DIR", "~/copy")];
        assert_eq!(load("", &local).unwrap().data_dir, Path::new("/home/quant/copy"));
        let unit = [("STATE_DIRECTORY", "/var/lib/ktrdr")];
        assert_eq!(load("", &unit).unwrap().data_dir, Path::new("/var/lib/ktrdr"));
        assert_eq!(load("[data]\ndir = \"s3://bars\"", &unit).unwrap().data_dir, Path::new("/var/lib/ktrdr/s3/bars"));
        let text = |error: ConfigError| crate::error::in_line(&error);
        assert!(text(load("[data]\ndir = \"s3://Bars\"", &[]).unwrap_err()).contains("data.dir = \"s3://Bars\""));
        assert!(
            text(load("[data]\nlocal_dir = \"/x\"", &[("KTRDR_DATA_DIR", "/d")]).unwrap_err()).contains("local_dir")
        );
        assert!(text(load("[data]\nlocal_dir = \"/x\"", &[]).unwrap_err()).contains("local_dir"));
    }

    #[test]
    fn what_cannot_be_used_is_an_error_that_names_it() {
        let text = |error: ConfigError| crate::error::in_line(&error);
        assert!(text(load("[ib]\nprot = 1", &[]).unwrap_err()).contains("prot"));
        assert!(text(load("[ib]\nport = 99999", &[]).unwrap_err()).contains("port"));
        assert!(text(load("", &[("KTRDR_LOG_FORMAT", "xml")]).unwrap_err()).contains("daemon.log_format = \"xml\""));
        assert!(text(load("", &[("IB_PORT", "x")]).unwrap_err()).contains("IB_PORT = \"x\""));
        assert!(text(load("", &[("KTRDR_IB_ENABLED", "maybe")]).unwrap_err()).contains("KTRDR_IB_ENABLED"));
        assert!(text(load("", &[("IB_CLIENT_ID", "0")]).unwrap_err()).contains("ib.client_id"));
        assert!(text(load("[ib]\nquiet = [\"at night\"]", &[]).unwrap_err()).contains("ib.quiet = \"at night\""));
        assert!(text(load("", &[("KTRDR_IB_QUIET", "23:45-23:50 Mars")]).unwrap_err()).contains("zone"));
        assert!(text(load("[operations]\nkeep_days = 0", &[]).unwrap_err()).contains("operations.keep_days"));
        assert!(text(load("[data]\nkeep_replaced_days = 0", &[]).unwrap_err()).contains("keep_replaced_days"));
        assert!(text(load("[limits]\nconnections = 3", &[]).unwrap_err()).contains("limits.connections"));
        assert!(text(load("[observe]\nmetrics = \"0.0.0.0:9464\"", &[]).unwrap_err()).contains("observe.metrics"));
        assert!(text(load("[observe]\notlp = \"collector:4317\"", &[]).unwrap_err()).contains("observe.otlp"));
        // the exporter speaks no TLS: it would fail in silence
        assert!(text(load("[observe]\notlp = \"https://collector:4317\"", &[]).unwrap_err()).contains("without TLS"));
        let open = "[listen]\nib_service = \"0.0.0.0:5001\"\n";
        assert!(text(load(open, &[]).unwrap_err()).contains("listen.ib_service_names"));
        let names = [("KTRDR_LISTEN_IB_SERVICE_NAMES", "bars.lan, 10.0.0.7")];
        assert_eq!(load(open, &names).unwrap().ib_service_at.unwrap().names, ["bars.lan", "10.0.0.7"]);
        let own = load(&open.replace("0.0.0.0", "10.0.0.8"), &names).unwrap().ib_service_at.unwrap();
        assert_eq!(own.names, ["bars.lan", "10.0.0.7", "10.0.0.8"], "its own address is a name of it");
        assert!(text(load("[listen]\naddress = \"0.0.0.0:7601\"", &[]).unwrap_err()).contains("listen.certificate"));
        assert!(text(load("[listen]\nkey = \"/k.pem\"", &[]).unwrap_err()).contains("listen.address"));
        assert!(text(load("[daemon]\ngrace_seconds = 0", &[]).unwrap_err()).contains("daemon.grace_seconds = \"0\""));
        let two = "[[training.hosts]]\nname = \"a\"\nurl = \"http://h\"\n";
        assert!(text(load(&two.repeat(2), &[]).unwrap_err()).contains("two hosts"));
        assert!(text(load("", &[("KTRDR_IB_HOST_SERVICE", "gw:5001")]).unwrap_err()).contains("ib.host_service"));
        assert!(
            text(load("", &[("KTRDR_OPERATIONS_KEEP_COUNT", "99")]).unwrap_err()).contains("operations.keep_count")
        );
        let scaled = [("KTRDR_TEST_TIME_SCALE", "60"), ("IB_HOST", "192.0.2.1")];
        assert!(text(load("", &scaled).unwrap_err()).contains("loopback"));
        assert!(Settings::load(Some(Path::new("/nowhere/x.toml")), |_| None).is_err());
    }

    /// Of a setting that cannot be used, the error names what is written in the file; of what is no TOML, the place.
    #[test]
    fn foreign_bytes_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let home = |name: &str| (name == "HOME").then(|| "/home/quant".to_owned());
        // the parser collects an error for each line that has one
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "config").count(1_000).memory(256, 1 << 20).check(
            |bytes| {
                std::fs::write(&path, bytes).unwrap();
                match Settings::load(Some(&path), home) {
                    Ok(settings) => {
                        let Settings { bucket, training, ib_service, gateway, .. } = settings;
                        let (bucket, service) = (bucket.is_some(), ib_service.is_some());
                        Ok(format!("{bucket} {service} {} {}", training.hosts.is_empty(), gateway.quiet.is_empty()))
                    }
                    Err(error) => {
                        let (text, told) = (String::from_utf8_lossy(bytes), crate::error::in_line(&error));
                        let named = match &error {
                            ConfigError::Value { name, .. } => text.contains(name.rsplit('.').next().unwrap()),
                            // lists within lists have no line
                            ConfigError::Invalid { .. } => told.contains("at line") || told.contains("recursion limit"),
                            ConfigError::Unreadable { .. } => std::str::from_utf8(bytes).is_err(),
                            ConfigError::NoDataFolder => false,
                        };
                        assert!(named, "{told}");
                        Err(told)
                    }
                }
            },
        );
    }

    /// The same of variables and of a service manager's credentials, which are lines of the same names. Secrets stay where they are.
    #[test]
    fn foreign_bytes_in_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let variable = |name: &str| match name {
            "CREDENTIALS_DIRECTORY" => Some(place.clone()),
            "HOME" => Some("/home/quant".to_owned()),
            _ => None,
        };
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "credentials").count(1_000).check(|bytes| {
            std::fs::write(folder.path().join("ktrdr.env"), bytes).unwrap();
            let text = String::from_utf8_lossy(bytes);
            let shown = match Settings::load(None, variable) {
                Ok(settings) => Ok(format!("{settings:?}")),
                Err(error) => Err(crate::error::in_line(&error)),
            };
            for secret in text.lines().filter_map(|line| line.trim().strip_prefix("AWS_SECRET_ACCESS_KEY=")) {
                let alone = secret.len() > 8 && text.matches(secret).count() == 1;
                assert!(
                    !alone
                        || shown.as_ref().is_ok_and(|shown| !shown.contains(secret))
                        || !shown.clone().unwrap_err().contains(secret)
                );
            }
            shown.map(|shown| format!("{}", shown.contains("bucket: Some"))).inspect_err(|told| {
                let names = text.lines().filter_map(|line| Some(line.split_once('=')?.0.trim()));
                let mut names =
                    names.chain(["ktrdr.env", "USE_", "ib.", "data.", "daemon.", "operations.", "training."]);
                assert!(names.any(|name| !name.is_empty() && told.contains(name)), "{told}");
            })
        });
    }
}
