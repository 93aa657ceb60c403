//! Somebody who only wants to be served, on a thread and in a runtime of their own: facts, lists and bars, over a kept connection and
//! over new ones. As root, it is another user than the crowd: one user's calls are counted together.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, GetRangeRequest, ListOperationsRequest, QueryRequest, daemon_client::DaemonClient,
    market_data_client::MarketDataClient, operations_client::OperationsClient, query_request::Window,
};
use tonic::{Status, transport::Channel};

use super::{all_bars, reason_of};
use crate::daemon::channel;

const BETWEEN: Duration = Duration::from_millis(20);
/// Bars that are asked for.
const TAIL: u64 = 100;
/// Who waits longer has not been served.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// At work.
pub(super) struct Bystander {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Met>>,
}

/// Of a user with more calls open than one may have.
const TOO_MANY: &str = "TOO_MANY_CALLS";

/// What they met.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) times: Vec<Duration>,
    pub(super) errors: Vec<String>,
    /// Calls that were refused because the crowd is the same user.
    pub(super) refused: u64,
}

/// The user that it becomes, if it can.
pub(super) const OTHER_USER: u32 = 65_534;

/// The thread, not the process.
fn become_another() -> bool {
    let user = rustix::process::Uid::from_raw(OTHER_USER);
    rustix::process::geteuid().is_root() && rustix::thread::set_thread_res_uid(user, user, user).is_ok()
}

impl Bystander {
    pub(super) fn begin(socket: PathBuf) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = over.clone();
        let thread = std::thread::spawn(move || {
            let is_other = become_another();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(call(&socket, is_other, &until))
        });
        Self { over, thread }
    }

    pub(super) fn end(self) -> Result<Met> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| bail!("the bystander panicked"))
    }
}

async fn call(socket: &Path, is_other: bool, over: &AtomicBool) -> Result<Met> {
    let kept = channel(socket)?;
    let mut met = Met::default();
    for number in 0.. {
        let began = Instant::now();
        let called = async {
            match number % 4 {
                0 => range(channel(socket)?).await,
                1 => status(kept.clone()).await,
                2 => list(kept.clone()).await,
                _ => tail(kept.clone()).await,
            }
        };
        match tokio::time::timeout(ANSWER_MAX, called).await {
            Ok(Ok(())) => met.times.push(began.elapsed()),
            Ok(Err(error)) if !is_other && is_too_many(&error) => met.refused += 1,
            Ok(Err(error)) => met.errors.push(format!("call {}: {error:#}", number % 4)),
            Err(_) => met.errors.push(format!("call {}: no answer within {ANSWER_MAX:?}", number % 4)),
        }
        if over.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(met)
}

fn is_too_many(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Status>().is_some_and(|status| reason_of(status) == TOO_MANY)
}

async fn status(channel: Channel) -> Result<()> {
    DaemonClient::new(channel).get_status(GetDaemonStatusRequest {}).await.map(drop).map_err(told)
}

async fn range(channel: Channel) -> Result<()> {
    let request = GetRangeRequest { series: all_bars().series };
    MarketDataClient::new(channel).get_range(request).await.map(drop).map_err(told)
}

async fn list(channel: Channel) -> Result<()> {
    OperationsClient::new(channel).list(ListOperationsRequest::default()).await.map(drop).map_err(told)
}

async fn tail(channel: Channel) -> Result<()> {
    let request = QueryRequest { window: Some(Window::Tail(TAIL)), ..all_bars() };
    let mut bars = MarketDataClient::new(channel).query(request).await.map_err(told)?.into_inner();
    while bars.message().await.map_err(told)?.is_some() {}
    Ok(())
}

/// With what lies below it.
pub(super) fn told(status: Status) -> anyhow::Error {
    anyhow::Error::from(status)
}
