//! Making, losing and ending the session's one connection.

use tokio_util::sync::CancellationToken;

use super::{Moment, Session, Step};
use crate::gateway::{
    GatewayError,
    command::{Command, Kind},
    link::Link,
    machine::{Effect, Event, Phase},
};

impl Session {
    /// Tells the machine what happened and carries out what it wants.
    pub(super) fn apply(&mut self, event: Event) {
        let effect = self.machine.apply(event, Moment::now());
        self.tell_change();
        match effect {
            Effect::Nothing => {}
            Effect::Connect => self.connect(),
            Effect::Close => self.close(),
            Effect::RefuseWaiting => {
                self.refuse_waiting(&GatewayError::UpstreamLost, |command| command.kind() != Kind::Clock);
            }
            // dropping them answers their callers, who ask again if they still want it
            Effect::AskAgain => _ = self.drop_requests(),
        }
    }

    fn connect(&mut self) {
        let client_id = self.machine.attempts.client_id(self.config.client_id);
        let (leaving, attempt) = (self.step.take(), Link::open(self.config.clone(), client_id));
        self.step = Some(Box::pin(async move {
            // never two sockets at once
            if let Some(leaving) = leaving {
                leaving.await;
            }
            Step::Connected(attempt.await)
        }));
    }

    fn close(&mut self) {
        if matches!(self.machine.phase, Phase::Stopped) {
            return; // the end of the task closes, and waits for it
        }
        let now = Moment::now().wall;
        let quiet = self.machine.next_quiet(now).filter(|quiet| quiet.start <= now);
        let refusal = quiet.map_or(GatewayError::Lost, |quiet| GatewayError::Resting { until: quiet.end });
        self.refuse_waiting(&refusal, |_| true);
        self.leave_politely();
    }

    /// Cancels what is open and says goodbye.
    fn leave_politely(&mut self) {
        let cancelling = self.drop_requests();
        let link = self.link.take();
        self.step = Some(Box::pin(async move {
            if let Some(link) = link {
                link.close(cancelling).await;
            }
            Step::Closed
        }));
    }

    /// A gateway that does not answer any more may still hear us.
    pub(super) fn on_silence(&mut self) {
        self.leave_politely();
        self.on_session_lost(GatewayError::Lost);
    }

    pub(super) fn on_step(&mut self, step: Step) {
        self.step = None;
        match step {
            Step::Connected(Ok(link)) => {
                self.apply(Event::Connected);
                self.step = Some(Box::pin(synchronise(link, self.stop.clone())));
            }
            Step::Synchronised(Ok(mut link)) => {
                self.sessions += 1;
                self.open.new_session();
                self.pulse.new_session(Moment::now());
                let outages = link.take_outages();
                self.link = Some(link);
                self.apply(Event::Synchronised(outages));
            }
            Step::Connected(Err(error)) | Step::Synchronised(Err(error)) => self.on_lost(error),
            Step::Closed => self.apply(Event::Closed),
        }
    }

    /// No session any more, or none yet: all who wait hear why, and the pause before the next attempt begins.
    pub(super) fn on_lost(&mut self, error: GatewayError) {
        self.drop_requests();
        drop(self.link.take());
        self.step = None;
        self.on_session_lost(error);
    }

    fn on_session_lost(&mut self, error: GatewayError) {
        self.apply(Event::Lost { error, chance: chance() });
        match &self.machine.phase {
            Phase::Waiting { because, .. } => {
                let because = because.clone();
                // our next client id is tried in seconds: loads wait for that
                let patient = self.waits_for_other_id(&because);
                self.refuse_waiting(&because, |command| !patient || command.kind() == Kind::Clock);
            }
            Phase::Resting { until } => {
                let resting = GatewayError::Resting { until: *until };
                self.refuse_waiting(&resting, |_| true);
            }
            _ => {}
        }
    }

    pub(super) fn waits_for_other_id(&self, because: &GatewayError) -> bool {
        matches!(because, GatewayError::ClientIdInUse { .. }) && self.machine.attempts.has_other_id()
    }

    pub(super) fn refuse_waiting(&mut self, error: &GatewayError, chosen: impl Fn(&Command) -> bool) {
        self.queue.drain(chosen).into_iter().for_each(|command| command.refuse(error.clone()));
    }

    /// Dropping the requests answers their callers; with a live connection it withdraws them at the gateway. Whether there
    /// were any.
    pub(super) fn drop_requests(&mut self) -> bool {
        let any = !self.in_flight.is_empty();
        self.in_flight.clear();
        self.open.clear();
        any
    }
}

/// Whatever comes of it, a gateway that is still there hears a goodbye.
async fn synchronise(mut link: Link, stop: CancellationToken) -> Step {
    match stop.run_until_cancelled(link.synchronise()).await {
        Some(Ok(())) => Step::Synchronised(Ok(link)),
        Some(Err(error @ GatewayError::Lost)) => Step::Synchronised(Err(error)),
        Some(Err(error)) => {
            link.close(true).await;
            Step::Synchronised(Err(error))
        }
        None => {
            link.close(true).await;
            Step::Closed
        }
    }
}

/// Spreads the attempts of several daemons that lost one gateway together. Quality does not matter.
fn chance() -> f64 {
    f64::from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().subsec_micros())
        / 1_000_000.0
}
