//! What is counted while the daemon works: the numbers behind `/metrics`. Each has one description, which is its help text there and
//! its row in `docs/REFERENCE.md`. No label comes from a user, a peer or a file: the series of a metric are few and known.

use std::{
    sync::{LazyLock, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// What one metric is.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// As it is asked for, the suffix of counters included.
    pub name: &'static str,
    /// `counter`, `gauge`, `histogram`.
    pub kind: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// A sentence.
    pub help: &'static str,
}

impl About {
    /// As it is registered: what encodes adds the suffix of a counter.
    pub fn base(&self) -> &'static str {
        self.name.strip_suffix("_total").unwrap_or(self.name)
    }
}

const fn about(name: &'static str, kind: &'static str, labels: &'static [&'static str], help: &'static str) -> About {
    About { name, kind, labels, help }
}

/// A label and its value.
pub type Label = (&'static str, &'static str);

const RPC: About = about(
    "ktrdr_rpc_duration_seconds",
    "histogram",
    &["method", "code"],
    "Calls by method and gRPC code, from their coming to their end",
);
const GATEWAY_REQUESTS: About = about(
    "ktrdr_gateway_requests_total",
    "counter",
    &["kind", "outcome"],
    "Requests that went to the gateway and ended",
);
const GATEWAY_ANSWER: About =
    about("ktrdr_gateway_answer_seconds", "histogram", &["kind"], "From the departure of a request to its end");
const PACING_WAIT: About =
    about("ktrdr_pacing_wait_seconds", "histogram", &["kind"], "What a request waited for its turn, pacing included");
const BARS_WRITTEN: About =
    about("ktrdr_bars_written_total", "counter", &[], "Bars in files that were written, revised ones included");
const COMMIT: About = about(
    "ktrdr_store_commit_seconds",
    "histogram",
    &[],
    "To make a change of the store durable: files, folders, ledger",
);
const OPERATIONS: About = about(
    "ktrdr_operation_duration_seconds",
    "histogram",
    &["kind", "state"],
    "Operations that ended, from their start",
);
const HOST_CALLS: About =
    about("ktrdr_host_service_call_seconds", "histogram", &["kind", "outcome"], "Attempts of calls to host services");

/// What is counted here; the rest is read from the parts of the daemon when somebody asks.
pub const COUNTED: [About; 8] =
    [RPC, GATEWAY_REQUESTS, GATEWAY_ANSWER, PACING_WAIT, BARS_WRITTEN, COMMIT, OPERATIONS, HOST_CALLS];

/// Kinds of operations.
pub const KINDS: [&str; 5] = ["load", "loads", "import", "repair", "training"];

type Histograms<const N: usize> = Family<[Label; N], Histogram, fn() -> Histogram>;

/// The counters of this process.
#[derive(Debug)]
pub struct Metrics {
    rpc: Histograms<2>,
    gateway_requests: Family<[Label; 2], Counter<u64, AtomicU64>>,
    gateway_answer: Histograms<1>,
    pacing_wait: Histograms<1>,
    bars_written: Counter<u64, AtomicU64>,
    commit: Histogram,
    operations: Histograms<2>,
    host_calls: Histograms<2>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Those of this process.
pub fn metrics() -> &'static Metrics {
    &METRICS
}

/// 100 µs to 30 s, in steps of about three.
fn short() -> Histogram {
    Histogram::new([0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0])
}

/// A tenth of a second to a day.
fn long() -> Histogram {
    Histogram::new([0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0])
}

impl Metrics {
    fn new() -> Self {
        let gateway_requests = Family::default();
        // what has not happened yet is none of it: an increase can only be seen from a number
        drop(gateway_requests.get_or_create(&[("kind", "bars"), ("outcome", "answered")]));
        Self {
            rpc: Family::new_with_constructor(short),
            gateway_requests,
            gateway_answer: Family::new_with_constructor(short),
            pacing_wait: Family::new_with_constructor(long),
            bars_written: Counter::default(),
            commit: short(),
            operations: Family::new_with_constructor(long),
            host_calls: Family::new_with_constructor(short),
        }
    }

    /// Enters them where they are asked for. They share what they count.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(RPC.base(), RPC.help, self.rpc.clone());
        registry.register(GATEWAY_REQUESTS.base(), GATEWAY_REQUESTS.help, self.gateway_requests.clone());
        registry.register(GATEWAY_ANSWER.base(), GATEWAY_ANSWER.help, self.gateway_answer.clone());
        registry.register(PACING_WAIT.base(), PACING_WAIT.help, self.pacing_wait.clone());
        registry.register(BARS_WRITTEN.base(), BARS_WRITTEN.help, self.bars_written.clone());
        registry.register(COMMIT.base(), COMMIT.help, self.commit.clone());
        registry.register(OPERATIONS.base(), OPERATIONS.help, self.operations.clone());
        registry.register(HOST_CALLS.base(), HOST_CALLS.help, self.host_calls.clone());
    }

    /// A call has ended.
    pub fn call_ended(&self, method: &'static str, code: &'static str, took: Duration) {
        self.rpc.get_or_create(&[("method", method), ("code", code)]).observe(took.as_secs_f64());
    }

    /// A request leaves for the gateway.
    pub fn request_left(&self, kind: &'static str, waited: Duration) {
        self.pacing_wait.get_or_create(&[("kind", kind)]).observe(waited.as_secs_f64());
    }

    /// It has ended: `answered`, `withdrawn`, `failed`.
    pub fn request_ended(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.gateway_requests.get_or_create(&[("kind", kind), ("outcome", outcome)]).inc();
        self.gateway_answer.get_or_create(&[("kind", kind)]).observe(took.as_secs_f64());
    }

    /// A change of the store is durable.
    pub fn committed(&self, bars: usize, took: Duration) {
        self.bars_written.inc_by(bars as u64);
        self.commit.observe(took.as_secs_f64());
    }

    /// An operation has ended.
    pub fn operation_ended(&self, kind: &str, state: &'static str, took: Duration) {
        let kind = KINDS.into_iter().find(|known| *known == kind).unwrap_or("other");
        self.operations.get_or_create(&[("kind", kind), ("state", state)]).observe(took.as_secs_f64());
    }

    /// An attempt of a call to a host service has ended: `answered`, `failed`.
    pub fn host_called(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.host_calls.get_or_create(&[("kind", kind), ("outcome", outcome)]).observe(took.as_secs_f64());
    }
}
