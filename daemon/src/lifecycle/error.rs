//! Why the daemon does not start.

use std::{io, path::PathBuf};

use ktrdr_proto::address::AddressError;

use crate::{bucket::BucketError, config::ConfigError, store::StoreError};

/// An error before "ready". The causes are in `source`.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log.
    #[error("cannot start the log: {0}")]
    Log(String),
    /// No usable address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A daemon holds the address.
    #[error("a daemon{} already listens on {}", holder(*pid), socket.display())]
    AlreadyRunning {
        /// Which address.
        socket: PathBuf,
        /// Its process, as far as it is known.
        pid: Option<u32>,
    },
    /// A daemon holds the store, at whatever address.
    #[error("a daemon{} already uses the data folder {}", holder(*pid), data_dir.display())]
    StoreInUse {
        /// Which folder.
        data_dir: PathBuf,
        /// Its process, as far as it is known.
        pid: Option<u32>,
    },
    /// The store.
    #[error("cannot open the data folder")]
    Store(#[from] StoreError),
    /// The bucket that is the data root.
    #[error("cannot use the data root")]
    Bucket(#[from] BucketError),
    /// A host service's certificate file.
    #[error("the host service {name} cannot be used: {why}")]
    HostService {
        /// In the configuration.
        name: String,
        /// What was found.
        why: String,
    },
    /// Somebody who is nobody is to have access.
    #[error("cannot tell who may call: {0}")]
    Access(String),
    /// The listener for other machines.
    #[error("cannot listen for other machines: {0}")]
    Listen(String),
    /// The address for metrics.
    #[error("observe.metrics cannot be listened on: {0}")]
    Observe(String),
    /// The socket.
    #[error("cannot listen on {}", path.display())]
    Socket {
        /// Its path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Something that is no socket is in its place.
    #[error("{} is not a socket, and is left alone", .0.display())]
    InTheWay(PathBuf),
    /// The next life did not begin.
    #[error("cannot start again")]
    Again(#[source] io::Error),
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl StartError {
    /// Whether it stays until somebody changes a setting.
    pub fn is_of_settings(&self) -> bool {
        matches!(
            self,
            Self::Config(_) | Self::HostService { .. } | Self::Access(_) | Self::Listen(_) | Self::Observe(_)
        )
    }

    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Config(_) | Self::HostService { .. } | Self::Access(_) | Self::Listen(_) | Self::Observe(_) => {
                "correct the setting; ktrdrd --help-config lists them all"
            }
            Self::Address(_) => "use a shorter or private --socket",
            Self::AlreadyRunning { .. } => "ktrdr daemon status",
            Self::StoreInUse { .. } => "stop the other daemon, or use another KTRDR_DATA_DIR",
            Self::Store(StoreError::Locked { .. }) => {
                "close the ledger in the program that has it open: fuser ktrdr.sqlite names it"
            }
            Self::Store(_) => "check the owner, the permissions and the free space of the data folder",
            Self::Bucket(_) => "check data.dir and the AWS_… variables; docs/DATA.md tells which count",
            Self::Socket { .. } | Self::InTheWay(_) => "choose another --socket",
            Self::Log(_) => "correct daemon.log_level or KTRDR_LOG_LEVEL",
            Self::Again(_) => "ktrdr daemon start",
        }
    }
}
