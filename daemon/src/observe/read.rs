//! What is read when somebody asks: the same that `ktrdr daemon status`, `ib status` and `services list` tell.

use std::{collections::BTreeMap, fmt};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::Observed;
use crate::{
    facts::{self, Process},
    gateway::State,
    metrics::About,
    model::SECOND,
    operations,
};

macro_rules! read {
    ($($id:ident = $name:literal, $kind:literal, [$($label:literal),*], $help:literal;)*) => {
        $(const $id: About = About { name: $name, kind: $kind, labels: &[$($label),*], help: $help };)*
        /// All of them.
        pub const READ: &[About] = &[$($id),*];
    };
}

read! {
    BUILD = "ktrdr_build_info", "gauge", ["version", "contract"], "The daemon that answers; always 1";
    STARTED = "process_start_time_seconds", "gauge", [], "When the daemon started, Unix time";
    RESIDENT = "process_resident_memory_bytes", "gauge", [], "Its resident set";
    CPU = "process_cpu_seconds_total", "counter", [], "Processor time that it took, its own and the kernel's";
    OPEN_FDS = "process_open_fds", "gauge", [], "Files and connections that are open";
    MAX_FDS = "process_max_fds", "gauge", [], "As many may be open";
    CONNECTIONS = "ktrdr_connections", "gauge", [], "Clients that are connected";
    CONNECTED = "ktrdr_gateway_connected", "gauge", [], "1 while the gateway can be asked";
    STATE = "ktrdr_gateway_state", "gauge", ["state"], "1 for the state that the connection is in";
    RECONNECTS = "ktrdr_gateway_reconnects_total", "counter", [], "Sessions after the first";
    FARMS_DOWN = "ktrdr_gateway_farms_down", "gauge", [], "Data farms of IB that are away";
    REQUESTS = "ktrdr_gateway_requests", "gauge", ["state"], "Requests that are open at the gateway, and that wait here";
    WINDOW = "ktrdr_pacing_window_used_ratio", "gauge", [], "How much of IB's limit for small bars is used, of the last ten minutes";
    PAUSE = "ktrdr_pacing_pause_seconds", "gauge", [], "How long nothing will leave because IB refused";
    OPEN = "ktrdr_operations", "gauge", ["kind", "state"], "Operations that are pending or running";
    SERIES = "ktrdr_series", "gauge", [], "Stored series";
    BARS = "ktrdr_bars", "gauge", [], "Stored bars";
    BYTES = "ktrdr_store_bytes", "gauge", [], "Size of the files of bars";
    FREE = "ktrdr_store_free_bytes", "gauge", [], "Free space where they are";
    SPACE = "ktrdr_store_space_bytes", "gauge", [], "All space there";
    CACHE = "ktrdr_cache_bytes", "gauge", [], "Stored years that are kept in memory";
    CACHE_HITS = "ktrdr_cache_hits_total", "counter", [], "Years that were answered from memory";
    CACHE_MISSES = "ktrdr_cache_misses_total", "counter", [], "Years that were read from their files";
    HOST_UP = "ktrdr_host_service_up", "gauge", ["service"], "1 while work can be given to a host service";
    HOST_POOL = "ktrdr_host_service_connections", "gauge", ["service", "state"], "Its connections: idle ones, and calls that wait for one";
    HOST_CALLS = "ktrdr_host_service_requests_total", "counter", ["service"], "Calls to it, repeats included";
}

/// Values of one metric, each with those of its labels.
type Values = Vec<(Vec<String>, f64)>;

fn one(value: f64) -> Values {
    vec![(Vec::new(), value)]
}

