//! Environment variables, over the files. The names of the old system still count, below ours. A value that cannot be
//! used is an error, never a silent default.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    str::FromStr,
};

use strsim::osa_distance;

use super::{ConfigError, Settings, files::Values, hosts::Host};

/// Applies what is set; returns what a person should know. An empty variable counts as not set.
pub(super) fn apply(
    values: &mut Values,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, ConfigError> {
    let look = Look { variable };
    look.set(&mut values.data.dir, &["KTRDR_DATA_DIR", "DATA_DIR"], "a path or s3://", |text| {
        Some(PathBuf::from(text))
    })?;
    look.set(&mut values.data.local_dir, &["KTRDR_DATA_LOCAL_DIR"], "a path", |text| Some(PathBuf::from(text)))?;
    look.set(&mut values.data.cache_mib, &["KTRDR_DATA_CACHE_MIB"], "a number of MiB", parse)?;
    let days = &mut values.data.keep_replaced_days;
    look.set(days, &["KTRDR_DATA_KEEP_REPLACED_DAYS"], "a number of days", parse)?;
    look.set(&mut values.ib.host, &["KTRDR_IB_HOST", "IB_HOST"], "a host name", |text| Some(text.to_owned()))?;
    look.set(&mut values.ib.port, &["KTRDR_IB_PORT", "IB_PORT"], "a port between 1 and 65535", parse)?;
    look.set(&mut values.ib.client_id, &["KTRDR_IB_CLIENT_ID", "IB_CLIENT_ID"], "a number", parse)?;
    look.set(&mut values.ib.enabled, &["KTRDR_IB_ENABLED"], "true or false", boolean)?;
    let list = |text: &str| Some(text.split(',').map(|part| part.trim().to_owned()).collect());
    look.set(&mut values.ib.quiet, &["KTRDR_IB_QUIET"], "quiet times, separated by commas", list)?;
    look.set(&mut values.daemon.socket, &["KTRDR_SOCKET"], "a path", |text| Some(PathBuf::from(text)))?;
    look.set(&mut values.daemon.log_level, &["KTRDR_LOG_LEVEL"], "a log level", |text| Some(text.to_owned()))?;
    look.set(&mut values.daemon.log_format, &["KTRDR_LOG_FORMAT"], "a format", |text| Some(text.to_owned()))?;
    let (keep, number) = (&mut values.operations, "a whole number");
    look.set(&mut keep.keep_days, &["KTRDR_OPERATIONS_KEEP_DAYS"], number, parse)?;
    look.set(&mut keep.keep_count, &["KTRDR_OPERATIONS_KEEP_COUNT"], number, parse)?;
    let at_least_one = |text: &str| text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale >= 1.0);
    look.set(&mut values.time_scale, &["KTRDR_TEST_TIME_SCALE"], "a number of 1 or more", at_least_one)?;

    service(values, &look)?;
    training(values, &look)?;
    host_service(values, &look)?;
    let mut warnings = Vec::new();
    if values.time_scale.is_some_and(|scale| scale > 1.0) {
        warnings.push("KTRDR_TEST_TIME_SCALE shortens pauses and pacing: only for a simulated gateway".into());
    }
    Ok(warnings)
}

/// How the daemon is reached, and by how many; where it is observed.
fn service(values: &mut Values, look: &Look<'_, impl Fn(&str) -> Option<String>>) -> Result<(), ConfigError> {
    let (path, text) = (|text: &str| Some(PathBuf::from(text)), |text: &str| Some(text.to_owned()));
    let (limits, number) = (&mut values.limits, "a whole number");
    look.set(&mut limits.connections, &["KTRDR_LIMITS_CONNECTIONS"], number, parse)?;
    look.set(&mut limits.calls_per_user, &["KTRDR_LIMITS_CALLS_PER_USER"], number, parse)?;
    look.set(&mut limits.operations_per_user, &["KTRDR_LIMITS_OPERATIONS_PER_USER"], number, parse)?;
    let listen = &mut values.listen;
    look.set(&mut listen.address, &["KTRDR_LISTEN_ADDRESS"], "an address and a port", text)?;
    look.set(&mut listen.certificate, &["KTRDR_LISTEN_CERTIFICATE"], "a path", path)?;
    look.set(&mut listen.key, &["KTRDR_LISTEN_KEY"], "a path", path)?;
    look.set(&mut listen.client_ca, &["KTRDR_LISTEN_CLIENT_CA"], "a path", path)?;
    look.set(&mut listen.ib_service, &["KTRDR_LISTEN_IB_SERVICE"], "an address and a port", text)?;
    let names = |text: &str| Some(text.split(',').map(|part| part.trim().to_owned()).collect());
    let own = &mut listen.ib_service_names;
    look.set(own, &["KTRDR_LISTEN_IB_SERVICE_NAMES"], "names, separated by commas", names)?;
    let observe = &mut values.observe;
    look.set(
        &mut observe.metrics,
        &["KTRDR_OBSERVE_METRICS"],
        "an address of this machine and a port, or a path",
        text,
    )?;
    look.set(&mut observe.otlp, &["KTRDR_OBSERVE_OTLP", "OTEL_EXPORTER_OTLP_ENDPOINT"], "an address", text)
}

