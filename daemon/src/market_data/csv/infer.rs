//! What a file does not say about its series, guessed from its bars.

use jiff::{
    Timestamp,
    civil::{Time, time},
    tz::TimeZone,
};

use crate::model::{Bars, Nanos, Session, Symbol, Timeframe};

/// Regular hours of US stocks, New York wall time.
const OPEN: Time = time(9, 30, 0, 0);
const CLOSE: Time = time(16, 0, 0, 0);

/// Which hours the bars are made from. A stock whose bars all start in regular hours has regular hours. Without any
/// sign of it the answer is all hours: currencies have no others, a bar of a day does not tell, and the claim that
/// nothing is missing outside regular hours must not rest on a guess.
pub fn infer_session(bars: &Bars, symbol: &Symbol, timeframe: Timeframe) -> Session {
    if symbol.currency_pair().is_some() || !timeframe.is_intraday() || bars.is_empty() {
        return Session::AllHours;
    }
    let Ok(new_york) = TimeZone::get("America/New_York") else {
        return Session::AllHours;
    };
    let regular = |start: &Nanos| {
        Timestamp::from_nanosecond(i128::from(*start)).is_ok_and(|start| {
            let wall = new_york.to_datetime(start).time();
            (OPEN..CLOSE).contains(&wall)
        })
    };
    if bars.start.iter().all(regular) { Session::RegularHours } else { Session::AllHours }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bar;

    fn infer(starts: &[&str], symbol: &str, timeframe: Timeframe) -> Session {
        let bars = starts
            .iter()
            .map(|start| Bar {
                start: Nanos::try_from(start.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap(),
                open: 1.0,
                high: 1.0,
                low: 1.0,
                close: 1.0,
                volume: None,
            })
            .collect();
        infer_session(&bars, &Symbol::parse(symbol).unwrap(), timeframe)
    }

    #[test]
    fn the_hours_of_new_york_decide_in_summer_and_winter() {
        let summer = ["2025-05-22T13:30:00Z", "2025-05-22T19:59:00Z"];
        let winter = ["2025-01-02T14:30:00Z", "2025-01-02T20:59:00Z"];
        assert_eq!(infer(&summer, "AAPL", Timeframe::Minutes1), Session::RegularHours);
        assert_eq!(infer(&winter, "AAPL", Timeframe::Minutes1), Session::RegularHours);
        for outside in ["2025-05-22T13:00:00Z", "2025-05-22T20:00:00Z", "2025-01-02T14:29:00Z", "2025-01-02T21:00:00Z"]
        {
            let starts = [summer[0], outside];
            assert_eq!(infer(&starts, "AAPL", Timeframe::Minutes1), Session::AllHours, "{outside}");
        }
    }

    #[test]
    fn no_sign_of_regular_hours_means_all_hours() {
        let regular = ["2025-05-22T13:30:00Z"];
        assert_eq!(infer(&regular, "EURUSD", Timeframe::Hours1), Session::AllHours);
        assert_eq!(infer(&regular, "AAPL", Timeframe::Days1), Session::AllHours);
        assert_eq!(infer(&[], "AAPL", Timeframe::Hours1), Session::AllHours);
    }
}
