//! A client that trains: each session is started once, whatever happens to the daemon that starts it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use ktrdr_proto::v1::{StartTrainingRequest, StrategyFile, training_client::TrainingClient};

use crate::{
    chaos::{
        calls::{Clients, Ended, call, daemon_is_back},
        world::World,
    },
    daemon::channel,
};

/// Between two starts, on average. A session takes less.
const BETWEEN: Duration = Duration::from_millis(800);
const STRATEGY: &str = "name: siege\nversion: \"2.0\"\nscope: universal\n\
training_data: {symbols: {mode: single, symbol: EURUSD}, timeframes: {mode: single, timeframe: 1h}}\n\
deployment: {target_symbols: {mode: training_only}}\nindicators: [{name: rsi}]\n\
fuzzy_sets: {rsi: {low: {type: triangular, parameters: [0, 15, 40]}}}\n\
model: {type: mlp, training: {epochs: 4, batch_size: 64}}\ndecisions: {output_format: classification}\n";

/// Ids of those that were acknowledged.
#[derive(Debug, Default)]
pub(in crate::siege) struct Trainings(Mutex<Vec<String>>);

impl Trainings {
    pub(in crate::siege) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(in crate::siege) fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(in crate::siege) async fn train_until_over(world: Arc<World>, trainings: Arc<Trainings>) {
    let mut rng = Rng::with_seed(world.seed.wrapping_add(500));
    let (Ok(clients), Ok(channel)) = (Clients::new(&world), channel(&world.socket)) else { return };
    let client = TrainingClient::new(channel);
    while !world.is_over() {
        let strategy = Some(StrategyFile { label: "siege.yaml".to_owned(), content: STRATEGY.into() });
        let request_id = format!("siege-{:016x}", rng.u64(..));
        let request = StartTrainingRequest { request_id, strategy, ..StartTrainingRequest::default() };
        let mut started = call(&world, "Start", client.clone().start(request.clone())).await;
        while matches!(started, Ended::Cut) && !world.is_over() {
            // nobody knows whether it was entered: the same id enters it once
            daemon_is_back(&world, &clients).await;
            started = call(&world, "Start again", client.clone().start(request.clone())).await;
        }
        if let Ended::With(answer) = started
            && let Some(operation) = answer.operation
        {
            trainings.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation.id);
        }
        tokio::time::sleep(BETWEEN.mul_f64(2.0 * rng.f64())).await;
    }
}
