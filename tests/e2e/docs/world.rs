//! What a reader has: the programs on the search path, a gateway, a training host, files of the old system. One for each document.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    data_folder, gateway_sim::GatewaySim, home::Home, process::Process, programs::programs, training_sim::TrainingSim,
    wait,
};
use rustix::process::Signal;

use super::markdown::root;
use crate::support::gateway_is;

/// Longer than any command of a document takes.
const LONGEST: Duration = Duration::from_mins(1);
/// What goes on until Ctrl-C, and what it says before that.
const ENDLESS: [(&str, &str); 1] = [("ktrdr data watch ", "Z,")];
/// What goes on in the background, and what it says when it can be used.
const BACKGROUND: [(&str, &str); 2] = [("ktrdr-gateway-sim ", "listening"), ("ktrdrd", "ready")];

/// A home with everything in it.
#[derive(Debug)]
pub(super) struct World {
    home: Home,
    /// Ended before the simulators are.
    background: Vec<Process>,
    /// What a document names, and what there is in its place.
    stand_ins: Vec<(&'static str, String)>,
    last: i32,
    _gateway: GatewaySim,
    _hosts: TrainingSim,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: i32,
    /// What was on the screen.
    pub(super) screen: String,
}

impl Drop for World {
    /// A daemon that a command started is nobody's child.
    fn drop(&mut self) {
        let stopped = self.home.ktrdr("daemon stop").map(|ran| ran.status);
        assert!(matches!(stopped, Ok(0)) || std::thread::panicking(), "{stopped:?}");
    }
}

impl World {
    pub(super) fn new() -> Result<Self> {
        // what is not in a file trades at all hours, so that there are live bars
        let gateway = GatewaySim::replaying("--always-open")?;
        let hosts = TrainingSim::start("--generation worker --epoch-ms 250")?;
        let mut home = Home::new()?;
        // as a person has it: nothing is set
        for name in ["KTRDR_DATA_DIR", "KTRDR_AUTOSTART", "KTRDR_IB_HOST", "KTRDR_IB_PORT"] {
            home.unset(name);
        }
        let folder = programs()?.ktrdr.parent().context("a folder")?;
        let path = std::env::var("PATH").unwrap_or_default();
        home.set("PATH", format!("{}:{path}", folder.display()));
        let at = |name: &str| home.path().join(name).display().to_string();
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let stand_ins = vec![
            // first: what is put in the place of others begins so, too
            ("/tmp/k", at("k")),
            ("target/debug/", String::new()),
            ("tests/data", data_folder().display().to_string()),
            ("127.0.0.1:4002", format!("127.0.0.1:{}", gateway.port())),
            ("IB_PORT=4002", format!("IB_PORT={}", gateway.port())),
            ("127.0.0.1:4999", format!("127.0.0.1:{free}")),
            ("IB_PORT=4999", format!("IB_PORT={free}")),
            ("http://gpu1:5002", hosts.url()),
            ("/run/user/1000", at("run")),
            ("/home/ann/.local/state", at("state")),
            ("/home/ann", at("home")),
        ];
        let world = Self { home, background: Vec::new(), stand_ins, last: 0, _gateway: gateway, _hosts: hosts };
        world.furnish()?;
        Ok(world)
    }

