//! Where the real binaries are.
//!
//! Cargo builds only a package's own binaries for its tests, so the others are built here, once a test run: with the
//! same cargo, profile and target folder as the program that asks. Features are unified over the packages that one
//! command names, and with those of their tests when it names a test: so it names the whole workspace and a test, and
//! nothing is built twice after `cargo test --workspace`.

use std::{
    env,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal as _, Read as _, Seek as _, Write as _},
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, Result, anyhow, ensure};

/// The binaries of one profile.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The command line.
    pub ktrdr: PathBuf,
    /// The daemon.
    pub ktrdrd: PathBuf,
    /// The simulated gateway.
    pub gateway_sim: PathBuf,
    /// The simulated training service.
    pub training_sim: PathBuf,
    /// The simulated IB host service.
    pub ib_host_sim: PathBuf,
}

impl Programs {
    /// By their names.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            ktrdr: folder.join("ktrdr"),
            ktrdrd: folder.join("ktrdrd"),
            gateway_sim: folder.join("ktrdr-gateway-sim"),
            training_sim: folder.join("ktrdr-training-sim"),
            ib_host_sim: folder.join("ktrdr-ib-host-sim"),
        }
    }
}

static FOUND: OnceLock<Result<Programs, String>> = OnceLock::new();

/// Makes [`programs`] answer with these, for benches of what is shipped. Only before its first call.
pub fn use_instead(programs: Programs) -> Result<()> {
    FOUND.set(Ok(programs)).map_err(|_| anyhow!("the programs were asked for already"))
}

/// The binaries that belong to this program, fresh.
pub fn programs() -> Result<&'static Programs> {
    FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}"))).as_ref().map_err(|text| anyhow!("{text}"))
}

fn find() -> Result<Programs> {
    let (target, profile) = own_target()?;
    build_once_a_run(&target, &profile)?;
    Ok(Programs::in_folder(&target.join(&profile)))
}

/// The folder of the binaries that belong to this program, with what `systemd/stage` takes besides: it is named to `--quick`.
pub fn build_for_packages() -> Result<PathBuf> {
    let (target, folder) = own_target()?;
    cargo_build(&target, profile_of(&folder), &["--example", "man", "--example", "shipped"])?;
    Ok(target.join(folder))
}

/// Builds one package as it is shipped: by itself, so with no features but its own.
pub fn build_package(package: &str, program: &str, profile: &str, triple: Option<&str>) -> Result<PathBuf> {
    let (target, _) = own_target()?;
    let mut command = cargo(&target);
    command.args(["build", "--locked", "--package", package, "--bin", program, "--profile", profile]);
    command.args(triple.iter().flat_map(|triple| ["--target", triple]));
    ensure!(command.stdout(Stdio::null()).status()?.success(), "cargo build of {package} failed");
    Ok(target.join(triple.unwrap_or_default()).join(folder_of(profile)).join(program))
}

/// The command line as it is shipped: static, where its target can be had.
pub fn build_static_cli() -> Result<PathBuf> {
    const TRIPLE: &str = "x86_64-unknown-linux-musl";
    build_package("ktrdr", "ktrdr", "dist-cli", Some(TRIPLE))
        .with_context(|| format!("the static command line cannot be built: rustup target add {TRIPLE}"))
}

/// Builds a bench and does not run it.
pub fn build_bench(package: &str, name: &str) -> Result<PathBuf> {
    let (target, _) = own_target()?;
    let mut command = cargo(&target);
    command.args(["bench", "--locked", "--package", package, "--bench", name, "--no-run", "--message-format", "json"]);
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "cargo bench of {package} failed");
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let built = messages.filter(|message| message["target"]["name"] == name);
    let path = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    path.with_context(|| format!("cargo does not tell where the bench {name} is"))
}

/// The target folder that holds this program, and the name of the profile's folder in it: tests are in
/// `<target>/<profile>/deps`, binaries in `<target>/<profile>`.
pub fn own_target() -> Result<(PathBuf, String)> {
    let own = env::current_exe().context("where is this program?")?;
    let folder = own.parent().filter(|folder| !folder.ends_with("deps"));
    let folder = folder.or_else(|| own.parent()?.parent());
    let name = folder.and_then(Path::file_name).and_then(|name| name.to_str());
    let target = folder.and_then(Path::parent);
    let (target, name) = target.zip(name).with_context(|| format!("{} is not in a target folder", own.display()))?;
    Ok((target.to_path_buf(), name.to_owned()))
}

/// Under nextest every test is a process of its own, so the lock and the stamp are files.
fn build_once_a_run(target: &Path, profile_folder: &str) -> Result<()> {
    let path = target.join(profile_folder).join("ktrdr-tests.lock");
    let mut stamp = lock(&path).with_context(|| format!("cannot lock {}", path.display()))?;
    let (run, mut built) = (this_run(), String::new());
    stamp.read_to_string(&mut built)?;
    if built == run {
        return Ok(());
    }
    cargo_build(target, profile_of(profile_folder), &[])?;
    stamp.set_len(0)?;
    stamp.rewind()?;
    stamp.write_all(run.as_bytes())?;
    Ok(())
}

/// Waits for a lock, which is held as long as the file.
pub fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

/// The same for all tests of one run. Pids come round again, so the parent's start time is part of it.
fn this_run() -> String {
    if let Ok(run) = env::var("NEXTEST_RUN_ID") {
        return run;
    }
    let stat = fs::read_to_string(format!("/proc/{}/stat", parent_id())).unwrap_or_default();
    let started = stat.rsplit(") ").next().and_then(|fields| fields.split(' ').nth(19));
    format!("{} {}", parent_id(), started.unwrap_or_default())
}

/// Cargo, as a shell would start it.
fn cargo(target: &Path) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from(env!("CARGO")));
    let mut command = Command::new(cargo);
    command.env("CARGO_TARGET_DIR", target).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    if !io::stderr().is_terminal() {
        command.env("CARGO_TERM_QUIET", "true");
    }
    // what cargo sets for the programs it runs is not what a build of one's own would see
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(set_by_cargo) {
            command.env_remove(name);
        }
    }
    command
}

fn cargo_build(target: &Path, profile: &str, besides: &[&str]) -> Result<()> {
    let mut command = cargo(target);
    command.args(["build", "--workspace", "--bins", "--test", "e2e", "--locked", "--profile", profile]).args(besides);
    let status = command.stdout(Stdio::null()).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo build of the programs failed ({status})");
    Ok(())
}

fn set_by_cargo(name: &str) -> bool {
    let prefixes = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "NEXTEST"];
    let names = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn profile_of(folder: &str) -> &str {
    if folder == "debug" { "dev" } else { folder }
}

fn folder_of(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}
