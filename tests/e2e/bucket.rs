//! A bucket as the data root, with a real S3 server. Runs where Python is at hand; see `python`.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use ktrdr_tests::{
    daemon::{TestDaemon, spawn},
    home::Home,
    s3::{BUCKET, S3Server, use_bucket},
    series::{self, content_of},
    wait,
};
use serde_json::Value;

use crate::{
    python::{self, with_python},
    support::{document, import, stored},
};

const ROOT: &str = "s3://bars/quant/v1";
const PREFIX: &str = "quant/v1/";
const FILES: [&str; 3] = ["AAPL_1h.csv", "GOOGL_1d.csv", "NVDA_1h.csv"];
const SERIES: [&str; 3] = ["AAPL -t 1h", "GOOGL -t 1d", "NVDA -t 1h"];
const GOOGL_2024: &str = "quant/v1/bars/symbol=GOOGL/timeframe=1d/year=2024/bars.parquet";

fn home_at(port: u16) -> Result<Home> {
    let mut home = Home::new()?;
    use_bucket(&mut home, port, ROOT);
    Ok(home)
}

fn bucket(home: &Home) -> Result<Value> {
    Ok(document(home, "daemon status")?["bucket"].clone())
}

/// Waits until the bucket has everything.
fn settled(home: &Home) -> Result<Value> {
    wait::until("the bucket to have everything", wait::LIMIT, || {
        let bucket = bucket(home)?;
        Ok((bucket["files_behind"] == 0 && bucket["last_error"].is_null()).then_some(bucket))
    })
}

/// Names in the folder of bars, as the bucket has them.
fn local(home: &Home) -> Result<Vec<String>> {
    let content = content_of(&home.data())?;
    let names = content.keys().filter_map(|path| path.strip_prefix(home.data()).ok()?.to_str());
    let names = names.filter(|name| name.starts_with("bars/"));
    Ok(names.map(|name| format!("{PREFIX}{name}")).collect())
}

#[test]
fn a_bucket_holds_what_the_folder_holds_and_other_tools_read_it() -> Result<()> {
    with_python("an S3 server", |python| {
        let server = S3Server::start(python, 0)?;
        let daemon = TestDaemon::start_in(home_at(server.port())?)?;
        import(&daemon, &FILES)?;
        let told = settled(&daemon)?;
        assert_eq!((&told["address"], &told["files_fetched"]), (&ROOT.into(), &0.into()));
        assert_eq!(server.names()?, local(&daemon)?);
        assert!(server.names()?.contains(&GOOGL_2024.to_owned()));
        let (port, root) = (server.port().to_string(), format!("{BUCKET}/{}", PREFIX.trim_end_matches('/')));
        python::script(&daemon, python, "read_bucket.py", &[Path::new(&port), Path::new(&root)])?;

        daemon.ktrdr("data delete GOOGL -t 1d --yes")?.ok()?;
        settled(&daemon)?;
        assert_eq!(server.names()?, local(&daemon)?);
        assert!(!server.names()?.contains(&GOOGL_2024.to_owned()));

        let log = fs::read_to_string(daemon.daemon_log())?;
        assert!(!log.contains("quant-and-secret"), "the log tells a secret");
        Ok(())
    })
}

#[test]
fn a_new_folder_takes_in_what_the_bucket_has_and_fetches_what_is_read() -> Result<()> {
    with_python("an S3 server", |python| {
        let server = S3Server::start(python, 0)?;
        let first = TestDaemon::start_in(home_at(server.port())?)?;
        import(&first, &FILES)?;
        settled(&first)?;
        let listed = document(&first, "data list")?;
        let first = first.terminate()?;

        let second = TestDaemon::start_in(home_at(server.port())?)?;
        assert_eq!(document(&second, "data list")?, listed);
        assert_eq!(local(&second)?, Vec::<String>::new(), "nobody has read anything yet");
        assert_eq!(stored(&second, "GOOGL -t 1d")?, series::file("GOOGL_1d.csv")?);
        let here = local(&second)?;
        assert!(here.contains(&GOOGL_2024.to_owned()) && here.iter().all(|name| name.contains("GOOGL")), "{here:?}");
        assert_eq!(bucket(&second)?["files_fetched"], here.len());

        // a year that only the bucket has is changed, and that can be undone
        let before = stored(&second, "NVDA -t 1h")?;
        let change = document(&second, "data delete NVDA -t 1h --start 2025-03-01 --end 2025-04-01 --yes")?;
        assert!(stored(&second, "NVDA -t 1h")?.len() < before.len(), "{change}");
        second.ktrdr("data restore NVDA -t 1h --yes")?.ok()?;
        assert_eq!(stored(&second, "NVDA -t 1h")?, before);
        settled(&second)?;

        // the other one's copy is old now; what it did not write it does not replace
        let second = second.terminate()?;
        drop(second);
        let first = first.start()?;
        assert_eq!(stored(&first, "AAPL -t 1h")?, series::file("AAPL_1h.csv")?);
        Ok(())
    })
}

