//! Durations as requests write them: `2 D`, and the limits on them.

use jiff::{Span as Calendar, ToSpan};

use super::BarSize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Seconds of trading, not of the clock.
    Seconds(i64),
    /// Sessions.
    Days(i64),
    Weeks(i64),
    Months(i64),
    Years(i64),
}

/// The most that may be asked of a unit, and what the refusal says.
const LIMITS: [(char, i64, &str); 5] = [
    ('S', 86_400, "Historical data requests for durations longer than 86400 seconds must be made in days."),
    ('D', 365, "Historical data requests for durations longer than 365 days must be made in years."),
    ('W', 52, "Historical data requests for durations longer than 52 weeks must be made in years."),
    ('M', 12, "Historical data requests for durations longer than 12 months must be made in years."),
    ('Y', 68, "Historical data requests for durations longer than 68 years are not supported."),
];
const ONE_SECOND_BARS_SPAN: i64 = 2000;

impl Span {
    /// The span, or the cause to put into a refusal.
    pub(crate) fn of_request(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "Historical data query duration is invalid. Form: integer, blank, unit (S|D|W|M|Y).";
        let (number, unit) = text.split_once(' ').ok_or(FORM)?;
        let digits_only = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits_only && *number > 0).ok_or(FORM)?;
        let limit = LIMITS.iter().find(|(letter, _, _)| unit.len() == 1 && unit.starts_with(*letter));
        let (letter, most, refusal) = *limit.ok_or(FORM)?;
        if number > most {
            return Err(refusal);
        }
        Ok(match letter {
            'S' => Self::Seconds(number),
            'D' => Self::Days(number),
            'W' => Self::Weeks(number),
            'M' => Self::Months(number),
            _ => Self::Years(number),
        })
    }

    /// One-second bars are had for about half an hour at a time.
    pub(crate) fn is_too_long_for(self, size: BarSize) -> bool {
        size == BarSize::Seconds(1) && !matches!(self, Self::Seconds(seconds) if seconds <= ONE_SECOND_BARS_SPAN)
    }

    /// The units that are counted on the calendar rather than by trading.
    pub(crate) fn calendar(self) -> Option<Calendar> {
        match self {
            Self::Seconds(_) | Self::Days(_) => None,
            Self::Weeks(weeks) => Some((weeks * 7).days()),
            Self::Months(months) => Some(months.months()),
            Self::Years(years) => Some(years.years()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_forms() {
        assert_eq!(Span::of_request("86400 S"), Ok(Span::Seconds(86_400)));
        assert_eq!(Span::of_request("12 M"), Ok(Span::Months(12)));
        for bad in [
            "86401 S", "366 D", "53 W", "13 M", "69 Y", "1 H", "1D", "D", "0 D", "-1 D", "+1 D", "1 d", " 1 D", "1 DD",
            "",
        ] {
            assert!(Span::of_request(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
