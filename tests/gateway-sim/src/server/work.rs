//! Requests that take a while or go on until they are cancelled: each is a task of its own.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::answer::{Refusal, notice};
use super::historical::{self, Answer};
use super::ledger::Fault;
use super::open::OpenRequests;
use super::outlet::{Answered, Flow, Outlet};
use super::{Shared, live};
use crate::market::BarQuery;
use crate::protocol::messages::HistoricalDataRequest;
use crate::protocol::reply::Reply;

/// What the gateway says before it assumes its own zone.
const NO_ZONE: &str = "Warning: You submitted request with date-time attributes without explicit time zone.";

/// One request being worked on, and all it needs to answer.
pub(crate) struct Task {
    pub(crate) shared: Arc<Shared>,
    pub(crate) open: Arc<OpenRequests>,
    pub(crate) outlet: Outlet,
    pub(crate) answered: Answered,
    pub(crate) id: i32,
    pub(crate) cancelled: CancellationToken,
}

impl Task {
    pub(crate) async fn historical(self, request: HistoricalDataRequest) {
        let answer = tokio::select! {
            () = self.cancelled.cancelled() => return,
            answer = self.historical_answer(request) => answer,
        };
        let answered = Some(self.answered);
        let answer = answer.unwrap_or_else(|refusal| Answer::Whole(vec![refusal.reply(self.id)]));
        match answer {
            Answer::Whole(replies) => {
                if self.open.end(self.id) {
                    // Whether or not the client is still there.
                    self.outlet.say_all(answered, replies).await.is_break();
                }
            }
            Answer::Growing(replies, growth) => {
                self.until_cancelled(async {
                    self.outlet.say_all(answered, replies).await?;
                    live::follow(&self, growth).await
                })
                .await;
            }
        }
    }

    pub(crate) async fn real_time_bars(self, query: BarQuery) {
        self.until_cancelled(live::five_second_bars(&self, query)).await;
    }

    /// A stream ends by its cancel, or with its client.
    async fn until_cancelled(&self, stream: impl Future<Output = Flow>) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            _ = stream => drop(self.open.end(self.id)),
        }
    }

    /// Waits as told, then computes away from the tasks that listen.
    async fn historical_answer(&self, request: HistoricalDataRequest) -> Result<Answer, Refusal> {
        let delay = self.shared.clock.real(self.shared.knobs.answer_delay);
        if !delay.is_zero() {
            self.shared.ledger.played(Fault::Delay);
            tokio::time::sleep(delay).await;
        }
        let (shared, id) = (Arc::clone(&self.shared), self.id);
        let computed = tokio::task::spawn_blocking(move || {
            let plan = historical::plan(&shared, &request)?;
            let warning = plan.lacks_zone().then(|| notice(id, 2174, NO_ZONE));
            historical::answer(&shared, id, plan, warning)
        });
        computed.await.unwrap_or_else(|_| Err(Refusal::internal()))
    }

    pub(super) async fn say(&self, reply: Reply) -> Flow {
        self.outlet.say(Some(self.answered), reply).await
    }
}
