//! How long after a gateway is back it is used again.

use std::{sync::Arc, time::Duration};

use ktrdr_proto::v1::{GatewayState, WatchGatewayRequest};
use serde_json::Value;
use tokio_stream::StreamExt as _;

use super::{
    calls::{Clients, daemon_is_back},
    world::World,
};

/// Notes every state that the daemon tells, until the run is over.
pub(crate) async fn watch(world: Arc<World>) {
    let Ok(clients) = Clients::new(&world) else { return };
    while !world.is_over() {
        let mut gateway = clients.gateway.clone();
        if let Ok(stream) = gateway.watch(WatchGatewayRequest {}).await {
            let mut stream = stream.into_inner();
            loop {
                match tokio::time::timeout(Duration::from_millis(200), stream.next()).await {
                    Ok(Some(Ok(message))) => {
                        let status = message.status.unwrap_or_default();
                        world.tally().states.push((status.since_ns, status.state));
                    }
                    Err(_) if !world.is_over() => {}
                    _ => break,
                }
            }
        }
        daemon_is_back(&world, &clients).await;
    }
}

/// The longest time in seconds from the end of an outage, as the gateway reports it, to the state "ready", among those
/// that were not cut short by the next one.
pub(crate) fn longest(outages: &Value, states: &[(i64, i32)]) -> Option<f64> {
    let outages: Vec<(i64, i64)> = outages
        .as_array()?
        .iter()
        .filter_map(|outage| Some((outage["from_ns"].as_i64()?, outage["to_ns"].as_i64()?)))
        .collect();
    let ready = i32::from(GatewayState::Ready);
    let mut longest: Option<f64> = None;
    for (_, to) in &outages {
        let next = outages.iter().map(|(from, _)| *from).filter(|from| from >= to).min().unwrap_or(i64::MAX);
        let overlaps = outages.iter().any(|(from, end)| from < to && end > to);
        let at = states.iter().filter(|(since, state)| *state == ready && since >= to).map(|(since, _)| *since).min();
        let was_ready = states.iter().filter(|(since, _)| since < to).max().is_some_and(|(_, state)| *state == ready);
        if let Some(at) = at.filter(|at| *at <= next && !overlaps && !was_ready) {
            let took = Duration::from_nanos((at - to).unsigned_abs()).as_secs_f64();
            longest = Some(longest.map_or(took, |longest| longest.max(took)));
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_counts_unless_another_outage_came_between() {
        let (ready, away) = (i32::from(GatewayState::Ready), i32::from(GatewayState::Disconnected));
        let second = 1_000_000_000;
        let outages = serde_json::json!([
            { "from_ns": second, "to_ns": 2 * second },
            { "from_ns": 10 * second, "to_ns": 11 * second },
            { "from_ns": 20 * second, "to_ns": 21 * second },
            { "from_ns": 22 * second, "to_ns": 23 * second },
        ]);
        let states = [
            (0, ready),
            (second, away),
            (2 * second + second / 2, ready),
            (10 * second, away),
            (14 * second, ready),
            (20 * second, away),
            (90 * second, ready),
        ];
        assert_eq!(longest(&outages, &states), Some(67.0));
        assert_eq!(longest(&outages, &states[..6]), Some(3.0));
        assert_eq!(longest(&outages, &states[..2]), None);
    }
}
