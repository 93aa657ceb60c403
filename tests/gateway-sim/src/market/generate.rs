//! Bars of contracts that have no file: cut out of `noise` on the contract's trading calendar.

use super::bar::{Bar, BarSize, Stamp, What};
use super::noise::{Candle, Curve, hash_text};
use super::period::{first_date, first_instant, group_of};
use super::schedule::Session;
use super::{BarQuery, SMALL_BAR_DEPTH_SECONDS, SMALL_BAR_SECONDS, noise, zone};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
/// More than fits into one answer: whoever asks for so many is refused, and need not wait for the rest.
const MOST_BARS: usize = 300_000;

/// What a generated contract costs.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    pub(crate) name: &'static str,
    pub(crate) level: f64,
    /// Decimals of a price.
    pub(crate) digits: u32,
    pub(crate) swing: f64,
    /// Start of the earliest data, epoch seconds.
    pub(crate) head: i64,
}

impl Tape {
    pub(crate) fn bars(&self, seed: u64, query: &BarQuery) -> Vec<Bar> {
        let mut reader = Reader::new(self, seed, query);
        if query.size.is_intraday() { self.intraday(&mut reader, query) } else { self.dated(&mut reader, query) }
    }

    fn intraday(&self, reader: &mut Reader, query: &BarQuery) -> Vec<Bar> {
        let (schedule, seconds) = (&query.contract.schedule, query.size.seconds());
        let end = query.end.min(query.now);
        let floor =
            if seconds <= SMALL_BAR_SECONDS { self.head.max(query.now - SMALL_BAR_DEPTH_SECONDS) } else { self.head };
        let first = first_instant(schedule, query.regular, end, query.span, floor);
        let grid = schedule
            .between(first, end, query.regular)
            .flat_map(|session| schedule.grid(session, seconds))
            .filter(|(start, _)| (first..end).contains(start));
        let mut bars = Vec::new();
        for (start, stop) in grid.take(MOST_BARS) {
            if let Some(candle) = reader.candle(start, stop) {
                bars.push(reader.bar(Stamp::Second(start), candle));
            }
        }
        bars
    }

    /// Days, weeks and months; the longer ones bear the date of their first session.
    fn dated(&self, reader: &mut Reader, query: &BarQuery) -> Vec<Bar> {
        let (schedule, end) = (&query.contract.schedule, query.end.min(query.now));
        let first = first_date(schedule, query.regular, end, query.span, self.head);
        let head = schedule.local_date(self.head);
        let sessions = schedule
            .starting(group_of(first, query.size).max(head), query.regular)
            .take_while(|session| session.open < query.now && group_begins_before(query, session.date, end));
        let mut groups: Vec<(Session, Candle)> = Vec::new();
        for session in sessions {
            let Some(candle) = reader.candle(session.open, session.close) else {
                continue;
            };
            match groups.last_mut() {
                Some((start, sum)) if same_group(query.size, *start, session) => *sum = sum.then(candle),
                _ => groups.push((session, candle)),
            }
        }
        groups.retain(|(start, _)| start.date >= first && zone::midnight(&schedule.zone, start.date) < end);
        groups.into_iter().map(|(start, candle)| reader.bar(Stamp::Day(start.date), candle)).collect()
    }
}

fn same_group(size: BarSize, one: Session, other: Session) -> bool {
    group_of(one.date, size) == group_of(other.date, size)
}

fn group_begins_before(query: &BarQuery, date: jiff::civil::Date, end: i64) -> bool {
    zone::midnight(&query.contract.schedule.zone, group_of(date, query.size)) < end
}

/// Reads one contract's curve, keeping the hour and minute at hand.
struct Reader {
    curve: Curve,
    what: What,
    scale: f64,
    now: i64,
    hour: Option<(i64, Candle)>,
    minute: Option<(i64, Candle)>,
}

impl Reader {
    fn new(tape: &Tape, seed: u64, query: &BarQuery) -> Self {
        let scale = f64::from(10u32.pow(tape.digits));
        let curve =
            Curve { key: noise::hash(seed, hash_text(tape.name)), level: tape.level * scale, swing: tape.swing };
        Self { curve, what: query.what, scale, now: query.now, hour: None, minute: None }
    }

    /// All trading in `[from, to)`, of a bar that is still running as far as it has come.
    fn candle(&mut self, from: i64, to: i64) -> Option<Candle> {
        let (mut at, to) = (from, to.min(self.now));
        let mut sum: Option<Candle> = None;
        while at < to {
            let (candle, next) = self.longest_piece(at, to);
            sum = Some(sum.map_or(candle, |sum| sum.then(candle)));
            at = next;
        }
        sum
    }

    /// The whole hour, minute or second at an instant that does not reach past `to`, and where it ends.
    fn longest_piece(&mut self, at: i64, to: i64) -> (Candle, i64) {
        if at % HOUR == 0 && at + HOUR <= to {
            (self.hour_at(at), at + HOUR)
        } else if at % MINUTE == 0 && at + MINUTE <= to {
            (self.minute_at(at), at + MINUTE)
        } else {
            let start = at - at % MINUTE;
            let minute = self.minute_at(start);
            (self.curve.part(minute, start, at % MINUTE), at + 1)
        }
    }

    fn hour_at(&mut self, start: i64) -> Candle {
        if let Some((kept, candle)) = self.hour
            && kept == start
        {
            return candle;
        }
        let candle = self.curve.hour(start.div_euclid(HOUR));
        self.hour = Some((start, candle));
        candle
    }

    fn minute_at(&mut self, start: i64) -> Candle {
        if let Some((kept, candle)) = self.minute
            && kept == start
        {
            return candle;
        }
        let hour_start = start - start % HOUR;
        let hour = self.hour_at(hour_start);
        let candle = self.curve.part(hour, hour_start, (start - hour_start) / MINUTE);
        self.minute = Some((start, candle));
        candle
    }

    fn bar(&self, stamp: Stamp, candle: Candle) -> Bar {
        // A spread of two ticks around the trades; of a two-sided bar, open is the bid and close the ask.
        let (open, high, low, close) = match self.what {
            What::Trades | What::AdjustedLast | What::Midpoint => (0, 0, 0, 0),
            What::Bid => (-1, -1, -1, -1),
            What::Ask => (1, 1, 1, 1),
            What::BidAsk => (-1, 1, -1, 1),
        };
        let (low_tick, high_tick) = (candle.low + low, candle.high + high);
        let typical = (candle.high + candle.low + candle.close) / 3;
        let traded = self.what.is_traded();
        Bar {
            stamp,
            open: self.price((candle.open + open).clamp(low_tick, high_tick)),
            high: self.price(high_tick),
            low: self.price(low_tick),
            close: self.price((candle.close + close).clamp(low_tick, high_tick)),
            volume: traded.then(|| decimal(candle.volume)),
            average: traded.then(|| self.price(typical)),
            count: traded.then(|| i32::try_from(candle.count).unwrap_or(i32::MAX)),
        }
    }

    /// The double nearest to the decimal price, as a correctly rounding parser would read it.
    fn price(&self, ticks: i64) -> f64 {
        decimal(ticks) / self.scale
    }
}

#[expect(clippy::cast_precision_loss, reason = "ticks and volumes are far below 2^53")]
fn decimal(number: i64) -> f64 {
    number as f64
}
