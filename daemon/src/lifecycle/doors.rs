//! Where the daemon is asked besides on its socket. All of it is had before the gateway hears of us: a daemon that cannot start must not
//! greet it and vanish, again and again.

use std::{io, path::Path};

use super::StartError;
use crate::{
    config::{IbServiceAt, MetricsAddress, Settings},
    rpc,
    web::Listener,
};

/// Open, and not answered yet.
pub(super) struct Doors {
    /// For other machines.
    pub(super) tls: Option<rpc::Door>,
    /// In the place of the old IB host service.
    pub(super) ib_service: Option<Listener>,
    /// For Prometheus.
    pub(super) metrics: Option<Listener>,
}

impl Doors {
    /// `socket` is the daemon's own.
    pub(super) async fn open(settings: &Settings, socket: &Path) -> Result<Self, StartError> {
        let tls = match &settings.listen {
            Some(listen) => {
                Some(rpc::tls::open(listen, settings.gateway.time_scale).await.map_err(StartError::Listen)?)
            }
            None => None,
        };
        let ib_service = match &settings.ib_service_at {
            Some(IbServiceAt { address, .. }) => {
                let failed = |error| StartError::Listen(format!("listen.ib_service: {address} cannot be had: {error}"));
                Some(Listener::at(*address).await.map_err(failed)?)
            }
            None => None,
        };
        let metrics = match &settings.observe.metrics {
            Some(address) => {
                let opened = metrics(address, socket).await;
                Some(opened.map_err(|error| StartError::Observe(error.to_string()))?)
            }
            None => None,
        };
        Ok(Self { tls, ib_service, metrics })
    }
}

async fn metrics(address: &MetricsAddress, socket: &Path) -> io::Result<Listener> {
    match address {
        MetricsAddress::Loopback(address) => Listener::at(*address).await,
        MetricsAddress::Socket(path) if is_same(path, socket) => {
            Err(io::Error::new(io::ErrorKind::AddrInUse, "it is the daemon's own socket"))
        }
        MetricsAddress::Socket(path) => Listener::on(path).await,
    }
}

/// The same name in the same folder, however that is written.
fn is_same(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| std::path::absolute(path).ok()?.parent()?.canonicalize().ok();
    one.file_name() == other.file_name() && folder(one).is_some_and(|own| folder(other) == Some(own))
}
