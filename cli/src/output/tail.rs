//! The end of a file.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// Read from the end in pieces of this size.
const BLOCK_BYTES: u64 = 64 << 10;

/// The last `lines` lines; afterwards the file stands at its end.
pub(crate) fn tail(file: &mut File, lines: usize) -> io::Result<Vec<u8>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut start = end;
    let mut tail = Vec::new();
    while start > 0 && count_lines(&tail) <= lines {
        let block_start = start.saturating_sub(BLOCK_BYTES);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(block_start))?;
        file.take(start - block_start).read_to_end(&mut block)?;
        block.append(&mut tail);
        tail = block;
        start = block_start;
    }
    file.seek(SeekFrom::Start(end))?;
    let surplus = count_lines(&tail).saturating_sub(lines);
    let cut = tail.split_inclusive(|byte| *byte == b'\n').take(surplus).map(<[u8]>::len).sum();
    Ok(tail.split_off(cut))
}

fn count_lines(text: &[u8]) -> usize {
    text.split_inclusive(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_tail_is_the_last_lines_whatever_the_size() {
        let lines: Vec<_> = (0..30_000).map(|n| format!("line {n}\n")).collect();
        for ending in ["", "cut off"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all((lines.concat() + ending).as_bytes()).unwrap();
            let wanted = lines[29_990..].concat() + ending;
            let count = 10 + usize::from(!ending.is_empty());
            assert_eq!(tail(&mut file, count).unwrap(), wanted.as_bytes());
            assert_eq!(tail(&mut file, usize::MAX).unwrap().len(), lines.concat().len() + ending.len());
            assert!(tail(&mut file, 0).unwrap().is_empty());
        }
    }
}
