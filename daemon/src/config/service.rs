//! How the daemon itself is reached and observed: limits, a listener for other machines, metrics, traces.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{ConfigError, at_home, files};

/// How much of the daemon each may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Open calls of one user, over all of its connections.
    pub calls_per_user: usize,
    /// Pending and running operations that one user started.
    pub operations_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4_096, calls_per_user: 1_024, operations_per_user: 2_000 }
    }
}

/// Where other machines may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// The daemon's certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Who signed the certificates of those who may connect, PEM.
    pub client_ca: PathBuf,
}

/// Where the daemon takes the place of the old IB host service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IbServiceAt {
    /// Address and port.
    pub address: SocketAddr,
    /// Under which others may call, besides those of loopback.
    pub names: Vec<String>,
}

/// Where the daemon is observed; absent: nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observe {
    /// Where Prometheus asks.
    pub metrics: Option<MetricsAddress>,
    /// The collector that traces are sent to, by OTLP over gRPC.
    pub otlp: Option<String>,
}

/// Only this machine can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricsAddress {
    /// On loopback.
    Loopback(SocketAddr),
    /// A Unix socket.
    Socket(PathBuf),
}

fn refused(name: &str, value: &str, why: &'static str) -> ConfigError {
    ConfigError::Value { name: name.into(), value: value.chars().take(80).collect(), why }
}

impl files::Limits {
    pub(super) fn checked(self) -> Result<Limits, ConfigError> {
        let usual = Limits::default();
        let at_least = |name: &str, least: usize, value: Option<usize>, usual: usize, why| match value {
            Some(value) if value < least => Err(refused(name, &value.to_string(), why)),
            value => Ok(value.unwrap_or(usual)),
        };
        Ok(Limits {
            connections: at_least(
                "limits.connections",
                16,
                self.connections,
                usual.connections,
                "it must be 16 or more",
            )?,
            calls_per_user: at_least(
                "limits.calls_per_user",
                8,
                self.calls_per_user,
                usual.calls_per_user,
                "it must be 8 or more",
            )?,
            operations_per_user: at_least(
                "limits.operations_per_user",
                1,
                self.operations_per_user,
                usual.operations_per_user,
                "it must be 1 or more",
            )?,
        })
    }
}

impl files::Listen {
    /// Nobody says there who they are, so that others reach it is nothing that happens by an address alone.
    pub(super) fn ib_service_at(&self) -> Result<Option<IbServiceAt>, ConfigError> {
        let mut names = self.ib_service_names.clone().unwrap_or_default();
        let read = |text: String| match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() || !names.is_empty() => {
                if !address.ip().is_unspecified() {
                    names.push(address.ip().to_string());
                }
                Ok(IbServiceAt { address, names })
            }
            Ok(_) => Err(refused(
                "listen.ib_service",
                &text,
                "whoever reaches it may have bars loaded: 127.0.0.1, or say with listen.ib_service_names by which names others may call",
            )),
            Err(_) => Err(refused("listen.ib_service", &text, "an address and a port, such as 127.0.0.1:5001")),
        };
        self.ib_service.clone().map(read).transpose()
    }

    pub(super) fn checked(self, variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Listen>, ConfigError> {
        let file = |name: &str, path: Option<PathBuf>| match path {
            Some(path) => at_home(path, variable),
            None => Err(refused(name, "", "a listener for other machines needs it")),
        };
        let Some(address) = self.address else {
            let stray = [&self.certificate, &self.key, &self.client_ca].into_iter().any(Option::is_some);
            return if stray {
                Err(refused("listen.address", "", "an address and a port, such as 0.0.0.0:7601"))
            } else {
                Ok(None)
            };
        };
        Ok(Some(Listen {
            address: address
                .parse()
                .map_err(|_| refused("listen.address", &address, "an address and a port, such as 0.0.0.0:7601"))?,
            certificate: file("listen.certificate", self.certificate)?,
            key: file("listen.key", self.key)?,
            client_ca: file("listen.client_ca", self.client_ca)?,
        }))
    }
}

impl files::Observe {
    pub(super) fn checked(self, variable: &impl Fn(&str) -> Option<String>) -> Result<Observe, ConfigError> {
        let otlp = self.otlp.map(|url| match url.split_once("://") {
            Some(("http", rest)) if !rest.is_empty() => Ok(url),
            Some(("https", _)) => Err(refused(
                "observe.otlp",
                &url,
                "traces are sent without TLS: http://, to a collector on this machine that may pass them on",
            )),
            _ => Err(refused("observe.otlp", &url, "an address such as http://127.0.0.1:4317")),
        });
        let metrics = self.metrics.map(|text| metrics_address(&text, variable));
        Ok(Observe { metrics: metrics.transpose()?, otlp: otlp.transpose()? })
    }
}

fn metrics_address(text: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<MetricsAddress, ConfigError> {
    if text.contains('/') {
        return at_home(Path::new(text).to_path_buf(), variable).map(MetricsAddress::Socket);
    }
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(MetricsAddress::Loopback(address)),
        _ => Err(refused(
            "observe.metrics",
            text,
            "an address of this machine such as 127.0.0.1:9464, or the path of a socket",
        )),
    }
}
