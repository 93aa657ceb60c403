//! What is installed: the Debian package and the wheel, made of the programs of this build; they come, work, and go without a trace. And
//! the bill of materials that both carry.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::programs::{build_for_packages, programs};
use serde_json::Value;

use crate::{autostart::Alone, support::skipped};

fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {}\n{printed}{said}", output.status);
    Ok(printed.into_owned())
}

/// What a script of the tree makes of these programs: its last line says where it is.
fn made(script: &str, built: &Path) -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let printed = run(Command::new(root.join(script)).arg("--quick").arg(built))?;
    Ok(root.join(printed.lines().last().context("it names no file")?))
}

fn is_here(program: &str, arguments: &[&str]) -> bool {
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet(Command::new(program).args(arguments)).is_ok_and(|status| status.success())
}

/// With dpkg, on a copy of this machine.
#[test]
fn the_debian_package_installs_upgrades_and_leaves_nothing() -> Result<()> {
    const NOT_POSSIBLE: i32 = 77;
    let needed = [("dpkg", &["--version"][..]), ("cargo", &["deb", "--version"])];
    if !rustix::process::getuid().is_root() || !needed.iter().all(|(program, arguments)| is_here(program, arguments)) {
        skipped("the Debian package", "it takes root, dpkg and cargo-deb");
        return Ok(());
    }
    let package = made("systemd/package", &build_for_packages()?)?;
    if is_here("lintian", &["--version"]) {
        run(Command::new("lintian").args(["--fail-on", "error", "--tag-display-limit", "0"]).arg(&package))?;
    }
    let tried =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/install-test")).arg(package).output()?;
    if tried.status.code() == Some(NOT_POSSIBLE) {
        skipped("the Debian package", "no copy of this machine can be mounted");
        return Ok(());
    }
    let (printed, said) = (String::from_utf8_lossy(&tried.stdout), String::from_utf8_lossy(&tried.stderr));
    ensure!(tried.status.success() && printed.contains("ok    purged"), "{printed}{said}");
    Ok(())
}

#[test]
fn the_wheel_brings_both_programs_and_takes_them_away() -> Result<()> {
    if env::var_os("KTRDR_TEST_PYTHON").is_none_or(|value| value != "1") {
        skipped("the wheel", "KTRDR_TEST_PYTHON=1 installs what it needs");
        return Ok(());
    }
    let wheel = made("cli/wheel/make", &build_for_packages()?)?;
    let name = wheel.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let expected = concat!("ktrdr-", env!("CARGO_PKG_VERSION"), "-py3-none-manylinux_2_");
    ensure!(name.starts_with(expected), "{name} is not {expected}…");

    let alone = Alone::new()?;
    let folder = alone.0.path().join("python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let before = files_below(&folder)?;
    let pip = |words: &[&str]| {
        let mut command = Command::new(folder.join("bin/python"));
        // what Python keeps of its own is not what the wheel left
        command.args(["-B", "-m", "pip", "--quiet", "--disable-pip-version-check"]).args(words);
        command
    };
    run(pip(&["install", "--no-index"]).arg(&wheel))?;
    let brought = files_below(&folder)?;
    for path in ["bin/ktrdrd", "share/man/man1/ktrdr-data-load.1", "share/bash-completion/completions/ktrdr"] {
        ensure!(brought.contains(Path::new(path)), "no {path}");
    }
    for file in ["sboms/ktrdr.cdx.json", "licenses/LICENSE", "licenses/THIRD-PARTY"] {
        ensure!(brought.iter().any(|path| path.ends_with(file)), "no {file} beside what it brings");
    }

    let ktrdr = |words: &[&str]| run(alone.0.command(&folder.join("bin/ktrdr")).args(words));
    ensure!(ktrdr(&["version"])?.contains(env!("CARGO_PKG_VERSION")));
    ktrdr(&["data", "list"])?;
    let status: Value = serde_json::from_str(&ktrdr(&["daemon", "status", "-f", "json"])?)?;
    let program = fs::read_link(format!("/proc/{}/exe", status["pid"]))?;
    ensure!(program == folder.join("bin/ktrdrd"), "the first command started {}", program.display());
    ktrdr(&["daemon", "stop"])?;

    run(&mut pip(&["uninstall", "--yes", "ktrdr"]))?;
    let after = files_below(&folder)?;
    ensure!(after == before, "left: {:?}", after.difference(&before).collect::<Vec<_>>());
    Ok(())
}

fn files_below(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let (mut folders, mut found) = (vec![root.to_path_buf()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path().strip_prefix(root)?.to_path_buf());
            }
        }
    }
    Ok(found)
}

/// A crate leaves the paths of its files in a program, for panics and backtraces.
#[test]
fn the_bill_of_materials_and_the_notices_name_every_crate_that_left_a_trace() -> Result<()> {
    let shipped = build_for_packages()?.join("examples/shipped");
    let bill: Value = serde_json::from_str(&run(Command::new(&shipped).arg("bill"))?)?;
    let components = bill["components"].as_array().context("no components")?;
    let text = |component: &Value, field: &str| component[field].as_str().unwrap_or_default().to_owned();
    let named: BTreeSet<String> =
        components.iter().map(|each| format!("{}-{}", text(each, "name"), text(each, "version"))).collect();
    let mut traces = BTreeSet::new();
    for program in [&programs()?.ktrdr, &programs()?.ktrdrd] {
        traces.extend(crates_in(&fs::read(program)?));
    }
    ensure!(traces.len() > 100, "a daemon of {} crates?", traces.len());
    ensure!(traces.is_subset(&named), "not named: {:?}", traces.difference(&named).collect::<Vec<_>>());

    let unknown = |each: &&Value| each["licenses"][0]["expression"].as_str().is_none_or(str::is_empty);
    ensure!(components.iter().find(unknown).is_none(), "no licence: {:?}", components.iter().find(unknown));
    let from_registry =
        |each: &&Value| text(each, "purl").starts_with("pkg:cargo/") && !text(each, "name").starts_with("ktrdr");
    let unsure =
        |each: &&Value| from_registry(each) && each["hashes"][0]["content"].as_str().is_none_or(|sum| sum.len() != 64);
    ensure!(components.iter().find(unsure).is_none(), "no checksum: {:?}", components.iter().find(unsure));
    ensure!(!named.iter().any(|name| name.starts_with("tempfile-")), "what tests need is not shipped");

    let notices = run(Command::new(&shipped).arg("notices"))?;
    let told: BTreeSet<&str> = notices.lines().collect();
    let is_told = |each: &Value| {
        let name = format!("{} {}", text(each, "name"), text(each, "version"));
        told.contains(&*name) || notices.contains(&format!("\n{name}: "))
    };
    let untold = components.iter().filter(from_registry).find(|each| !is_told(each));
    ensure!(untold.is_none(), "its licence is not in the packages: {untold:?}");
    Ok(())
}

/// From `…/registry/src/INDEX/NAME-VERSION/src/lib.rs`, or from the folder alone.
fn crates_in(program: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(program);
    let folders = text.split("/registry/src/").skip(1).filter_map(|rest| rest.split(['/', '\0']).nth(1));
    folders.map(str::to_owned).collect()
}
