//! What other programs see: the folder of bars, the wire, and the Python client. Runs where Python is at hand.
//!
//! The packages are installed once into the target folder, which needs a network: `KTRDR_TEST_PYTHON=1` asks for it.
//! Later runs find the installation.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::TestDaemon,
    programs::{lock, own_target, programs},
    python::run,
};

use crate::support::{import, skipped};

/// Packages in a folder of their own below the target folder.
struct Environment {
    name: &'static str,
    /// As pip reads them from a file.
    packages: &'static str,
    found: OnceLock<Result<PathBuf, String>>,
}

static READERS: Environment = Environment {
    name: "ktrdr-tests-python",
    packages: "grpcio\ngrpcio-tools\npyarrow\npolars\nduckdb\npandas\nQuantLib\nmoto[server]\n",
    found: OnceLock::new(),
};

/// The Python client must be built, and its tests run, with packages that fit each other.
static CLIENT: Environment = Environment {
    name: "ktrdr-tests-python-client",
    packages: include_str!("../python/client/requirements.txt"),
    found: OnceLock::new(),
};

/// Runs a test with the interpreter that has all packages, or says why not.
pub(crate) fn with_python(what: &str, test: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    READERS.with(what, test)
}

impl Environment {
    fn with(&self, what: &str, test: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        match self.found.get_or_init(|| self.find()).clone() {
            Ok(python) => test(&python),
            Err(why) => {
                skipped(what, &why);
                Ok(())
            }
        }
    }

    /// The interpreter with all packages, or why there is none.
    fn find(&self) -> Result<PathBuf, String> {
        let (target, _) = own_target().map_err(|error| error.to_string())?;
        let folder = target.join(self.name);
        // under nextest every test is a process of its own
        let _held = lock(&target.join(self.name).with_extension("lock")).map_err(|error| error.to_string())?;
        let (python, complete) = (folder.join("bin/python"), folder.join("packages.txt"));
        if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == self.packages) {
            return Ok(python);
        }
        if env::var_os("KTRDR_TEST_PYTHON").is_none_or(|value| value != "1") {
            return Err("KTRDR_TEST_PYTHON=1 installs what it needs".to_owned());
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let wanted = folder.join("wanted.txt");
        std::fs::write(&wanted, self.packages).map_err(|error| error.to_string())?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
        run(Command::new(&python).args(install).arg("--requirement").arg(&wanted))?;
        std::fs::rename(wanted, complete).map_err(|error| error.to_string())?;
        Ok(python)
    }
}

/// The same with what the Python client needs; [`client_wheel`] makes the client itself.
pub(crate) fn with_client(what: &str, test: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    CLIENT.with(what, test)
}

/// The wheel of the Python client, built into a folder.
pub(crate) fn client_wheel(python: &Path, folder: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/python");
    pip(python, ["wheel", "--no-build-isolation", "--no-deps", "--wheel-dir"], &[folder, &source])?;
    Ok(std::fs::read_dir(folder)?.next().context("no wheel")??.path())
}

/// Runs pip with these words, then these paths.
pub(crate) fn pip<const N: usize>(python: &Path, words: [&str; N], paths: &[&Path]) -> Result<()> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(words).args(paths);
    run(&mut command).map_err(anyhow::Error::msg)
}

/// Runs a script of `tests/python`; what it prints is for people.
pub(crate) fn script(daemon: &TestDaemon, python: &Path, name: &str, arguments: &[&Path]) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name);
    let output = daemon.command(python).arg("-B").arg(script).args(arguments).output()?;
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{name}: {}\n{printed}{said}", output.status);
    Ok(())
}

const FILES: [&str; 8] = [
    "AAPL_1d.csv",
    "AAPL_1h.csv",
    "AAPL_5m.csv",
    "DEMO_1d.csv",
    "EURUSD_1h.csv",
    "GOOGL_1d.csv",
    "MSFT_1m.csv",
    "NVDA_1h.csv",
];

#[test]
fn duckdb_polars_and_pandas_read_the_bars_as_one_dataset() -> Result<()> {
    with_python("DuckDB, Polars and pandas", |python| {
        let daemon = TestDaemon::alone()?;
        import(&daemon, &FILES)?;
        script(&daemon, python, "read_bars.py", &[&daemon.data().join("bars")])
    })
}

#[test]
fn arrow_and_parquet_files_hold_the_same_bars() -> Result<()> {
    with_python("Polars, pandas and pyarrow", |python| {
        let daemon = TestDaemon::alone()?;
        import(&daemon, &["NVDA_1h.csv"])?;
        script(&daemon, python, "read_files.py", &[&programs()?.ktrdr])
    })
}

#[test]
fn grpcio_calls_the_daemon_over_its_socket() -> Result<()> {
    with_python("grpcio", |python| {
        let daemon = TestDaemon::alone()?;
        import(&daemon, &["GOOGL_1d.csv"])?;
        let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
        script(&daemon, python, "call_daemon.py", &[&daemon.socket(), &proto])
    })
}

#[test]
fn pyarrow_lists_gets_and_puts_over_flight() -> Result<()> {
    with_python("Arrow Flight", |python| {
        let daemon = TestDaemon::alone()?;
        import(&daemon, &["NVDA_1h.csv", "GOOGL_1d.csv"])?;
        script(&daemon, python, "flight.py", &[&daemon.socket()])
    })
}

#[test]
fn quantlib_knows_the_same_days_of_sixteen_exchanges() -> Result<()> {
    with_python("QuantLib", |python| {
        let daemon = TestDaemon::alone()?;
        let differences = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/differences.txt");
        script(&daemon, python, "calendars.py", &[&programs()?.ktrdr, &differences])
    })
}

/// Built as a wheel, installed, and tried by its own tests: `tests/python/client`.
#[test]
fn the_python_client_keeps_its_promises() -> Result<()> {
    with_client("the Python client", |python| {
        let folder = tempfile::tempdir()?;
        let wheel = client_wheel(python, folder.path())?;
        pip(python, ["install", "--no-deps", "--force-reinstall"], &[&wheel])?;
        let programs = programs()?.ktrdrd.parent().context("a folder")?;
        let output = Command::new(python)
            .args(["-B", "-m", "pytest", "--numprocesses", "3"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/client"))
            .env("KTRDR_TEST_PROGRAMS", programs)
            .env("KTRDR_TEST_WHEEL", wheel)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        Ok(())
    })
}