fn labelled<const N: usize>(labels: [&str; N], value: f64) -> (Vec<String>, f64) {
    (labels.map(str::to_owned).to_vec(), value)
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^53")]
fn number(value: impl TryInto<u64>) -> f64 {
    value.try_into().unwrap_or(0) as f64
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

impl Observed {
    fn values(&self) -> Vec<(About, Values)> {
        let mut all = self.process();
        all.extend(self.of_gateway());
        all.extend(self.of_store());
        all.push((OPEN, self.open_operations()));
        let services = || self.services.iter().map(crate::host_service::HostService::status);
        all.push((
            HOST_UP,
            services()
                .map(|host| labelled([&host.name], truth(host.health.is_usable() && host.breaker != "open")))
                .collect(),
        ));
        let pools = services().flat_map(|host| {
            let of = |state, count| labelled([&host.name, state], number(count));
            [of("idle", host.pool.idle), of("waiting", host.pool.waiting)]
        });
        all.push((HOST_POOL, pools.collect()));
        all.push((HOST_CALLS, services().map(|host| labelled([&host.name], number(host.requests))).collect()));
        all
    }

    fn process(&self) -> Vec<(About, Values)> {
        let Process { cpu_seconds, open_files, most_files } = facts::process();
        let (contract, build) = (ktrdr_proto::CONTRACT.to_string(), ktrdr_proto::BUILD);
        vec![
            (BUILD, vec![labelled([build, &contract], 1.0)]),
            (STARTED, one(number(self.facts.started_at / SECOND))),
            (RESIDENT, one(number(facts::resident_bytes()))),
            (CPU, one(cpu_seconds)),
            (OPEN_FDS, one(number(open_files))),
            (MAX_FDS, one(number(most_files))),
            (CONNECTIONS, one(number(self.connections.count()))),
        ]
    }

    fn of_gateway(&self) -> Vec<(About, Values)> {
        let status = self.gateway.status();
        let pacing = &status.pacing;
        let down = status.farms.values().filter(|up| !**up).count();
        let used = if pacing.limit == 0 { 0.0 } else { f64::from(pacing.used) / f64::from(pacing.limit) };
        vec![
            (CONNECTED, one(truth(status.state == State::Ready))),
            (STATE, State::ALL.iter().map(|state| labelled([state.name()], truth(*state == status.state))).collect()),
            (RECONNECTS, one(number(status.reconnects))),
            (FARMS_DOWN, one(number(down))),
            (REQUESTS, vec![labelled(["open"], number(status.open)), labelled(["queued"], number(status.queued))]),
            (WINDOW, one(used)),
            (PAUSE, one(pacing.pause().as_secs_f64())),
        ]
    }

    fn of_store(&self) -> Vec<(About, Values)> {
        let (series, cache) = (self.market_data.list(), self.market_data.cache_facts());
        let (bars, bytes) =
            series.iter().fold((0, 0), |(bars, bytes), (_, state)| (bars + state.bars(), bytes + state.size_bytes()));
        let (free, space) = facts::space(&self.facts.data_dir);
        vec![
            (SERIES, one(number(series.len()))),
            (BARS, one(number(bars))),
            (BYTES, one(number(bytes))),
            (FREE, one(number(free))),
            (SPACE, one(number(space))),
            (CACHE, one(number(cache.bytes))),
            (CACHE_HITS, one(number(cache.hits))),
            (CACHE_MISSES, one(number(cache.misses))),
        ]
    }

    fn open_operations(&self) -> Values {
        let mut counts: BTreeMap<(String, &'static str), u32> = BTreeMap::new();
        for operation in self.registry.unfinished() {
            *counts.entry((operation.kind.clone(), operation.state.name())).or_default() += 1;
        }
        for state in [operations::State::Pending, operations::State::Running] {
            // so that a rule about it has something to look at
            counts.entry(("load".into(), state.name())).or_default();
        }
        counts.into_iter().map(|((kind, state), count)| labelled([&kind, state], f64::from(count))).collect()
    }
}

impl Collector for Observed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (about, values) in self.values() {
            let counter = about.kind == "counter";
            let kind = if counter { MetricType::Counter } else { MetricType::Gauge };
            let mut metric = encoder.encode_descriptor(about.base(), about.help, None, kind)?;
            for (labels, value) in values {
                if labels.is_empty() {
                    encode(&mut metric, counter, value)?;
                } else {
                    let labels: Vec<(&str, String)> = about.labels.iter().copied().zip(labels).collect();
                    encode(&mut metric.encode_family(&labels)?, counter, value)?;
                }
            }
        }
        Ok(())
    }
}

fn encode(metric: &mut MetricEncoder<'_>, counter: bool, value: f64) -> fmt::Result {
    if counter { metric.encode_counter::<NoLabelSet, _, f64>(&value, None) } else { metric.encode_gauge(&value) }
}
