//! Bytes in pieces of any size to lines of text.

use super::CsvError;

/// Cuts at line feeds. Keeps the unfinished line only, and never more of it than the limit.
#[derive(Debug)]
pub(super) struct Lines {
    pending: Vec<u8>,
    /// Finished lines so far.
    number: u64,
    limit: usize,
}

impl Lines {
    /// `limit`: most bytes of a line.
    pub(super) fn new(limit: usize) -> Self {
        Self { pending: Vec::new(), number: 0, limit }
    }

    /// Calls `each` with number and text of every line that ends in `bytes`.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(u64, &str) -> Result<(), CsvError>,
    ) -> Result<(), CsvError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if self.pending.is_empty() {
                self.check_length(line)?;
                self.number += 1;
                each(self.number, text(line, self.number)?)?;
            } else {
                self.keep(line)?;
                self.number += 1;
                each(self.number, text(&self.pending, self.number)?)?;
                self.pending.clear();
            }
        }
        self.keep(rest)
    }

    /// The last line may lack its end.
    pub(super) fn finish(self, mut each: impl FnMut(u64, &str) -> Result<(), CsvError>) -> Result<(), CsvError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let number = self.number + 1;
        each(number, text(&self.pending, number)?)
    }

    fn keep(&mut self, more: &[u8]) -> Result<(), CsvError> {
        self.check_length(more)?;
        self.pending.extend_from_slice(more);
        Ok(())
    }

    /// Fails when the unfinished line and `more` are too long together. Judges by the first bytes up to the limit only,
    /// so that the answer does not depend on how the bytes were cut.
    fn check_length(&self, more: &[u8]) -> Result<(), CsvError> {
        let room = self.limit.saturating_sub(self.pending.len());
        let Some(head) = more.get(..room) else { return Ok(()) };
        if head.len() == more.len() {
            return Ok(());
        }
        let line = self.number + 1;
        let start = [self.pending.as_slice(), head].concat();
        // the cut may have split a character, which is no fault of the text
        let broken = std::str::from_utf8(&start).is_err_and(|error| error.error_len().is_some());
        if broken || start.contains(&0) {
            return Err(CsvError::NotText { line });
        }
        Err(CsvError::LineTooLong { line })
    }
}

/// The text of line `number`, without byte order mark and carriage return.
fn text(bytes: &[u8], number: u64) -> Result<&str, CsvError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CsvError::NotText { line: number })?;
    if bytes.contains(&0) {
        return Err(CsvError::NotText { line: number });
    }
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(if number == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]], limit: usize) -> Result<Vec<(u64, String)>, CsvError> {
        let mut found = Vec::new();
        let mut each = |number, line: &str| {
            found.push((number, line.to_owned()));
            Ok(())
        };
        let mut lines = Lines::new(limit);
        for piece in pieces {
            lines.feed(piece, &mut each)?;
            assert!(lines.pending.len() <= limit);
        }
        lines.finish(each)?;
        Ok(found)
    }

    #[test]
    fn a_line_of_any_length_costs_no_more_than_the_limit() {
        assert!(cut(&[b"12345678\n12345678"], 8).is_ok());
        assert_eq!(cut(&[b"1\n12345", b"6789"], 8), Err(CsvError::LineTooLong { line: 2 }));
        assert_eq!(cut(&[b"123456789\n"], 8), Err(CsvError::LineTooLong { line: 1 }));
        assert_eq!(cut(&[b"12\x00456789\n"], 8), Err(CsvError::NotText { line: 1 }));
        assert_eq!(cut(&["1234567é\n".as_bytes()], 8), Err(CsvError::LineTooLong { line: 1 }));
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_the_pieces(
            bytes in prop::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(0), Just(0xc3), Just(0xa9), 32_u8..127], 0..60,
            ),
            cuts in prop::collection::vec(0_usize..60, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(cut(&pieces, 12), cut(&[&bytes], 12));
        }
    }
}
