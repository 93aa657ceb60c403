//! The log: one event a line on stderr, or an entry of systemd's journal with fields of its own; its filter changeable while the
//! daemon runs. Spans may go to a collector besides.

mod traces;

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt, reload};

pub use traces::Traces;

/// Always added: the crate that speaks to the gateway logs what we report in our own words, account numbers included.
const QUIET: &str = "ibapi=error,h2=warn,hyper=warn,tower=warn";

/// The filter in force.
#[derive(Debug, Clone)]
pub struct LogLevel {
    handle: reload::Handle<EnvFilter, Registry>,
    text: Arc<Mutex<String>>,
}

impl LogLevel {
    /// As it was given.
    pub fn get(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in force; returns the one before. A filter that cannot be read changes nothing.
    pub fn set(&self, level: &str) -> Result<String, String> {
        let filter = filter(level)?;
        self.handle.reload(filter).map_err(|error| error.to_string())?;
        Ok(std::mem::replace(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner), level.to_owned()))
    }
}

/// Whether a filter can be read.
pub fn check(level: &str) -> Result<(), String> {
    filter(level).map(drop)
}

fn filter(level: &str) -> Result<EnvFilter, String> {
    let shown: String = level.chars().take(60).collect();
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| levels.contains(&word.trim().to_ascii_lowercase().as_str());
    // a bare word that is no level would be taken for the name of a module, with silent effect
    let known = |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_, level)| level));
    if !level.split(',').all(known) {
        return Err(format!("{shown:?} is not a log level: use one of {}", levels.join(", ")));
    }
    let parsed = EnvFilter::builder().parse(format!("{QUIET},{level}"));
    parsed.map_err(|error| format!("{shown:?} is not a log level: {error}"))
}

/// How events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For the journal where systemd connects stderr to it, else text.
    #[default]
    Auto,
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
    /// Entries of the journal: level, message, and each field by itself, such as `F_REQUEST_ID`.
    Journal,
}

impl LogFormat {
    /// As it is written in the configuration.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            "journal" => Some(Self::Journal),
            _ => None,
        }
    }
}

/// Called with the target and the text of each line of the crates' logs, whatever the filter.
pub type Listener = fn(&str, &std::fmt::Arguments<'_>);

/// Starts logging. Once a process, with a runtime around it. `to_journal`: stderr is connected to the journal; `collector`: where
/// spans go.
pub fn start(
    level: &str,
    format: LogFormat,
    to_journal: bool,
    collector: Option<&str>,
    listener: Listener,
) -> Result<(LogLevel, Option<Traces>), String> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let wanted = format == LogFormat::Journal || (format == LogFormat::Auto && to_journal);
    let journal = match tracing_journald::layer() {
        Ok(layer) if wanted => Some(layer.with_syslog_identifier("ktrdrd".into())),
        Err(error) if format == LogFormat::Journal => return Err(format!("there is no journal: {error}")),
        _ => None,
    };
    let json = (format == LogFormat::Json).then(|| {
        tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).with_target(false).with_current_span(true)
    });
    let lines = (journal.is_none() && json.is_none()).then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
    });
    let (spans, traces) = collector.map(traces::layer).transpose()?.unzip();
    let subscriber = tracing_subscriber::registry().with(filter).with(spans).with(journal).with(json).with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())?;
    let ear = Ear { listener, tracer: tracing_log::LogTracer::new() };
    log::set_boxed_logger(Box::new(ear)).map_err(|error| error.to_string())?;
    log::set_max_level(log::LevelFilter::Warn);
    Ok((LogLevel { handle, text: Arc::new(Mutex::new(level.to_owned())) }, traces))
}

/// Crates that log by the `log` facade, heard before they are filtered.
struct Ear {
    listener: Listener,
    tracer: tracing_log::LogTracer,
}

impl log::Log for Ear {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        (self.listener)(record.target(), record.args());
        if self.tracer.enabled(record.metadata()) {
            self.tracer.log(record);
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_levels_are_levels() {
        for level in ["info", "WARN", "info,ktrdrd::gateway=debug", "off"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        for wrong in ["loud", "", "info,loud", "ktrdrd=loud", "info,"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