/// The old system asked the service only when it was told to; its address alone changed nothing.
fn host_service(values: &mut Values, look: &Look<'_, impl Fn(&str) -> Option<String>>) -> Result<(), ConfigError> {
    let text = |text: &str| Some(text.to_owned());
    look.set(&mut values.ib.host_service, &["KTRDR_IB_HOST_SERVICE"], "an address", text)?;
    let (mut wanted, mut url) = (None, None);
    look.set(&mut wanted, &["USE_IB_HOST_SERVICE"], "true or false", boolean)?;
    look.set(&mut url, &["IB_HOST_SERVICE_URL"], "an address", text)?;
    if wanted == Some(true) && values.ib.host_service.is_none() {
        values.ib.host_service = Some(url.unwrap_or_else(|| "http://localhost:5001".into()));
    }
    Ok(())
}

/// The old system trained in its own process unless it was told otherwise; we never do, so the address alone decides.
fn training(values: &mut Values, look: &Look<'_, impl Fn(&str) -> Option<String>>) -> Result<(), ConfigError> {
    let training = &mut values.training;
    look.set(&mut training.models_dir, &["KTRDR_MODELS_DIR", "MODELS_DIR"], "a path", |text| {
        Some(PathBuf::from(text))
    })?;
    look.set(&mut training.poll_ms, &["KTRDR_TRAINING_POLL_MS"], "a number of milliseconds", parse)?;
    look.set(&mut training.keep_on_host, &["KTRDR_TRAINING_KEEP_ON_HOST"], "true or false", boolean)?;
    look.set(&mut training.hosts, &["KTRDR_TRAINING_HOSTS"], "NAME=URL, separated by commas", hosts)?;
    let (mut wanted, mut url) = (None, None);
    look.set(&mut wanted, &["USE_TRAINING_HOST_SERVICE"], "true or false", boolean)?;
    look.set(&mut url, &["TRAINING_HOST_SERVICE_URL"], "an address", |text| Some(text.to_owned()))?;
    if training.hosts.is_none() && wanted != Some(false) && (wanted == Some(true) || url.is_some()) {
        let url = url.unwrap_or_else(|| "http://localhost:5002".into());
        training.hosts = Some(vec![Host::at("training", url)]);
    }
    Ok(())
}

impl Settings {
    /// Reads the files and the environment of this process, and looks for variables of it that nobody asks for.
    pub fn of_process(file: Option<&Path>) -> Result<Self, ConfigError> {
        let asked = RefCell::new(Vec::new());
        let mut settings = Self::load(file, |name| {
            asked.borrow_mut().push(name.to_owned());
            std::env::var(name).ok()
        })?;
        let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        settings.warnings.extend(misspelt(set, &asked.into_inner()));
        Ok(settings)
    }
}

/// Variables that are set and are nearly ones that count.
fn misspelt(set: impl IntoIterator<Item = String>, known: &[String]) -> Vec<String> {
    let ours = set.into_iter().filter(|name| name.starts_with("KTRDR_") && name.len() <= 60 && !known.contains(name));
    let meant = |name: &String| {
        known.iter().find(|known| known.starts_with("KTRDR_") && osa_distance(name, known) <= 2).cloned()
    };
    ours.filter_map(|name| Some((meant(&name)?, name)))
        .map(|(meant, name)| format!("{name} is no setting and does nothing: did you mean {meant}?"))
        .collect()
}

/// `gpu1=http://gpu1:5002` or `gpu1=http://gpu1:5002;slots=2`.
fn hosts(text: &str) -> Option<Vec<Host>> {
    let host = |part: &str| {
        let (name, rest) = part.trim().split_once('=')?;
        let mut fields = rest.split(';');
        let mut host = Host::at(name, fields.next()?.to_owned());
        for field in fields {
            match field.split_once('=')? {
                ("slots", number) => host.slots = Some(number.parse().ok()?),
                ("label", label) => host.labels.push(label.to_owned()),
                _ => return None,
            }
        }
        Some(host)
    };
    text.split(',').map(host).collect()
}

struct Look<'a, F> {
    variable: &'a F,
}

impl<F: Fn(&str) -> Option<String>> Look<'_, F> {
    /// The first of `names` that is set decides.
    fn set<T>(
        &self,
        target: &mut Option<T>,
        names: &[&str],
        why: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<(), ConfigError> {
        let set = names.iter().find_map(|name| Some((name, (self.variable)(name).filter(|text| !text.is_empty())?)));
        if let Some((name, text)) = set {
            let refused = || ConfigError::Value { name: (*name).into(), value: text.chars().take(60).collect(), why };
            *target = Some(read(&text).ok_or_else(refused)?);
        }
        Ok(())
    }
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_nearly_one_is_told_and_others_are_not() {
        let known = ["KTRDR_IB_PORT", "KTRDR_IB_HOST", "IB_PORT"].map(str::to_owned);
        let told = |name: &str| misspelt([name.to_owned()], &known);
        assert_eq!(
            told("KTRDR_IB_PROT"),
            ["KTRDR_IB_PROT is no setting and does nothing: did you mean KTRDR_IB_PORT?"]
        );
        for other in ["KTRDR_IB_PORT", "IB_PROT", "KTRDR_AUTOSTART", "KTRDR_", "PATH"] {
            assert!(told(other).is_empty(), "{other}");
        }
    }
}
