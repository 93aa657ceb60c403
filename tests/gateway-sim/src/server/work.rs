//! Requests that take a while or go on until they are cancelled: each is a task of its own.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::answer::{Refusal, notice};
use super::historical::{self, Answer};
use super::open::OpenRequests;
use super::outlet::{Answered, Flow, Outlet};
use super::{Shared, live};
use crate::faults::{Fault, FaultKind, Step, script};
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
    /// What hits its answer.
    pub(crate) fault: Option<Fault>,
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
            Answer::Whole(replies) if self.fault.is_some() => self.answer(replies).await,
            Answer::Whole(replies) => {
                if self.open.end(self.id) {
                    // Whether or not the client is still there.
                    self.outlet.say_all(answered, replies).await.is_break();
                }
            }
            Answer::Growing(replies, growth) => {
                self.until_cancelled(async {
                    self.begin(replies).await?;
                    live::follow(&self, growth).await
                })
                .await;
            }
        }
    }

    pub(crate) async fn real_time_bars(self, query: BarQuery) {
        self.until_cancelled(async {
            self.begin(Vec::new()).await?;
            live::five_second_bars(&self, query).await
        })
        .await;
    }

    /// Answers as the fault has it, and ends the request.
    pub(crate) async fn answer(self, replies: Vec<Reply>) {
        if !self.cancelled.is_cancelled() {
            // Whether or not the client is still there.
            self.perform(replies).await.is_break();
        }
        if !self.cancelled.is_cancelled() {
            self.open.end(self.id);
        }
    }

    /// The first answer of a stream. Breaks where there is to be none.
    async fn begin(&self, replies: Vec<Reply>) -> Flow {
        let Some(fault) = &self.fault else {
            return self.outlet.say_all(Some(self.answered), replies).await;
        };
        self.perform(replies).await?;
        match fault.kind() {
            FaultKind::Error if fault.text("id") == "request" => Flow::Break(()),
            FaultKind::DataThenError | FaultKind::Ambiguous => Flow::Break(()),
            _ => Flow::Continue(()),
        }
    }

    /// Says what the fault makes of the answer. Breaks when nothing more is to be said.
    async fn perform(&self, replies: Vec<Reply>) -> Flow {
        let Some(fault) = &self.fault else {
            return self.outlet.say_all(Some(self.answered), replies).await;
        };
        let (clock, line) = (&self.shared.clock, self.outlet.line());
        for step in script(fault, self.answered.id, replies, clock.now()) {
            let goes_on = match step {
                Step::Say(reply) => self.outlet.say(Some(self.answered), reply).await.is_continue(),
                Step::Linger(pause) => line.pause(clock.real(pause)).await,
                Step::Wait(pause) => tokio::select! {
                    () = self.cancelled.cancelled() => false,
                    on = line.pause(clock.real(pause)) => on,
                },
                Step::AwaitCancel(longest) => {
                    drop(tokio::time::timeout(clock.real(longest), self.cancelled.cancelled()).await);
                    true
                }
                Step::Hold => {
                    self.cancelled.cancelled().await;
                    false
                }
                Step::Cut => {
                    line.cut();
                    false
                }
            };
            if !goes_on {
                return Flow::Break(());
            }
        }
        Flow::Continue(())
    }

    /// A stream ends by its cancel, or with its client.
    async fn until_cancelled(&self, stream: impl Future<Output = Flow>) {
        let lost = self.shared.faults.weather.streams();
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            // Open still, and silent for ever.
            () = lost.cancelled() => self.cancelled.cancelled().await,
            _ = stream => drop(self.open.end(self.id)),
        }
    }

    /// Waits as told, then computes away from the tasks that listen.
    async fn historical_answer(&self, request: HistoricalDataRequest) -> Result<Answer, Refusal> {
        let delay = self.shared.clock.real(self.shared.knobs.answer_delay);
        if !delay.is_zero() {
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

    /// Says more of a stream. What comes while the gateway has lost its servers is lost.
    pub(super) async fn say(&self, reply: Reply) -> Flow {
        if self.shared.faults.weather.upstream_is_down() {
            return Flow::Continue(());
        }
        self.outlet.say(Some(self.answered), reply).await
    }
}
