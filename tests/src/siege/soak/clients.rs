//! Clients that load and delete again, so that there is always something to load; and one that tidies up.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use ktrdr_proto::v1::{
    CompactRequest, DeleteRequest, ListOperationsRequest, OperationState, housekeeping_client::HousekeepingClient,
};

use crate::{
    chaos::{calls, calls::Clients, loads, world::World},
    daemon::channel,
};

/// One in so many loaded pieces is deleted again.
const DELETE_ONE_IN: usize = 2;
/// Between two loads of a client, on average: people and bots do not do more.
const BETWEEN: Duration = Duration::from_secs(2);
const BETWEEN_TIDYINGS: Duration = Duration::from_secs(20);
/// Between two looks whether the run is over.
const GLANCE: Duration = Duration::from_millis(200);

pub(super) async fn load_until_over(world: Arc<World>, number: usize) {
    let mut rng = Rng::with_seed(world.seed ^ (700 + number as u64));
    let (Ok(clients), Ok(channel)) = (Clients::new(&world), channel(&world.socket)) else { return };
    let mut housekeeping = HousekeepingClient::new(channel);
    while !world.is_over() {
        if let Some(piece) = world.take() {
            let loaded = loads::load(&world, &clients, &piece, &mut rng).await;
            if loaded == Some(OperationState::Completed) && rng.usize(..DELETE_ONE_IN) == 0 {
                let series = Some(world.market.series[piece.series].id.clone());
                let request = DeleteRequest { series, range: Some(piece.range()), dry_run: false };
                drop(calls::call(&world, "Delete", housekeeping.delete(request)).await);
            }
            world.put_back(piece);
        }
        tokio::time::sleep(BETWEEN.mul_f64(2.0 * rng.f64())).await;
    }
}

/// What was deleted is kept, until somebody says that it need not be.
pub(super) async fn tidy_until_over(world: Arc<World>) {
    let Ok(channel) = channel(&world.socket) else { return };
    let mut housekeeping = HousekeepingClient::new(channel);
    let mut next = tokio::time::Instant::now() + BETWEEN_TIDYINGS;
    while !world.is_over() {
        tokio::time::sleep(GLANCE).await;
        if tokio::time::Instant::now() >= next {
            let request = CompactRequest { older_than_days: 0, dry_run: false };
            drop(calls::call(&world, "Compact", housekeeping.compact(request)).await);
            next += BETWEEN_TIDYINGS;
        }
    }
}

/// All that the daemon knows.
pub(super) async fn operations(world: &World) -> anyhow::Result<u64> {
    let mut clients = Clients::new(world)?;
    let request = ListOperationsRequest { page_size: 1, ..ListOperationsRequest::default() };
    Ok(clients.operations.list(request).await?.into_inner().total)
}
