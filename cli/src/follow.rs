//! Following an operation to its end.
//!
//! Ctrl-C asks for cancellation and goes on waiting, so that what was kept can be told; a second one leaves at once.
//! A daemon that goes away ends the following, not the operation: that is in its ledger.

use std::{
    future::pending,
    io,
    mem::replace,
    pin::{Pin, pin},
};

use ktrdr_proto::{
    reason,
    v1::{CancelOperationRequest, Operation, OperationState, WatchOperationRequest},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    output::{Talk, progress::Progress},
    views::operation::OperationView,
};

/// Ctrl-C, from the moment this exists. Made before the work is started, so that none is missed.
pub(crate) struct Interrupts {
    signal: Option<Signal>,
    pressed: bool,
}

impl Interrupts {
    /// Ctrl-C cancels what is followed.
    pub(crate) fn cancel() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(&reason::INTERNAL, "cannot listen for Ctrl-C").caused_by(&error);
        let signal = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(Self { signal: Some(signal), pressed: false })
    }

    /// Ctrl-C ends this process and nothing else.
    pub(crate) fn leave() -> Self {
        Self { signal: None, pressed: false }
    }

    /// Awaits the answer to the call that starts the work. What was started is known only then, so Ctrl-C is kept
    /// for [`to_end`]; a second one leaves at once.
    pub(crate) async fn starting<T>(
        &mut self,
        talk: Talk,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut call = pin!(call);
        loop {
            tokio::select! {
                answer = &mut call => return answer,
                () = self.next() => {
                    if replace(&mut self.pressed, true) {
                        return Err(left("ktrdr operations list --active"));
                    }
                    talk.say("Cancelling when the daemon has answered; press Ctrl-C again to leave at once");
                }
            }
        }
    }

    /// The next Ctrl-C.
    pub(crate) async fn next(&mut self) {
        match &mut self.signal {
            Some(signal) => {
                signal.recv().await;
            }
            None => pending().await,
        }
    }
}

/// An operation that was followed to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) operation: Operation,
    /// Ctrl-C was pressed.
    pub(crate) interrupted: bool,
}

impl Ended {
    /// Why this is no success.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.interrupted {
            let text = format!("interrupted; {} is {}", self.operation.id, state_word(&self.operation));
            let failure = Failure::new(&reason::INTERRUPTED_BY_USER, text);
            // of a load, what came is stored; a training keeps nothing
            return Some(match self.operation.kind.as_str() {
                "training" => {
                    failure.hint(format!("from the first epoch again: ktrdr operations retry {}", self.operation.id))
                }
                _ => failure,
            });
        }
        Failure::from_operation(&self.operation)
    }
}

fn state_word(operation: &Operation) -> &'static str {
    ktrdr_proto::spelling::Word::word(operation.state())
}

/// Whether nothing more happens in this state.
pub(crate) fn has_ended(operation: &Operation) -> bool {
    use OperationState::{Cancelled, Completed, Failed, Interrupted};
    matches!(operation.state(), Completed | Failed | Cancelled | Interrupted)
}

type Cancelling = Pin<Box<dyn Future<Output = Result<Operation, Failure>>>>;

/// Follows an operation that this command has started, with its id on a line of its own and a progress bar.
pub(crate) async fn started(
    client: &Client,
    talk: Talk,
    operation: &Operation,
    interrupts: Interrupts,
    bar: bool,
) -> Result<Ended, Stop> {
    talk.say(&format!("Started operation: {}", operation.id));
    let progress = Progress::of_operation(talk, bar);
    let show = |operation: &Operation| {
        progress.show(operation);
        Ok(())
    };
    let ended = to_end(client, &talk, &operation.id, interrupts, show).await;
    progress.clear();
    ended
}

/// Follows an operation of somebody else's: Ctrl-C leaves it running.
pub(crate) async fn joined(
    client: &Client,
    talk: Talk,
    operation: &Operation,
    mut interrupts: Interrupts,
    bar: bool,
) -> Result<Ended, Stop> {
    tokio::select! {
        ended = started(client, talk, operation, Interrupts::leave(), bar) => ended,
        () = interrupts.next() => Err(left(&format!("ktrdr operations watch {}", operation.id)).into()),
    }
}

/// Watches operation `id` until it has ended and hands every state to `show`.
pub(crate) async fn to_end(
    client: &Client,
    talk: &Talk,
    id: &str,
    mut interrupts: Interrupts,
    mut show: impl FnMut(&Operation) -> Result<(), Stop>,
) -> Result<Ended, Stop> {
    let lost = |failure: Failure| gone(failure, id);
    let request = client.request(WatchOperationRequest { id: id.to_owned() });
    let mut events = client.answer(client.operations().watch(request)).await.map_err(lost)?;
    let mut event = client.message(&mut events).await.map_err(lost)?;
    let begin = || -> Cancelling {
        talk.say("Cancelling; press Ctrl-C again to leave at once");
        Box::pin(cancel(client.clone(), id.to_owned(), "Ctrl-C"))
    };
    let mut cancelling = interrupts.pressed.then(begin);
    loop {
        let Some(operation) = event.take().and_then(|event| event.operation) else {
            return Err(lost(cut_off(client)).into());
        };
        show(&operation)?;
        if has_ended(&operation) {
            return Ok(Ended { operation, interrupted: cancelling.is_some() });
        }
        event = loop {
            tokio::select! {
                () = interrupts.next() => match cancelling {
                    Some(_) => return Err(left(&format!("ktrdr operations status {id}")).into()),
                    None => cancelling = Some(begin()),
                },
                operation = finished(&mut cancelling) => {
                    let operation = operation.map_err(lost)?;
                    show(&operation)?;
                    return Ok(Ended { operation, interrupted: true });
                }
                event = events.message() => break event.map_err(|status| lost(client.failure(&status)))?,
            }
        };
    }
}

async fn finished(cancelling: &mut Option<Cancelling>) -> Result<Operation, Failure> {
    match cancelling {
        Some(cancelling) => cancelling.await,
        None => pending().await,
    }
}

/// Asks an operation to stop, and waits until it has, however long that takes. `note` is for the record.
pub(crate) async fn cancel(client: Client, id: String, note: &str) -> Result<Operation, Failure> {
    let request = client.request(CancelOperationRequest { id, note: note.to_owned() });
    let answer = client.answer_at_last(client.operations().cancel(request)).await?;
    Ok(answer.operation.unwrap_or_default())
}

fn cut_off(client: &Client) -> Failure {
    let text = format!("ktrdrd at {} stopped before the operation had ended", client.socket());
    Failure::new(&reason::DAEMON_UNREACHABLE, text)
}

/// The operation outlives the connection, so the hint names it instead of the daemon.
fn gone(failure: Failure, id: &str) -> Failure {
    if failure.exit() == reason::exit::UNREACHABLE {
        failure.hint(format!("the operation is in the ledger: ktrdr operations status {id}"))
    } else {
        failure
    }
}

fn left(hint: &str) -> Failure {
    Failure::new(&reason::INTERRUPTED_BY_USER, "left before the operation had ended").hint(hint)
}

/// What `--detach` prints: the bare id, or the document.
pub(crate) fn print_started(context: &mut Context, json: bool, operation: &Operation) -> Result<(), Stop> {
    if json {
        context.out.document(&OperationView::from(operation))?;
    } else {
        context.out.line(&operation.id)?;
    }
    Ok(())
}
