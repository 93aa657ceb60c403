//! Clients that load, watch, cancel and retry until all work is done.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use ktrdr_proto::v1::{
    CancelOperationRequest, GetOperationRequest, LoadRequest, Operation, OperationState, RetryOperationRequest,
    WatchOperationRequest, operation::Result as OperationResult,
};
use tokio_stream::StreamExt as _;

use super::{
    calls::{Clients, Ended, call, daemon_is_back, failed},
    market::Piece,
    world::World,
};

/// One in so many loads is cancelled, and one in so many failed ones is retried instead of asked for anew.
const CANCEL_ONE_IN: usize = 8;
const RETRY_ONE_IN: usize = 2;
/// A daemon that refused is asked again after this.
const BREATH: Duration = Duration::from_millis(200);

/// Takes work until none is left.
pub(crate) async fn load_until_done(world: Arc<World>, number: usize) {
    let mut rng = Rng::with_seed(world.seed ^ (100 + number as u64));
    let Ok(clients) = Clients::new(&world) else { return };
    while !world.is_done() {
        let Some(piece) = world.take() else {
            // others may put some back
            tokio::time::sleep(BREATH).await;
            continue;
        };
        match load(&world, &clients, &piece, &mut rng).await {
            Some(OperationState::Completed) => world.tally().done.push(piece),
            _ => world.put_back(piece),
        }
    }
}

/// One piece, to an end of any kind.
pub(crate) async fn load(world: &World, clients: &Clients, piece: &Piece, rng: &mut Rng) -> Option<OperationState> {
    let request = LoadRequest {
        request_id: format!("chaos-{:016x}", rng.u64(..)),
        series: Some(world.market.series[piece.series].id.clone()),
        range: Some(piece.range()),
        ..LoadRequest::default()
    };
    let mut client = clients.data.clone();
    let answer = match call(world, "Load", client.load(request.clone())).await {
        Ended::Cut => {
            // nobody knows whether it began: the same id must not begin it twice
            daemon_is_back(world, clients).await;
            call(world, "Load again", client.load(request)).await
        }
        ended => ended,
    };
    let Ended::With(answer) = answer else {
        tokio::time::sleep(BREATH).await;
        return None;
    };
    let id = answer.operation?.id;
    world.acknowledged(&id, None);
    let cancelling = rng.usize(..CANCEL_ONE_IN) == 0;
    let patience = Duration::from_millis(rng.u64(10..600));
    let ended = tokio::select! {
        ended = follow(world, clients, &id) => ended,
        () = tokio::time::sleep(patience), if cancelling && !answer.joined => {
            cancel(world, clients, &id).await;
            follow(world, clients, &id).await
        }
    }?;
    if !answer.same_request && answer.joined {
        // it was somebody else's
        return None;
    }
    let state = state_of(&ended);
    if ended.state() != OperationState::Completed && rng.usize(..RETRY_ONE_IN) == 0 {
        return retry(world, clients, &id).await;
    }
    Some(state)
}

/// Loads until all of it is there: the caller sets the limit.
pub(crate) async fn complete(world: &World, clients: &Clients, request: &LoadRequest) {
    loop {
        let request = LoadRequest { request_id: format!("chaos-{:032x}", fastrand::u128(..)), ..request.clone() };
        if let Ended::With(answer) = call(world, "Load", clients.data.clone().load(request)).await
            && let Some(operation) = answer.operation
            && let Some(ended) = follow(world, clients, &operation.id).await
            && state_of(&ended) == OperationState::Completed
        {
            return;
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn cancel(world: &World, clients: &Clients, id: &str) {
    let mut client = clients.operations.clone();
    let request = CancelOperationRequest { id: id.to_owned(), note: "a change of mind".to_owned() };
    if let Ended::With(_) = call(world, "Cancel", client.cancel(request)).await {
        world.tally().cancelled += 1;
    }
}

async fn retry(world: &World, clients: &Clients, id: &str) -> Option<OperationState> {
    let mut client = clients.operations.clone();
    let request = RetryOperationRequest { id: id.to_owned(), request_id: format!("again-{id}") };
    let Ended::With(answer) = call(world, "Retry", client.retry(request)).await else {
        return None;
    };
    let new = answer.operation?;
    world.acknowledged(&new.id, None);
    // an equal load that somebody else has begun is as good
    world.tally().retried += 1;
    follow(world, clients, &new.id).await.map(|ended| state_of(&ended))
}

/// Watches an operation to its end, across the daemon's death.
async fn follow(world: &World, clients: &Clients, id: &str) -> Option<Operation> {
    loop {
        let before = world.daemon_number();
        let mut client = clients.operations.clone();
        match watch(&mut client, id).await {
            Ok(Some(operation)) => {
                world.acknowledged(id, Some(operation.state()));
                return Some(operation);
            }
            Ok(None) => world.tally().surprises.push(format!("the watch of {id} ended before it did")),
            Err(status) => match failed::<()>(world, "Watch", before, &status) {
                Ended::Cut => {}
                Ended::Refused(reason) if reason != "OPERATION_NOT_FOUND" => {}
                // an operation that was acknowledged is gone
                _ => {
                    world.tally().surprises.push(format!("{id} was lost: {status:?}"));
                    return None;
                }
            },
        }
        daemon_is_back(world, clients).await;
        let request = GetOperationRequest { id: id.to_owned() };
        if let Ended::With(answer) = call(world, "Get", client.get(request)).await
            && let Some(operation) = answer.operation
            && is_final(&operation)
        {
            world.acknowledged(id, Some(operation.state()));
            return Some(operation);
        }
    }
}

async fn watch(
    client: &mut ktrdr_proto::v1::operations_client::OperationsClient<tonic::transport::Channel>,
    id: &str,
) -> Result<Option<Operation>, tonic::Status> {
    let request = WatchOperationRequest { id: id.to_owned() };
    let mut stream = client.watch(request).await?.into_inner();
    let mut last = None;
    while let Some(message) = stream.next().await {
        last = message?.operation;
    }
    Ok(last.filter(is_final))
}

/// Completed only if nothing of the range is missing: bars that came spoiled are asked for again.
fn state_of(ended: &Operation) -> OperationState {
    let whole = matches!(&ended.result, Some(OperationResult::Load(load)) if load.gaps_left.is_empty());
    if ended.state() == OperationState::Completed && !whole { OperationState::Failed } else { ended.state() }
}

fn is_final(operation: &Operation) -> bool {
    !matches!(operation.state(), OperationState::Unspecified | OperationState::Pending | OperationState::Running)
}
