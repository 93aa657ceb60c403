//! The terminal: taken over, and given back as it was, whatever happens.

use std::{
    fs::File,
    io::{self, BufWriter},
    os::fd::AsFd as _,
    panic,
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::{Hide, Show},
        execute,
        style::force_color_output,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
    layout::{Position, Rect},
};
use rustix::process::{Signal, getpid, kill_process};

use super::{draw, state::State};

/// Ours while this exists.
pub(super) struct Screen(Terminal<CrosstermBackend<BufWriter<File>>>);

impl Screen {
    pub(super) fn enter(colored: bool) -> io::Result<Self> {
        // the shipped program aborts on a panic: nothing but its hook runs then
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            told(panic);
        }));
        // whether to colour was decided from the flags, too
        force_color_output(colored);
        take().inspect_err(|_| give_back())?;
        let terminal = terminal().and_then(|terminal| Terminal::new(CrosstermBackend::new(BufWriter::new(terminal))));
        terminal.map(Self).inspect_err(|_| give_back())
    }

    pub(super) fn draw(&mut self, state: &State) -> io::Result<()> {
        self.0.draw(|frame| draw::screen(state, frame.area(), frame.buffer_mut()))?;
        Ok(())
    }

    /// Everything anew at the next picture, whatever is on the screen.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where its cursor is, and the answer would come among the keys
        self.0.resize(Rect::from((Position::ORIGIN, self.0.size()?)))
    }

    /// As Ctrl-Z does where it is no key: until the shell brings it back.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        kill_process(getpid(), Signal::TSTP)?;
        take()?;
        self.redraw()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// stdout without the lock that this process holds on it: a hook must not wait for it.
fn terminal() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(terminal()?, EnterAlternateScreen, Hide)
}

/// Does nothing to a terminal that was given back already. One that is gone needs nothing.
fn give_back() {
    terminal().and_then(|mut terminal| execute!(terminal, LeaveAlternateScreen, Show)).ok();
    disable_raw_mode().ok();
}

#[cfg(test)]
mod tests {
    use std::{env, io::Read as _, process::Command, sync::mpsc, thread, time::Duration};

    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;
    use crate::commands::top::look::Look;

    /// Set for the copy of this program that is to panic.
    const PANICS: &str = "KTRDR_TEST_PANICS";

    /// Runs in the copy only: there, nothing is unwound after the hook, as in the program that is shipped.
    #[test]
    fn a_panic_on_a_screen() {
        if env::var_os(PANICS).is_none() {
            return;
        }
        panic::set_hook(Box::new(|_| std::process::exit(97)));
        let mut screen = Screen::enter(false).unwrap();
        screen.draw(&State::new(Look::default())).unwrap();
        panic!("with the screen taken");
    }

    #[test]
    fn a_panic_gives_the_terminal_back() {
        let (pty, child) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(24, 80)).unwrap();
        let before = tcgetattr(&pty).unwrap().local_modes;
        assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO));
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", "commands::top::screen::tests::a_panic_on_a_screen"]).env(PANICS, "1");
        let mut child = pty_process::blocking::Command::from(command).spawn(child).unwrap();
        let (send, read) = mpsc::channel();
        let reader = thread::spawn(move || {
            let (mut pty, mut all, mut some) = (pty, Vec::new(), [0; 4096]);
            // it ends with an error when nobody is at the other end
            while let Ok(count @ 1..) = pty.read(&mut some) {
                all.extend_from_slice(&some[..count]);
            }
            let after = tcgetattr(&pty).map(|modes| modes.local_modes);
            send.send((all, after)).unwrap();
        });
        let (all, after) = read.recv_timeout(Duration::from_secs(30)).unwrap();
        reader.join().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(97));
        assert_eq!(after.unwrap(), before);
        let text = String::from_utf8_lossy(&all);
        assert!(text.contains("\x1b[?1049h") && text.contains("daemon"), "it had the screen: {text:?}");
        let mut terminal = vt100::Parser::default();
        terminal.process(&all);
        assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor(), "{text:?}");
    }
}
