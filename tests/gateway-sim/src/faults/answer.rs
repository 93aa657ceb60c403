//! What a fault makes of an answer: steps to take instead of saying it.

use std::time::Duration;

use super::bars;
use super::catalogue::FaultKind;
use super::fault::Fault;
use crate::protocol::messages::{ErrorMessage, HistoricalDataEnd, RequestId};
use crate::protocol::reply::Reply;

/// An error's id when it belongs to no request.
const NO_REQUEST: i32 = -1;
/// Far from any id that a client uses soon.
const FOREIGN: i32 = 1_000_000;

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Say(Reply),
    /// Simulated time; the request's cancel ends it, and the answer with it.
    Wait(Duration),
    /// Until the cancel, or so long; goes on either way.
    AwaitCancel(Duration),
    /// Until the cancel, which ends it.
    Hold,
    /// A pause that a cancel does not end.
    Linger(Duration),
    /// The connection ends.
    Cut,
}

/// What to do instead of saying these replies to the request with this id. `now` is the market's clock, epoch seconds.
pub(crate) fn script(fault: &Fault, id: Option<i32>, mut replies: Vec<Reply>, now: i64) -> Vec<Step> {
    let own = id.unwrap_or(NO_REQUEST);
    let error = |id: i32| notice(id, fault.code(), fault.text("text"));
    let say = |replies: Vec<Reply>| replies.into_iter().map(Step::Say);
    match fault.kind() {
        FaultKind::DropResponse | FaultKind::DropNth => vec![Step::Hold],
        FaultKind::Delay => [Step::Wait(fault.millis("ms"))].into_iter().chain(say(replies)).collect(),
        FaultKind::Late => {
            let waits = [Step::AwaitCancel(fault.seconds("seconds")), Step::Linger(fault.millis("ms"))];
            waits.into_iter().chain(say(replies)).collect()
        }
        FaultKind::EchoCancel => {
            let text =
                format!("Historical Market Data Service error message:API historical data query cancelled: {own}");
            vec![Step::AwaitCancel(Duration::MAX), Step::Say(notice(own, 162, &text))]
        }
        FaultKind::NoEnd => {
            replies.retain(|reply| !is_end(reply));
            say(replies).chain([Step::Hold]).collect()
        }
        FaultKind::EndFirst => {
            replies.sort_by_key(|reply| !is_end(reply));
            say(replies).collect()
        }
        FaultKind::DupBars => {
            let twice = |reply: Reply| vec![reply.clone(); if bars::of(&reply).is_some() { 2 } else { 1 }];
            say(replies.into_iter().flat_map(twice).collect()).collect()
        }
        FaultKind::DupEnd => {
            let again = replies.iter().find(|reply| is_end(reply)).cloned();
            say(replies).chain(again.map(Step::Say)).collect()
        }
        FaultKind::WrongReqId => {
            for reply in &mut replies {
                renumber(reply, own.wrapping_add(FOREIGN));
            }
            say(replies).chain([Step::Hold]).collect()
        }
        FaultKind::ForeignEnd => {
            let foreign = replies.iter().find(|reply| is_end(reply)).cloned().map(|mut end| {
                renumber(&mut end, own.wrapping_add(FOREIGN));
                end
            });
            foreign.map(Step::Say).into_iter().chain(say(replies)).collect()
        }
        FaultKind::Error if fault.text("id") == "-1" && id.is_some() => {
            [Step::Say(error(NO_REQUEST))].into_iter().chain(say(replies)).collect()
        }
        FaultKind::Error => vec![Step::Say(error(own))],
        FaultKind::HiddenError => vec![Step::Say(error(own)), Step::Hold],
        FaultKind::ErrorThenData => [Step::Say(error(own))].into_iter().chain(say(replies)).collect(),
        FaultKind::DataThenError => {
            replies.retain(|reply| !is_end(reply));
            say(replies).chain([Step::Say(error(own))]).collect()
        }
        FaultKind::Ambiguous => {
            vec![Step::Say(notice(own, 200, "The contract description specified is ambiguous."))]
        }
        FaultKind::TwoRows => say(replies.into_iter().flat_map(with_a_twin).collect()).collect(),
        FaultKind::KickOnHuge if bars_in(&replies) >= fault.number("bars") => vec![Step::Cut],
        kind => {
            bars::spoil(kind, fault, &mut replies, now);
            say(replies).collect()
        }
    }
}

