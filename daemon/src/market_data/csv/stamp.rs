//! The text of a stamp.
//!
//! Written by hand rather than with a general parser: it runs once a row, the forms are few, and what it takes must not
//! widen with a new release of a library. Forms: a date; a date and a time, with seconds and a fraction or without;
//! after a time optionally `Z`, `UTC` or an offset.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::Offset,
};

/// A stamp as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// What a clock and a calendar on the wall show; midnight when there is only a date.
    pub(super) wall: DateTime,
    /// `None`: nothing is said about the zone.
    pub(super) offset: Option<Offset>,
}

impl Stamp {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = Rest(text.as_bytes());
        let date = rest.date()?;
        if rest.0.is_empty() {
            return Some(Self { wall: date.to_datetime(Time::midnight()), offset: None });
        }
        (rest.takes(b'T') || rest.takes(b' ') || rest.takes(b't')).then_some(())?;
        let wall = date.to_datetime(rest.time()?);
        if rest.0.is_empty() {
            return Some(Self { wall, offset: None });
        }
        let offset = Some(rest.offset()?);
        rest.0.is_empty().then_some(Self { wall, offset })
    }
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn two(&mut self) -> Option<i8> {
        let (&[tens, ones], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(digit(tens)? * 10 + digit(ones)?)
    }

    fn date(&mut self) -> Option<Date> {
        let year = i16::from(self.two()?) * 100 + i16::from(self.two()?);
        let month = self.takes(b'-').then(|| self.two())??;
        let day = self.takes(b'-').then(|| self.two())??;
        Date::new(year, month, day).ok()
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.two()?;
        let minute = self.takes(b':').then(|| self.two())??;
        let (mut second, mut nanos) = (0, 0);
        if self.takes(b':') {
            second = self.two()?;
            if self.takes(b'.') {
                nanos = self.fraction()?;
            }
        }
        // a leap second would be accepted as the second before it
        Time::new(hour, minute, second, nanos).ok().filter(|_| second < 60)
    }

    /// Nanoseconds of a fraction of whole microseconds: stored starts have no finer unit.
    fn fraction(&mut self) -> Option<i32> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        let nanos = padded.fold(0, |nanos, byte| nanos * 10 + i32::from(byte - b'0'));
        (nanos % 1000 == 0).then_some(nanos)
    }

    /// `Z`, `UTC`, `+00`, `+0000`, `+00:00`, `+00:00:00`, each after one blank or none.
    fn offset(&mut self) -> Option<Offset> {
        self.takes(b' ');
        if self.takes(b'Z') || self.takes(b'z') {
            return Some(Offset::UTC);
        }
        if let Some(rest) = self.0.strip_prefix(b"UTC") {
            self.0 = rest;
            return Some(Offset::UTC);
        }
        let sign = if self.takes(b'+') {
            1
        } else if self.takes(b'-') {
            -1
        } else {
            return None;
        };
        let hours = self.two()?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.takes(b':') {
            minutes = self.two()?;
            if self.takes(b':') {
                seconds = self.two()?;
            }
        } else if !self.0.is_empty() {
            minutes = self.two()?;
        }
        if hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        let [hours, minutes, seconds] = [hours, minutes, seconds].map(i32::from);
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok()
    }
}

fn digit(byte: u8) -> Option<i8> {
    byte.is_ascii_digit().then(|| byte.cast_signed() - b'0'.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(DateTime, Option<i32>)> {
        Stamp::parse(text).map(|stamp| (stamp.wall, stamp.offset.map(Offset::seconds)))
    }

    #[test]
    fn the_forms_that_exist() {
        let wall = date(2025, 5, 22).at(8, 0, 0, 0);
        assert_eq!(read("2025-05-22"), Some((date(2025, 5, 22).at(0, 0, 0, 0), None)));
        assert_eq!(read("2025-05-22 08:00:00"), Some((wall, None)));
        assert_eq!(read("2025-05-22 08:00"), Some((wall, None)));
        for text in ["+00:00", "Z", "z", " UTC", "UTC", "+0000", "-00:00", "+00", " +00:00", "+00:00:00"] {
            assert_eq!(read(&format!("2025-05-22T08:00:00{text}")), Some((wall, Some(0))), "{text}");
            assert_eq!(read(&format!("2025-05-22 08:00:00{text}")), Some((wall, Some(0))), "{text}");
        }
        assert_eq!(read("2025-05-22 08:00:00-04:00"), Some((wall, Some(-4 * 3600))));
        assert_eq!(read("2025-05-22T08:00+0530"), Some((wall, Some(19_800))));
        let fraction = date(2025, 5, 22).at(8, 0, 0, 123_456_000);
        assert_eq!(read("2025-05-22 08:00:00.123456"), Some((fraction, None)));
        assert_eq!(read("2025-05-22 08:00:00.123456000Z"), Some((fraction, Some(0))));
        assert_eq!(read("2025-05-22 08:00:00.0+00:00"), Some((wall, Some(0))));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "hello",
            "20250522",
            "2025-5-2",
            "22/05/2025",
            "2025-02-30",
            "2025-13-01",
            "2025-05-22 ",
            "2025-05-22 24:00:00",
            "2025-05-22 08:60:00",
            "2025-05-22 23:59:60",
            "2025-05-22 8:00",
            "2025-05-22 08",
            "2025-05-22 08:00:00.",
            "2025-05-22 08:00:00.1234567",
            "2025-05-22 08:00:00.0000000000",
            "2025-05-22 08:00:00 PM",
            "2025-05-22 08:00:00+24:00",
            "2025-05-22 08:00:00+5",
            "2025-05-22Z",
            "2025-05-22 08:00:00+00:00x",
            "2025-05-22 08:00:00Zx",
            "1747900800",
            "٢٠٢٥-٠٥-٢٢",
            "NaT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_general_parser_agrees(
            seconds in -62_000_000_000_i64..250_000_000_000, micros in 0..1_000_000_i32, offset in -1439..1440_i32,
        ) {
            let timestamp = jiff::Timestamp::new(seconds, micros * 1000).unwrap();
            let offset = Offset::from_seconds(offset * 60).unwrap();
            let text = timestamp.display_with_offset(offset).to_string();
            let stamp = Stamp::parse(&text);
            let wall = offset.to_datetime(timestamp);
            prop_assert_eq!(stamp, Some(Stamp { wall, offset: Some(offset) }), "{}", text);
            prop_assert_eq!(Stamp::parse(&wall.to_string()), Some(Stamp { wall, offset: None }));
        }
    }
}