    /// Its settings, and files that documents speak of.
    fn furnish(&self) -> Result<()> {
        let (work, data) = (self.home.work(), data_folder());
        let copy = |names: &[&str], folder: PathBuf| {
            fs::create_dir_all(&folder)?;
            names.iter().try_for_each(|name| fs::copy(data.join(name), folder.join(name)).map(drop))
        };
        copy(&["AAPL_1h.csv", "GOOGL_1d.csv", "MSFT_1m.csv"], work.join("old"))?;
        copy(&["AAPL_1h.csv", "NVDA_1h.csv"], self.home.path().join("home/ktrdr/data"))?;
        copy(&["demo.yaml"], work.clone())?;
        copy(&["demo.yaml"], work.join("strategies"))?;
        fs::copy(data.join("demo.yaml"), work.join("strategies/mine.yaml"))?;
        fs::write(work.join("symbols.txt"), "# one a line\nAAPL\nNVDA\n")?;
        symlink(root().join("proto"), work.join("proto"))?;
        let settings = "[ib]\nport = 4002\n[[training.hosts]]\nname = \"gpu1\"\nurl = \"http://gpu1:5002\"\n";
        let settings = self.real(settings).replace("4002", &self.real("127.0.0.1:4002").replace("127.0.0.1:", ""));
        let folder = self.home.path().join("config/ktrdr");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join("config.toml"), settings)?)
    }

    /// A text of a document with what there is in place of what it names.
    fn real(&self, text: &str) -> String {
        self.stand_ins.iter().fold(text.to_owned(), |text, (told, real)| text.replace(told, real))
    }

    /// The other way round.
    fn told(&self, text: &str) -> String {
        let real = self.stand_ins.iter().rev().filter(|(_, real)| !real.is_empty());
        real.fold(text.to_owned(), |text, (told, real)| text.replace(real.as_str(), told))
    }

    /// A file of a document, written down.
    pub(super) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        self.home.file(name, self.real(text))
    }

    /// Programs that are found first.
    pub(super) fn find_first(&mut self, folder: &Path) {
        let path = self.home.variables().iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
        self.home.set("PATH", format!("{}:{}", folder.display(), path.unwrap_or_default()));
    }

    /// A variable of the environment.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.home.set(name, value);
    }

    /// A block that starts the daemon finds none; any other finds one whose gateway is there.
    pub(super) fn settle(&self, block: &str) -> Result<()> {
        if block.contains("ktrdr daemon start") {
            self.home.ktrdr("daemon stop")?.ok()?;
        } else if block.contains("ktrdr") && !block.contains("KTRDR_SOCKET") {
            self.home.ktrdr("daemon start")?.ok()?;
            gateway_is(&self.home, "ready")?;
        }
        Ok(())
    }

    /// Types a command, and waits for its end. What it exports and where it goes is so for the next one, as in a shell.
    pub(super) fn run(&mut self, command: &str) -> Result<Ended> {
        let line = self.real(command);
        if let Some((line, says)) =
            line.trim().strip_suffix('&').and_then(|line| Some((line, said_by(&BACKGROUND, line)?)))
        {
            let (process, screen) = self.start(&format!("exec env {line}"))?;
            said(&screen, says)?;
            self.background.push(process);
            return Ok(Ended { code: 0, screen: String::new() });
        }
        let endless = said_by(&ENDLESS, &line).filter(|_| !line.contains("--count"));
        let (mut process, screen) =
            self.start(&if endless.is_some() { format!("exec {line}") } else { line.clone() })?;
        if let Some(says) = endless {
            said(&screen, says)?;
            process.signal(Signal::INT)?;
        }
        let code = process.ended_within(LONGEST)?.code().unwrap_or(-1);
        self.last = code;
        if code == 0 && line.contains("ktrdr daemon start") {
            gateway_is(&self.home, "ready")?;
        }
        Ok(Ended { code, screen: self.told(&fs::read_to_string(screen)?) })
    }

    fn start(&self, line: &str) -> Result<(Process, PathBuf)> {
        let (state, screen) = (self.home.path().join("shell"), tempfile::NamedTempFile::new_in(self.home.path())?);
        let (screen, path) = screen.keep()?;
        let state = state.display();
        let (again, keep) =
            (format!("if [ -e {state} ]; then . {state}; cd \"$PWD\"; fi"), format!("trap 'export -p > {state}' EXIT"));
        let mut bash = self.home.command(Path::new("bash"));
        bash.args(["-c", &format!("set -a -o pipefail\n{again}\n{keep}\n(exit {})\n{line}", self.last)]);
        bash.stdout(File::try_clone(&screen)?).stderr(screen);
        Ok((Process::start(bash)?, path))
    }
}

/// Of a line that begins, after its variables, with one of these.
fn said_by(table: &[(&str, &'static str)], line: &str) -> Option<&'static str> {
    let words = line.split_whitespace().skip_while(|word| word.contains('=')).collect::<Vec<_>>().join(" ");
    table.iter().find(|(program, _)| words.starts_with(program.trim_end())).map(|(_, says)| *says)
}

fn said(screen: &Path, says: &str) -> Result<()> {
    let look = || Ok(fs::read_to_string(screen)?.contains(says));
    let waited = wait::until_true(says, LONGEST, look);
    ensure!(waited.is_ok(), "it never said {says:?}: {}", fs::read_to_string(screen)?);
    Ok(())
}