fn bars_in(replies: &[Reply]) -> i64 {
    let count: usize = replies.iter().filter_map(bars::of).map(|bars| bars.data.bars.len()).sum();
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn is_end(reply: &Reply) -> bool {
    matches!(reply, Reply::HistoricalDataEnd(_) | Reply::ContractDataEnd(_))
}

fn renumber(reply: &mut Reply, id: i32) {
    let field = match reply {
        Reply::HistoricalData(bars) => &mut bars.data.id,
        Reply::HistoricalDataEnd(HistoricalDataEnd { id, .. }) | Reply::ContractDataEnd(RequestId { id }) => id,
        Reply::ContractData(row) => &mut row.id,
        Reply::HeadTimestamp(head) => &mut head.id,
        Reply::SymbolSamples(samples) => &mut samples.id,
        Reply::HistoricalSchedule(schedule) => &mut schedule.id,
        Reply::Error(error) => &mut error.id,
        _ => return,
    };
    *field = Some(id);
}

/// A row, and the same contract at another exchange.
fn with_a_twin(reply: Reply) -> Vec<Reply> {
    let Reply::ContractData(row) = &reply else {
        return vec![reply];
    };
    let mut twin = row.clone();
    if let Some(contract) = &mut twin.contract {
        contract.con_id = contract.con_id.map(|id| id.wrapping_add(FOREIGN));
        contract.exchange = Some("MEXI".to_owned());
        contract.primary_exch = Some("MEXI".to_owned());
        contract.currency = Some("MXN".to_owned());
    }
    vec![reply, Reply::ContractData(twin)]
}

fn notice(id: i32, code: i32, text: &str) -> Reply {
    let time = jiff::Timestamp::now().as_millisecond();
    Reply::Error(ErrorMessage { id: Some(id), time: Some(time), code: Some(code), text: Some(text.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages::{ContractData, HistoricalBar, HistoricalBars, HistoricalData};

    fn answer() -> Vec<Reply> {
        let bar = |date: i64| HistoricalBar {
            date: Some(date.to_string()),
            open: Some(10.0),
            high: Some(12.0),
            low: Some(9.0),
            close: Some(11.0),
            volume: Some("100".to_owned()),
            ..HistoricalBar::default()
        };
        let data = HistoricalData { id: Some(7), bars: (0..6).map(|n| bar(1_700_000_000 + n * 60)).collect() };
        let (start, end) = ("20231114 17:13:20 US/Eastern".to_owned(), "20231114 17:20:00 US/Eastern".to_owned());
        let last = HistoricalDataEnd { id: Some(7), start: Some(start.clone()), end: Some(end.clone()) };
        vec![Reply::HistoricalData(HistoricalBars { data, start, end }), Reply::HistoricalDataEnd(last)]
    }

    fn played(kind: FaultKind) -> Vec<Step> {
        script(&Fault::new(kind), Some(7), answer(), 1_700_001_000)
    }

    /// What is said, by wire id, and what is done otherwise.
    fn shape(steps: &[Step]) -> String {
        let word = |step: &Step| match step {
            Step::Say(reply) => reply.wire_id().to_string(),
            Step::Wait(_) => "wait".to_owned(),
            Step::AwaitCancel(_) => "cancel".to_owned(),
            Step::Hold => "hold".to_owned(),
            Step::Linger(_) => "linger".to_owned(),
            Step::Cut => "cut".to_owned(),
        };
        steps.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn told(steps: &[Step]) -> Vec<HistoricalBar> {
        let bars = steps.iter().find_map(|step| match step {
            Step::Say(Reply::HistoricalData(bars)) => Some(bars.data.bars.clone()),
            _ => None,
        });
        bars.unwrap()
    }

    #[test]
    fn shapes_of_answers() {
        for (kind, expected) in [
            (FaultKind::DropResponse, "hold"),
            (FaultKind::Delay, "wait 17 108"),
            (FaultKind::Late, "cancel linger 17 108"),
            (FaultKind::EchoCancel, "cancel 4"),
            (FaultKind::NoEnd, "17 hold"),
            (FaultKind::EndFirst, "108 17"),
            (FaultKind::DupBars, "17 17 108"),
            (FaultKind::DupEnd, "17 108 108"),
            (FaultKind::WrongReqId, "17 108 hold"),
            (FaultKind::ForeignEnd, "108 17 108"),
            (FaultKind::Error, "4"),
            (FaultKind::ErrorThenData, "4 17 108"),
            (FaultKind::DataThenError, "17 4"),
            (FaultKind::HiddenError, "4 hold"),
            (FaultKind::Ambiguous, "4"),
            (FaultKind::KickOnHuge, "cut"),
            (FaultKind::NanPrice, "17 108"),
        ] {
            assert_eq!(shape(&played(kind)), expected, "{kind:?}");
        }
        let aside = Fault::new(FaultKind::Error).with("id", "-1").unwrap();
        assert_eq!(shape(&script(&aside, Some(7), answer(), 0)), "4 17 108");
        assert_eq!(shape(&script(&aside, None, answer(), 0)), "4");
    }

    #[test]
    fn spoilt_bars() {
        let good = told(&played(FaultKind::DupEnd));
        assert_eq!(told(&played(FaultKind::EmptyBars)), []);
        assert_eq!(told(&played(FaultKind::ShortRange)), good[3..]);
        let reversed: Vec<_> = good.iter().rev().cloned().collect();
        assert_eq!(told(&played(FaultKind::Unsorted)), reversed);
        let twice = told(&played(FaultKind::DuplicateTimestamps));
        assert!(
            twice.len() > good.len() && twice[0].date == twice[1].date && twice[0] != good[0] && twice[1] == good[0]
        );
        let running = told(&played(FaultKind::RunningLastBar));
        assert_eq!((running.len(), running[6].date.as_deref()), (7, Some("1700000960")));
        assert_eq!(told(&played(FaultKind::ZonedDates))[0].date.as_deref(), Some("20231114 17:13:20 US/Eastern"));
        assert!(told(&played(FaultKind::NanPrice)).iter().any(|bar| bar.high.unwrap().is_nan()));
        assert!(told(&played(FaultKind::ImpossiblePrice)).iter().any(|bar| bar.high < bar.low));
        let wrong = told(&played(FaultKind::WrongPrice));
        assert!(wrong != good && wrong.iter().all(|bar| bar.high >= bar.close && bar.low <= bar.close));
        assert_eq!(told(&played(FaultKind::SentinelVolume))[0].volume.as_deref(), Some("9223372036854775807"));
        assert_eq!(told(&played(FaultKind::Huge)).len(), 50_000);
    }

    #[test]
    fn spoilt_ends() {
        let end = |kind| match played(kind).pop() {
            Some(Step::Say(Reply::HistoricalDataEnd(end))) => end.end.unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(end(FaultKind::UtcEnd), "20231114-22:20:00");
        assert_eq!(end(FaultKind::ZonelessEnd), "20231114 17:20:00");
        assert_eq!(end(FaultKind::UnknownZoneEnd), "20231114 17:20:00 Mars/One");
    }

    #[test]
    fn a_twin_is_of_another_exchange() {
        let row =
            ContractData { id: Some(7), contract: Some(crate::protocol::messages::Contract::default()), details: None };
        let steps = script(&Fault::new(FaultKind::TwoRows), Some(7), vec![Reply::ContractData(Box::new(row))], 0);
        assert_eq!((shape(&steps), steps[0] == steps[1]), ("10 10".to_owned(), false));
    }
}
