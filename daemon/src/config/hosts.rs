//! Host services: `[[training.hosts]]`, and the variables of the old system.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::ConfigError;
use crate::{
    host_service::{Address, HostConfig},
    training::{TrainingConfig, TrainingHost},
};

/// Training sessions have poll, stop, start and health at once at most; the old services have one event loop.
const CONNECTIONS: u32 = 4;
const CONNECTIONS_MAX: u32 = 64;
const SLOTS_MAX: u32 = 10_000;

/// As in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Training {
    /// Replaces those of the files before as a whole.
    pub(super) hosts: Option<Vec<Host>>,
    pub(super) poll_ms: Option<u64>,
    pub(super) keep_on_host: Option<bool>,
    pub(super) models_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) url: String,
    #[serde(default)]
    pub(super) slots: Option<u32>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default)]
    pub(super) connections: Option<u32>,
    #[serde(default)]
    pub(super) ca_file: Option<PathBuf>,
}

impl Host {
    /// As the old variables give it.
    pub(super) fn at(name: &str, url: String) -> Self {
        Self { name: name.into(), url, slots: None, labels: Vec::new(), connections: None, ca_file: None }
    }

    fn checked(self, hurry: u32) -> Result<TrainingHost, ConfigError> {
        let refuse = |key: &str, value: String, why| {
            let own: String = self.name.chars().take(40).collect();
            let name = format!("training.hosts.{own}.{key}");
            Err(ConfigError::Value { name, value: value.chars().take(60).collect(), why })
        };
        let plain = |text: &str| {
            (1..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        if !plain(&self.name) {
            return refuse("name", self.name.clone(), "it must be 1 to 40 letters, digits, - _ or .");
        }
        if let Some(label) = self.labels.iter().find(|label| !plain(label)) {
            return refuse("labels", label.clone(), "a label must be 1 to 40 letters, digits, - _ or .");
        }
        let address = match Address::parse(&self.url) {
            Ok(address) => address,
            Err(why) => return refuse("url", self.url.clone(), why),
        };
        if hurry > 1 && !address.is_loopback() {
            return refuse("url", self.url.clone(), "KTRDR_TEST_TIME_SCALE is only for services on loopback");
        }
        let slots = self.slots.unwrap_or(1);
        if !(1..=SLOTS_MAX).contains(&slots) {
            return refuse("slots", slots.to_string(), "it must be between 1 and 10000");
        }
        let connections = self.connections.unwrap_or(CONNECTIONS);
        if !(1..=CONNECTIONS_MAX).contains(&connections) {
            return refuse("connections", connections.to_string(), "it must be between 1 and 64");
        }
        let service = HostConfig {
            name: self.name,
            kind: "training",
            address,
            connections: connections as usize,
            ca_file: self.ca_file,
            hurry,
        };
        Ok(TrainingHost { service, slots: slots as usize, labels: self.labels })
    }
}

/// The IB host service; two connections, because its one gateway is behind both.
pub(super) fn ib_service(url: &str, hurry: u32) -> Result<HostConfig, ConfigError> {
    let refuse =
        |why| ConfigError::Value { name: "ib.host_service".into(), value: url.chars().take(60).collect(), why };
    let address = Address::parse(url).map_err(refuse)?;
    if hurry > 1 && !address.is_loopback() {
        return Err(refuse("KTRDR_TEST_TIME_SCALE is only for services on loopback"));
    }
    Ok(HostConfig { name: "ib".into(), kind: "ib", address, connections: 2, ca_file: None, hurry })
}

impl Training {
    pub(super) fn overridden_by(self, over: Self) -> Self {
        Self {
            hosts: over.hosts.or(self.hosts),
            poll_ms: over.poll_ms.or(self.poll_ms),
            keep_on_host: over.keep_on_host.or(self.keep_on_host),
            models_dir: over.models_dir.or(self.models_dir),
        }
    }

    pub(super) fn checked(self, hurry: u32) -> Result<TrainingConfig, ConfigError> {
        let hosts = self
            .hosts
            .unwrap_or_default()
            .into_iter()
            .map(|host| host.checked(hurry))
            .collect::<Result<Vec<_>, _>>()?;
        let mut names = BTreeSet::new();
        names.insert("ib".to_owned());
        if let Some(twice) = hosts.iter().find(|host| !names.insert(host.service.name.clone())) {
            let value = twice.service.name.clone();
            return Err(ConfigError::Value { name: "training.hosts".into(), value, why: "two hosts have this name" });
        }
        let poll = self.poll_ms.map(Duration::from_millis);
        if let Some(poll) = poll.filter(|poll| !(50..=60_000).contains(&poll.as_millis())) {
            let value = poll.as_millis().to_string();
            return Err(ConfigError::Value {
                name: "training.poll_ms".into(),
                value,
                why: "it must be between 50 and 60000",
            });
        }
        Ok(TrainingConfig {
            hosts,
            poll,
            keep_on_host: self.keep_on_host.unwrap_or(false),
            models_dir: self.models_dir,
        })
    }
}
