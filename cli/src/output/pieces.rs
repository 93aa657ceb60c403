//! A buffer before standard output or a file, for rows that come in many small pieces.
//!
//! A row of bars is a dozen pieces of a few bytes. The standard buffer hands each to the C library's `memcpy`, and musl's is one
//! string instruction, which needs tens of nanoseconds to begin: two thirds of `data show -f csv`. A copy whose length is known
//! when this is compiled is a move or two.

use std::io::{self, Write};

/// Few system calls for many rows; untouched pages of it cost nothing.
const BUFFER_BYTES: usize = 64 << 10;
/// Large enough to be worth a call, small enough that its zeros are not.
const GATHERED_MAX: usize = 512;
/// Pieces up to this length are gathered.
const PIECE_MAX: usize = 32;

/// Holds back up to its capacity. What is left is written when it goes, as well as it can be.
#[derive(Debug)]
pub(crate) struct Pieces<W: Write> {
    gathered: [u8; GATHERED_MAX],
    /// How much of it is taken.
    taken: usize,
    /// What came before.
    held: Vec<u8>,
    inner: W,
}

impl<W: Write> Pieces<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self::with_capacity(BUFFER_BYTES, inner)
    }

    fn with_capacity(bytes: usize, inner: W) -> Self {
        Self { gathered: [0; GATHERED_MAX], taken: 0, held: Vec::with_capacity(bytes), inner }
    }

    /// Where it all goes; it has what was flushed.
    pub(crate) fn inner(&self) -> &W {
        &self.inner
    }

    /// Room for one more piece.
    fn gather(&mut self) -> io::Result<()> {
        let gathered = &self.gathered[..self.taken];
        // also when it cannot be written: what went out must not go out again
        self.taken = 0;
        hold(&mut self.held, &mut self.inner, gathered)
    }
}

fn hold(held: &mut Vec<u8>, inner: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > held.capacity() - held.len() {
        pass_on(held, inner)?;
        if bytes.len() > held.capacity() {
            return inner.write_all(bytes);
        }
    }
    held.extend_from_slice(bytes);
    Ok(())
}

fn pass_on(held: &mut Vec<u8>, inner: &mut impl Write) -> io::Result<()> {
    let written = inner.write_all(held);
    held.clear();
    written
}

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.taken > GATHERED_MAX - PIECE_MAX || bytes.len() > PIECE_MAX {
            self.gather()?;
        }
        if bytes.len() > PIECE_MAX {
            return hold(&mut self.held, &mut self.inner, bytes);
        }
        place(&mut self.gathered[self.taken..][..bytes.len()], bytes);
        self.taken += bytes.len();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gather()?;
        pass_on(&mut self.held, &mut self.inner)?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for Pieces<W> {
    fn drop(&mut self) {
        // nobody is there to be told
        self.flush().ok();
    }
}

/// A piece into a place of its length.
fn place(to: &mut [u8], piece: &[u8]) {
    match piece.len() {
        0..2 => {
            if let ([to], [only]) = (to, piece) {
                *to = *only;
            }
        }
        2..4 => ends::<2>(to, piece),
        4..8 => ends::<4>(to, piece),
        8..16 => ends::<8>(to, piece),
        16.. => ends::<16>(to, piece),
    }
}

/// The first `N` bytes and the last, which share some.
fn ends<const N: usize>(to: &mut [u8], piece: &[u8]) {
    if let (Some(to), Some(first)) = (to.first_chunk_mut::<N>(), piece.first_chunk::<N>()) {
        *to = *first;
    }
    if let (Some(to), Some(last)) = (to.last_chunk_mut::<N>(), piece.last_chunk::<N>()) {
        *to = *last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_all_lengths_are_whole() {
        let text: Vec<u8> = (0..=255).collect();
        for length in 0..=PIECE_MAX {
            let mut to = vec![7; length];
            place(&mut to, &text[1..=length]);
            assert_eq!(to, text[1..=length], "{length}");
        }
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let text: Vec<u8> = (0..40_u8).cycle().take(5_000).collect();
        let mut out = Vec::new();
        {
            let mut pieces = Pieces::with_capacity(64, &mut out);
            let mut rest = text.as_slice();
            for length in (0..=70).cycle() {
                let Some((piece, after)) = rest.split_at_checked(length) else { break };
                pieces.write_all(piece).unwrap();
                rest = after;
            }
            pieces.write_all(rest).unwrap();
        }
        assert!(out == text, "{} of {}", out.len(), text.len());
    }

    #[test]
    fn what_could_not_be_written_is_told_once() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut pieces = Pieces::with_capacity(8, Full);
        pieces.write_all(b"held").unwrap();
        assert_eq!(pieces.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        pieces.flush().unwrap();
    }
}
