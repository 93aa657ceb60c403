//! The Python command line on the same series. It is not ours to install: whoever has it tells how it is started, with its backend
//! running and our `tests/data/MSFT_1m.csv` in its data folder.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{
    cli::words,
    daemon::TestDaemon,
    data_folder,
    home::Home,
    perf::{
        Run,
        figure::ms,
        report::Row,
        timing::{Subject, interleave},
    },
};

/// What both understand.
const COMMANDS: [&str; 2] = ["data range MSFT -t 1m", "data show MSFT -t 1m --rows 10 -f json"];
const HOW: &str = "set KTRDR_OLD_CLI to how it is started, such as /srv/ktrdr/.venv/bin/ktrdr";

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let Some(old) = &run.old_cli else { return Ok(vec![Row::skipped("`data range`, `data show`", HOW)]) };
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    let file = data_folder().join("MSFT_1m.csv");
    daemon.ktrdr_args(["data".as_ref(), "import".as_ref(), file.as_os_str()])?.ok()?;
    let program = run.shipped.static_cli();
    COMMANDS.into_iter().map(|line| row(run, &daemon, program.as_ref().ok(), old, line)).collect()
}

fn row(
    run: &Run,
    daemon: &TestDaemon,
    program: Option<&std::path::PathBuf>,
    old: &[String],
    line: &str,
) -> Result<Row> {
    let theirs = || {
        let [program, first @ ..] = old else { anyhow::bail!("the command line is empty") };
        let mut command = Command::new(program);
        command.args(first).args(words(line));
        Ok(command)
    };
    let ours = || match program {
        None => daemon.ktrdr_command(words(line)),
        Some(program) => {
            let mut command = daemon.command(program);
            command.args(words(line));
            Ok(command)
        }
    };
    // it exits 0 with nothing but talk when it has no bars
    let printed = theirs()?.output()?;
    let has_bars = String::from_utf8_lossy(&printed.stdout).contains("2025-06-06");
    ensure!(printed.status.success() && has_bars, "{old:?} {line}: its backend does not have MSFT_1m.csv: {printed:?}");
    let mut subjects = [Subject::process("ours", ours), Subject::process("theirs", theirs)];
    interleave(&mut subjects, run.rounds.div_ceil(20))?;
    let [ours, theirs] = &subjects;
    let short: Vec<&str> = words(line).take(2).collect();
    let here = format!("{}, ours {}", ms(theirs.median()), ms(ours.median()));
    Ok(Row::ratio(format!("`{}` of the old one", short.join(" ")), "ours", theirs.to(ours)?).here(here))
}
