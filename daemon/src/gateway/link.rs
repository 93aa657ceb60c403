//! The one connection of a session, whatever it leads to.

use std::sync::Arc;

use ibapi::Notice;

use super::{GatewayConfig, GatewayError, direct::Direct, hosted::Hosted, outages::Outages, source::Source};

/// A connection.
#[derive(Debug)]
pub(super) enum Link {
    /// To the gateway itself.
    Direct(Box<Direct>),
    /// To the HTTP service in front of it.
    Hosted(Hosted),
}

impl Link {
    /// Connects; to the host service where the configuration names one.
    pub(super) async fn open(config: Arc<GatewayConfig>, client_id: i32) -> Result<Self, GatewayError> {
        match config.host_service.clone() {
            Some(service) => Hosted::open(service).await.map(Self::Hosted),
            None => Direct::open(config, client_id).await.map(|direct| Self::Direct(Box::new(direct))),
        }
    }

    /// Waits until requests may be sent.
    pub(super) async fn synchronise(&mut self) -> Result<(), GatewayError> {
        match self {
            Self::Direct(direct) => direct.synchronise().await,
            // that it answers is all that can be known of it
            Self::Hosted(_) => Ok(()),
        }
    }

    /// The next message that belongs to no request; `None` when the connection has ended.
    pub(super) async fn notice(&mut self) -> Option<Notice> {
        match self {
            Self::Direct(direct) => direct.notice().await,
            Self::Hosted(_) => std::future::pending().await,
        }
    }

    /// What was said about IB's side before the session was usable.
    pub(super) fn take_outages(&mut self) -> Outages {
        match self {
            Self::Direct(direct) => direct.take_outages(),
            Self::Hosted(_) => Outages::default(),
        }
    }

    /// Who is asked.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        match self {
            Self::Direct(direct) => direct.source(),
            Self::Hosted(hosted) => hosted.source(),
        }
    }

    /// Of a gateway.
    pub(super) fn version(&self) -> Option<i32> {
        match self {
            Self::Direct(direct) => Some(direct.version()),
            Self::Hosted(_) => None,
        }
    }

    /// Says goodbye. `cancelling`: requests were dropped just now.
    pub(super) async fn close(self, cancelling: bool) {
        if let Self::Direct(direct) = self {
            direct.close(cancelling).await;
        }
    }
}
