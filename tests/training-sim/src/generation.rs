//! The generations of the service, and what sets them apart.

use crate::route::Route;

/// Which state of the Python repository is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Generation {
    /// Three free-form maps start a session; every refusal is a 500.
    A,
    /// A strategy's YAML starts a session; 409 and 503; results.
    B,
    /// B, with operations.
    C,
    /// C, without status and stop; operations can be cancelled.
    D,
    /// The newest host service: a worker with a database, where nothing stops a session.
    E,
    /// The container worker: operations only, cancel works, checkpoints.
    Worker,
}

impl Generation {
    /// A start carries the text of a strategy.
    pub(crate) fn takes_yaml(self) -> bool {
        self != Self::A
    }

    /// Operations outlive a restart.
    pub(crate) fn has_database(self) -> bool {
        matches!(self, Self::D | Self::E | Self::Worker)
    }

    /// Introduces itself as a worker, with an id.
    pub(crate) fn is_worker_service(self) -> bool {
        matches!(self, Self::E | Self::Worker)
    }

    /// Loads data and builds a model before the first epoch, and tells progress in steps and items.
    pub(crate) fn has_pipeline(self) -> bool {
        self.has_database()
    }

    pub(crate) fn serves(self, route: Route) -> bool {
        use Generation::{A, B, C, D, E, Worker};
        match route {
            Route::Root | Route::Openapi | Route::Health | Route::Start => true,
            Route::HealthSlash | Route::HealthDetailed => matches!(self, A | B | C | D),
            Route::Status | Route::Stop => matches!(self, A | B | C),
            Route::Sessions | Route::Delete | Route::Evaluate => self != Worker,
            Route::Result => matches!(self, B | C | D | E),
            Route::Operation | Route::OperationMetrics | Route::Operations => matches!(self, C | D | E | Worker),
            Route::Cancel => matches!(self, D | E | Worker),
            Route::Resume => self == Worker,
            Route::Prometheus | Route::BackendShutdown => self.is_worker_service(),
        }
    }
}
