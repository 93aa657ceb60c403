//! `ktrdr daemon logs`: the log of a daemon that was started from here. Under systemd the journal has it.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    thread,
    time::Duration,
};

use ktrdr_proto::reason;
use serde::Serialize;

use super::log_path;
use crate::{
    context::Context,
    failure::{Failure, Stop},
};

const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// Read from the end in pieces of this size.
const BLOCK_BYTES: u64 = 64 << 10;

/// The log of a daemon that was started from here
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon logs
  ktrdr daemon logs -n 200
  ktrdr daemon logs --follow

A daemon under systemd logs to the journal: journalctl --user -u ktrdrd")]
pub(crate) struct Args {
    /// The last N lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,

    /// Go on and print what is added
    #[arg(short = 'F', long)]
    follow: bool,
}

#[derive(Serialize)]
struct View {
    path: String,
    lines: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let path = log_path()?;
    let mut file = File::open(&path).map_err(|error| no_log(&path, &error))?;
    let tail = tail(&mut file, args.lines).map_err(|error| no_log(&path, &error))?;
    if json {
        let lines = String::from_utf8_lossy(&tail).lines().map(str::to_owned).collect();
        context.out.document(&View { path: path.display().to_string(), lines })?;
        return Ok(());
    }
    context.out.write_all(&tail)?;
    if args.follow { follow(context, &mut file) } else { Ok(()) }
}

/// Prints what is added, until Ctrl-C. A file that shrank was emptied and is read from its beginning.
fn follow(context: &mut Context, file: &mut File) -> Result<(), Stop> {
    loop {
        context.out.flush()?;
        thread::sleep(BETWEEN_LOOKS);
        if file.metadata()?.len() < file.stream_position()? {
            file.rewind()?;
        }
        io::copy(file, &mut context.out)?;
    }
}

/// The last `lines` lines; afterwards the file stands at its end.
pub(super) fn tail(file: &mut File, lines: usize) -> io::Result<Vec<u8>> {
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

fn no_log(path: &Path, error: &io::Error) -> Failure {
    Failure::new(&reason::FILE_UNREADABLE, format!("no log at {}", path.display()))
        .caused_by(error)
        .hint("only ktrdr daemon start writes one; a daemon under systemd logs to: journalctl --user -u ktrdrd")
}

#[cfg(test)]
mod tests {
    use super::*;

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