#[test]
fn a_bucket_that_is_away_is_told_and_gets_everything_when_it_is_back() -> Result<()> {
    with_python("an S3 server", |python| {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let home = home_at(port)?.quiet();
        // nothing is known of it yet: an empty daemon would be a lie
        let mut process = spawn(&home)?;
        let status = process.ended_within(wait::LIMIT)?;
        let said = fs::read_to_string(home.daemon_log())?;
        assert!(!status.success() && said.contains("cannot use the data root") && said.contains(ROOT), "{said}");

        let server = S3Server::start(python, port)?;
        let daemon = TestDaemon::start_in(home)?;
        import(&daemon, &["GOOGL_1d.csv"])?;
        settled(&daemon)?;
        server.kill()?;
        // loads go on without it
        import(&daemon, &["NVDA_1h.csv"])?;
        let told = wait::until("the trouble to be told", wait::LIMIT, || {
            let told = bucket(&daemon)?;
            Ok(told["last_error"].as_str().is_some_and(|error| error.contains(ROOT)).then_some(told))
        })?;
        assert!(told["files_behind"].as_u64().context("a number")? > 0, "{told}");
        // known from before: no bucket is needed to start
        let daemon = daemon.terminate()?.start()?;
        assert_eq!(stored(&daemon, "NVDA -t 1h")?, series::file("NVDA_1h.csv")?);
        let copy = daemon.data().join(GOOGL_2024.trim_start_matches(PREFIX));
        let bytes = fs::read(&copy)?;
        fs::remove_file(&copy)?;
        daemon.ktrdr("data show GOOGL -t 1d --all -f json")?.fails(5, "BUCKET_UNAVAILABLE")?;
        fs::write(&copy, bytes)?;

        // empty, as after a loss: all of it goes up again
        let server = S3Server::start(python, port)?;
        settled(&daemon)?;
        wait::until_true("all objects", wait::LIMIT, || Ok(server.names()? == local(&daemon)?))
    })
}

#[test]
fn a_killed_daemon_finds_what_is_behind() -> Result<()> {
    with_python("an S3 server", |python| {
        let server = S3Server::start(python, 0)?;
        let mut daemon = TestDaemon::start_in(home_at(server.port())?.quiet())?;
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..12 {
            let (name, series) = (FILES[round % FILES.len()], SERIES[round % FILES.len()]);
            import(&daemon, &[name])?;
            // killed somewhere in the upload of it: the moment is what is tried, so it is drawn
            std::thread::sleep(Duration::from_millis(random.u64(400..700)));
            daemon = daemon.kill_9()?.start().with_context(|| format!("seed {seed}, round {round}"))?;
            // other bytes under the same name, before anybody knows whether the first ones arrived; or none at all
            let part = ["--start 2025-05-01 --end 2025-06-01", ""][round / FILES.len() % 2];
            daemon.ktrdr(&format!("data delete {series} {part} --yes"))?.ok()?;
            std::thread::sleep(Duration::from_millis(random.u64(400..700)));
            daemon = daemon.kill_9()?.start().with_context(|| format!("seed {seed}, round {round}"))?;
        }
        import(&daemon, &FILES)?;
        settled(&daemon)?;
        assert_eq!(server.names()?, local(&daemon)?, "seed {seed}");

        let other = TestDaemon::start_in(home_at(server.port())?)?;
        for (name, series) in FILES.iter().zip(SERIES) {
            assert_eq!(stored(&other, series)?, series::file(name)?, "seed {seed}");
        }
        Ok(())
    })
}

#[test]
fn what_somebody_else_wrote_is_left_alone() -> Result<()> {
    with_python("an S3 server", |python| {
        let mut server = S3Server::start(python, 0)?;
        server.put(GOOGL_2024, "theirs")?;
        server.put("quant/v1/bars/README", "no file of the dataset")?;
        let theirs = server.objects()?;
        let daemon = TestDaemon::start_in(home_at(server.port())?)?;
        import(&daemon, &["GOOGL_1d.csv"])?;
        let told = wait::until("the conflict to be told", wait::LIMIT, || {
            let told = bucket(&daemon)?;
            Ok(told["last_error"].as_str().is_some_and(|error| error.contains("somebody else wrote")).then_some(told))
        })?;
        assert_eq!(told["files_behind"], 1, "{told}");
        let now = server.objects()?;
        assert!(theirs.iter().all(|(name, bytes)| now.get(name) == Some(bytes)), "{now:?}");
        // out of the way, it is as if it had never been
        server.delete(GOOGL_2024)?;
        settled(&daemon)?;
        assert!(server.names()?.contains(&GOOGL_2024.to_owned()));
        Ok(())
    })
}
