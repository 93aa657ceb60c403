//! Bytes made of other bytes: what is nearly right goes deeper into a reader than noise does.

use fastrand::Rng;

/// Figures at which something ends.
const FIGURES: [&str; 20] = [
    "0",
    "-0",
    "1",
    "-1",
    "00",
    "127",
    "128",
    "255",
    "32768",
    "65536",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e-400",
    "NaN",
    "inf",
];
/// Characters that mean something to many readers, and some that mean nothing to any.
const CHARACTERS: [&str; 28] = [
    "\n",
    "\r\n",
    "\0",
    "\t",
    " ",
    ",",
    ";",
    ":",
    "\"",
    "'",
    "\\",
    "/",
    "..",
    "=",
    "[",
    "]",
    "{",
    "}",
    "#",
    "&a",
    "*a",
    "-",
    "@",
    "\u{1b}[31m",
    "\u{feff}",
    "\u{202e}",
    "é",
    "\u{10ffff}",
];
/// Most bytes that are put in at once by repeating something.
const REPEATED_MAX: usize = 40_000;

/// Words of a corpus: what stands between two signs.
pub(crate) fn words(corpus: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let parts = corpus.iter().flat_map(|file| file.split(|byte| !is_word(byte)));
    let mut words: Vec<Vec<u8>> = parts.filter(|word| (2..=40).contains(&word.len())).map(<[u8]>::to_vec).collect();
    words.sort();
    words.dedup();
    words
}

/// Makes inputs of inputs.
#[derive(Debug)]
pub struct Mutator<'a> {
    /// Of which parts are put in.
    pub others: &'a [Vec<u8>],
    /// Put in as they are.
    pub words: &'a [Vec<u8>],
    /// Bytes of an input.
    pub longest: usize,
}

impl Mutator<'_> {
    /// One to a few changes, mostly few.
    pub fn mutate(&self, rng: &mut Rng, input: &mut Vec<u8>) {
        loop {
            self.change(rng, input);
            if rng.u8(..) < 150 {
                break;
            }
        }
        input.truncate(self.longest);
    }

    fn change(&self, rng: &mut Rng, input: &mut Vec<u8>) {
        let at = rng.usize(..=input.len());
        let part = range(rng, input.len());
        match rng.u8(..14) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << rng.u8(..8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = rng.u8(..);
                }
            }
            2 => put(input, at..at, &[rng.u8(..)]),
            3 | 4 => put(input, part, b""),
            5 => {
                let copy = input[part].to_vec();
                put(input, at..at, &copy);
            }
            6 => put_number(rng, input, at),
            7 => {
                if let Some(other) = rng.choice(self.others) {
                    let from = range(rng, other.len());
                    put(input, part, &other[from]);
                }
            }
            8 | 9 => {
                if let Some(word) = rng.choice(self.words) {
                    let place = if rng.bool() { at..at } else { word_at(input, at) };
                    put(input, place, word);
                }
            }
            10 => {
                let place = if rng.bool() { at..at } else { word_at(input, at) };
                put(input, place, rng.choice(FIGURES).unwrap_or_default().as_bytes());
            }
            11 => put(input, at..at, rng.choice(CHARACTERS).unwrap_or_default().as_bytes()),
            12 => input.truncate(at),
            _ => {
                // one time in eight so often that what grows faster than its input shows
                let bytes = input[part].to_vec();
                let most = if rng.u8(..) < 32 { REPEATED_MAX.min(self.longest) } else { 200 };
                let times = rng.usize(..=most / bytes.len().max(1));
                put(input, at..at, &bytes.repeat(times));
            }
        }
    }
}

fn put(input: &mut Vec<u8>, place: std::ops::Range<usize>, bytes: &[u8]) {
    drop(input.splice(place, bytes.iter().copied()));
}

/// Mostly short.
fn range(rng: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let from = rng.usize(..=length);
    let most = if rng.bool() { 8 } else { length };
    from..(from + rng.usize(..=most)).min(length)
}

/// The word around a place.
fn word_at(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    let from = input[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
    let to = input[at..].iter().position(|byte| !is_word(byte)).map_or(input.len(), |after| at + after);
    from..to
}

/// A number as machines write it, at whose ends something happens.
fn put_number(rng: &mut Rng, input: &mut [u8], at: usize) {
    let number: u64 = match rng.u8(..5) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << rng.u8(..64),
        3 => (1 << rng.u8(..63)) - 1,
        _ => rng.u64(..),
    };
    let bytes = if rng.bool() { number.to_be_bytes() } else { number.to_le_bytes() };
    let size = 1_usize << rng.u8(..4);
    let own = if rng.bool() { &bytes[..size] } else { &bytes[8 - size..] };
    for (byte, new) in input.iter_mut().skip(at).zip(own) {
        *byte = *new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_bytes_and_another_makes_others() {
        let corpus = [b"key = 17\nother = [1, 2]\n".to_vec(), b"[table]\n".to_vec()];
        let words = words(&corpus);
        assert!(words.contains(&b"table".to_vec()), "{words:?}");
        let made = |seed| {
            let mut rng = Rng::with_seed(seed);
            let mutator = Mutator { others: &corpus, words: &words, longest: 1_000 };
            let make = |_| {
                let mut input = corpus[0].clone();
                mutator.mutate(&mut rng, &mut input);
                input
            };
            (0..200).map(make).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
        assert!(made(3).iter().all(|input| input.len() <= 1_000));
        assert!(made(3).iter().filter(|input| **input != corpus[0]).count() > 150);
    }

    #[test]
    fn nothing_is_made_of_nothing_without_a_panic() {
        let mut rng = Rng::with_seed(7);
        let mutator = Mutator { others: &[], words: &[], longest: 100 };
        for _ in 0..2_000 {
            let mut input = Vec::new();
            mutator.mutate(&mut rng, &mut input);
            assert!(input.len() <= 100);
        }
    }
}
