//! Environment variables, over the files. The names of the old system still count, below ours. A value that cannot be
//! used is an error, never a silent default.

use std::{path::PathBuf, str::FromStr};

use super::{ConfigError, files::Values};

/// Applies what is set; returns what a person should know. An empty variable counts as not set.
pub(super) fn apply(
    values: &mut Values,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, ConfigError> {
    let look = Look { variable };
    look.set(&mut values.data.dir, &["KTRDR_DATA_DIR", "DATA_DIR"], "a path", |text| Some(PathBuf::from(text)))?;
    look.set(&mut values.data.cache_mib, &["KTRDR_DATA_CACHE_MIB"], "a number of MiB", parse)?;
    look.set(&mut values.ib.host, &["KTRDR_IB_HOST", "IB_HOST"], "a host name", |text| Some(text.to_owned()))?;
    look.set(&mut values.ib.port, &["KTRDR_IB_PORT", "IB_PORT"], "a port between 1 and 65535", parse)?;
    look.set(&mut values.ib.client_id, &["KTRDR_IB_CLIENT_ID", "IB_CLIENT_ID"], "a number", parse)?;
    look.set(&mut values.ib.enabled, &["KTRDR_IB_ENABLED"], "true or false", boolean)?;
    let list = |text: &str| Some(text.split(',').map(|part| part.trim().to_owned()).collect());
    look.set(&mut values.ib.quiet, &["KTRDR_IB_QUIET"], "quiet times, separated by commas", list)?;
    look.set(&mut values.daemon.socket, &["KTRDR_SOCKET"], "a path", |text| Some(PathBuf::from(text)))?;
    look.set(&mut values.daemon.log_level, &["KTRDR_LOG_LEVEL"], "a log level", |text| Some(text.to_owned()))?;
    let (keep, number) = (&mut values.operations, "a whole number");
    look.set(&mut keep.keep_days, &["KTRDR_OPERATIONS_KEEP_DAYS"], number, parse)?;
    look.set(&mut keep.keep_count, &["KTRDR_OPERATIONS_KEEP_COUNT"], number, parse)?;
    let at_least_one = |text: &str| text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale >= 1.0);
    look.set(&mut values.time_scale, &["KTRDR_TEST_TIME_SCALE"], "a number of 1 or more", at_least_one)?;

    let mut warnings = Vec::new();
    if values.time_scale.is_some_and(|scale| scale > 1.0) {
        warnings.push("KTRDR_TEST_TIME_SCALE shortens pauses and pacing: only for a simulated gateway".into());
    }
    let mut host_service = None;
    look.set(&mut host_service, &["USE_IB_HOST_SERVICE"], "true or false", boolean)?;
    if host_service == Some(true) {
        warnings.push("USE_IB_HOST_SERVICE is set, but this version talks to the gateway itself".into());
    }
    Ok(warnings)
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
