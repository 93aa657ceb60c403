//! A program on a terminal: keys go in, and what its screen shows can be looked at.

use std::{
    fmt,
    fs::File,
    io::{Read as _, Write as _},
    num::NonZeroU16,
    os::fd::OwnedFd,
    process::{Command, ExitStatus},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::{
    fs::{OFlags, fcntl_setfl},
    termios::{InputModes, LocalModes, OutputModes, Winsize, tcgetattr, tcsetwinsize},
};
use vt100::{Color, Parser, Screen};

use crate::{process::Process, wait};

/// How a terminal treats what is typed and printed.
pub type Modes = (InputModes, OutputModes, LocalModes);

/// A terminal with one program on it, which it controls: its size and its end are signals there. What is printed is read when it
/// is looked at.
pub struct Terminal {
    process: Process,
    pty: File,
    before: Modes,
    parser: Parser,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} shows\n{}\n", self.process, self.parser.screen().contents())
    }
}

impl Terminal {
    /// Starts the program on a terminal of so many columns and lines.
    pub fn start(command: Command, columns: u16, lines: u16) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let (pty, end) = pty_process::blocking::open()?;
        let pty = File::from(OwnedFd::from(pty));
        fcntl_setfl(&pty, OFlags::RDWR | OFlags::NONBLOCK)?;
        let mut parser = Parser::default();
        set_size(&pty, &mut parser, columns, lines)?;
        let before = modes(&pty)?;
        let child = pty_process::blocking::Command::from(command).env("TERM", "xterm-256color").spawn(end);
        let child = child.with_context(|| format!("cannot start {name}"))?;
        Ok(Self { process: Process::of(child, name), pty, before, parser })
    }

    /// Its program.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Types.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        Ok(self.pty.write_all(keys.as_bytes())?)
    }

    /// Another size.
    pub fn resize(&mut self, columns: u16, lines: u16) -> Result<()> {
        set_size(&self.pty, &mut self.parser, columns, lines)
    }

    /// What is on it.
    pub fn screen(&mut self) -> &Screen {
        let mut some = [0; 4096];
        // until there is no more for now, or ever
        while let Ok(count @ 1..) = self.pty.read(&mut some) {
            self.parser.process(&some[..count]);
        }
        self.parser.screen()
    }

    /// What can be read on it.
    pub fn text(&mut self) -> String {
        self.screen().contents()
    }

    /// Whether anything on it has a colour.
    pub fn is_colored(&mut self) -> bool {
        let screen = self.screen();
        let (lines, columns) = screen.size();
        let mut cells = (0..lines.get()).flat_map(|y| (0..columns.get()).map(move |x| (y, x)));
        cells.any(|(y, x)| screen.cell(y, x).is_some_and(|cell| cell.fgcolor() != Color::Default))
    }

    /// Waits until this can be read; all that can be read then.
    pub fn shows(&mut self, text: &str) -> Result<String> {
        self.shows_what(text, |shown| shown.contains(text))
    }

    /// Waits until what can be read is so.
    pub fn shows_what(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> Result<String> {
        let shown = wait::until(what, wait::LIMIT, || Ok(Some(self.text()).filter(|text| is_so(text))));
        shown.with_context(|| format!("{self:?}"))
    }

    /// Waits for the end of its program, and sees to it that the terminal is as it was.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let status = wait::until("the end of the program", wait::LIMIT, || {
            self.screen();
            self.process.ended()
        })?;
        let screen = self.screen();
        ensure!(!screen.alternate_screen() && !screen.hide_cursor(), "it left its screen behind: {self:?}");
        let after = modes(&self.pty)?;
        ensure!(after == self.before, "the terminal was {:?} and is {after:?}", self.before);
        Ok(status)
    }

    /// Nobody sits at it any more, which its program is told; that.
    pub fn hang_up(self) -> Process {
        self.process
    }
}

fn modes(pty: &File) -> Result<Modes> {
    let modes = tcgetattr(pty)?;
    Ok((modes.input_modes, modes.output_modes, modes.local_modes))
}

fn set_size(pty: &File, parser: &mut Parser, columns: u16, lines: u16) -> Result<()> {
    let (Some(wide), Some(high)) = (NonZeroU16::new(columns), NonZeroU16::new(lines)) else {
        bail!("no terminal has {columns} columns and {lines} lines");
    };
    parser.set_size(high, wide);
    Ok(tcsetwinsize(pty, Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?)
}
