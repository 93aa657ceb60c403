//! What a load says while it waits, and when not all has come.

use std::time::Duration;

use ktrdr_proto::reason;

use crate::{
    clock,
    error::Failure,
    gateway::{Class, Gateway, GatewayError, State},
    model::TimeRange,
    operations::Context,
};

/// Awaits `answer` and says meanwhile, once a second, when it is our own pacing that takes the time.
pub(super) async fn telling_waits<T>(
    gateway: &Gateway,
    context: &Context,
    range: &TimeRange,
    answer: impl Future<Output = T>,
) -> T {
    let mut answer = std::pin::pin!(answer);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            _ = ticks.tick() => {
                let status = gateway.status();
                let message = match status.pacing.wait(gateway.origin()).as_secs() {
                    _ if status.state != State::Ready => {
                        format!("{}, waiting for the gateway: {}", in_words(range), status.next)
                    }
                    0 => in_words(range),
                    wait => format!("{}, waiting for pacing, {wait} s", in_words(range)),
                };
                context.progress(|progress| progress.message = message);
            }
        }
    }
}

pub(super) fn in_words(range: &TimeRange) -> String {
    let date = |instant| clock::text(instant).chars().take(10).collect::<String>();
    format!("{} to {}", date(range.start()), date(range.end()))
}

/// Nothing came: the error itself. Something came: incomplete, because of it.
pub(super) fn incomplete(error: &GatewayError, done: usize, total: usize) -> Failure {
    let cause = Failure::from(error);
    if done == 0 && (total == 1 || error.class() != Class::Transient) {
        return cause;
    }
    let message = format!("{} of {total} requests were not answered; what came is stored", total - done);
    let mut failure = Failure::new(&reason::LOAD_INCOMPLETE, message);
    failure.messages.extend(cause.messages);
    failure.with("cause", cause.reason)
}
