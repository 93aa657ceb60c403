//! The file says of each key what is so: the parser knows it, no other, and its defaults and variables are these.

use std::{cell::RefCell, collections::BTreeSet, fmt::Write as _};

use super::{
    super::{ConfigError, Settings, files::Values},
    FILE,
};
use crate::handbook;

/// What the environment is asked for that is no setting.
const NO_SETTINGS: [&str; 6] =
    ["CREDENTIALS_DIRECTORY", "HOME", "KTRDR_TEST_TIME_SCALE", "STATE_DIRECTORY", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];
const HOST: &str = "training.hosts";

/// An entry of the file.
struct Key {
    /// With its section.
    name: String,
    /// As it stands there, without its `#`; of a table nothing.
    value: &'static str,
    meaning: String,
    kind: &'static str,
    variables: Vec<&'static str>,
    /// In words, where the value is not what is so without it.
    default: Option<&'static str>,
    /// Another value.
    example: Option<&'static str>,
}

fn keys() -> Vec<Key> {
    let (mut keys, mut section, mut about) = (Vec::new(), String::new(), Vec::new());
    for line in FILE.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            about.clear();
        } else if let Some(name) = line.strip_prefix("#[[") {
            section = name.trim_end_matches(']').to_owned();
            keys.push(key(section.clone(), "", &mut about));
        } else if let Some(text) = line.strip_prefix("# ") {
            about.push(text);
        } else if let Some((name, value)) = line.strip_prefix('#').and_then(|line| line.split_once(" = ")) {
            keys.push(key(format!("{section}.{name}"), value, &mut about));
        }
    }
    keys
}

/// The last line before it is about values, those above say what it means.
fn key(name: String, value: &'static str, about: &mut Vec<&'static str>) -> Key {
    let (mut parts, meaning) = (about.pop().unwrap_or_default().split(" · "), about.join(" "));
    about.clear();
    let kind = parts.next().unwrap_or_default();
    let (kind, example) = kind.split_once(", such as ").map_or((kind, None), |(kind, example)| (kind, Some(example)));
    let (mut variables, mut default) = (Vec::new(), None);
    for part in parts {
        match part.strip_prefix("default: ") {
            Some(words) => default = Some(words),
            None => variables = part.split(", ").flat_map(|names| names.split(" with ")).collect(),
        }
    }
    assert!(!meaning.is_empty() && !kind.is_empty(), "{name}: what it means, then what a value is");
    Key { name, value, meaning, kind, variables, default, example }
}

/// A file in which this key has this value, and what it cannot be without.
fn file(name: &str, value: &str) -> String {
    let needed = |all: &[(&str, &str)]| -> String {
        let others = all.iter().filter(|(key, _)| *key != name.trim_start_matches("training.hosts."));
        others.map(|(key, value)| format!("{key} = {value}\n")).collect::<Vec<_>>().concat()
    };
    let base = match name {
        "listen.ib_service_names" => needed(&[("listen.ib_service", "\"127.0.0.1:5001\"")]),
        "data.local_dir" => needed(&[("data.dir", "\"s3://bars\"")]),
        "listen.address" | "listen.certificate" | "listen.key" | "listen.client_ca" => needed(&[
            ("listen.address", "\"127.0.0.1:7601\""),
            ("listen.certificate", "\"/c.pem\""),
            ("listen.key", "\"/k.pem\""),
            ("listen.client_ca", "\"/a.pem\""),
        ]),
        _ => String::new(),
    };
    let Some(own) = name.strip_prefix("training.hosts.") else { return format!("{base}{name} = {value}\n") };
    let needed = needed(&[("name", "\"gpu1\""), ("url", "\"http://127.0.0.1:5002\"")]);
    format!("[[{HOST}]]\n{needed}{own} = {value}\n")
}

/// What comes of a file and of the environment.
fn settings(file: &str, variables: &[(&str, &str)]) -> Result<String, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let home = [("HOME", "/home/quant")];
    let variable = |name: &str| {
        home.iter().chain(variables).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let settings = Settings { config_files: Vec::new(), ..Settings::load(Some(&path), variable)? };
    Ok(format!("{settings:#?}"))
}

/// What the parser lists when it meets a key that it does not know.
fn expected(document: &str) -> Vec<String> {
    let Err(error) = toml::from_str::<Values>(document) else { return Vec::new() };
    let Some((_, list)) = error.message().split_once("expected ") else { return Vec::new() };
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every key that the parser knows, tables included.
fn known(path: &str, found: &mut BTreeSet<String>) {
    let heading = match path {
        "" => String::new(),
        HOST => format!("[[{path}]]\n"),
        path => format!("[{path}]\n"),
    };
    for name in expected(&format!("{heading}\"?\" = 1")) {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        let before = found.len();
        known(&path, found);
        if found.len() == before || path == HOST {
            found.insert(path);
        }
    }
}

#[test]
fn the_parser_knows_these_keys_and_no_others() {
    let mut known_ones = BTreeSet::new();
    known("", &mut known_ones);
    let told: BTreeSet<String> = keys().into_iter().map(|key| key.name).collect();
    assert_eq!(told, known_ones, "an entry of reference.toml for each key of the parser");
}

#[test]
fn the_environment_is_asked_for_these_variables_and_no_others() {
    let asked = RefCell::new(BTreeSet::new());
    let look = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        (name == "HOME").then(|| "/home/quant".to_owned())
    };
    Settings::load(None, look).unwrap();
    let told = keys().into_iter().flat_map(|key| key.variables).chain(NO_SETTINGS).map(str::to_owned);
    assert_eq!(told.collect::<BTreeSet<_>>(), asked.into_inner());
}

#[test]
fn the_file_changes_nothing_and_each_of_its_lines_can_be_used() {
    assert_eq!(settings(FILE, &[]).unwrap(), settings("", &[]).unwrap());
    let is_key = |line: &&str| {
        line.starts_with('[')
            || line.starts_with("#[[")
            || line.strip_prefix('#').is_some_and(|rest| rest.starts_with(char::is_alphabetic))
    };
    let all: Vec<&str> = FILE.lines().filter(is_key).map(|line| line.trim_start_matches('#')).collect();
    assert!(all.len() > 30);
    toml::from_str::<Values>(&all.join("\n")).unwrap();
}

#[test]
fn a_default_is_what_is_so_without_it_and_another_value_is_not() {
    for key in keys().iter().filter(|key| !key.value.is_empty()) {
        let without =
            settings(&file(&key.name, key.value).replace(&format!("{} = {}\n", own(key), key.value), ""), &[]);
        let with = settings(&file(&key.name, key.value), &[]).unwrap();
        let another = key.example.map(|value| settings(&file(&key.name, value), &[]).unwrap());
        if key.default.is_some() {
            assert_ne!(
                without.ok().as_ref(),
                Some(&with),
                "{}: its value is the default, so no words are needed",
                key.name
            );
            continue;
        }
        assert_eq!(without.unwrap(), with, "{} has another default", key.name);
        assert_ne!(another.unwrap_or_else(|| panic!("{}: such as?", key.name)), with, "{} says nothing", key.name);
    }
}

/// As a file has it.
fn own(key: &Key) -> &str {
    key.name.strip_prefix("training.hosts.").unwrap_or(&key.name)
}

/// As a variable has it.
fn plain(value: &str) -> String {
    let table: toml::Table = toml::from_str(&format!("value = {value}")).unwrap();
    match &table["value"] {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(", "),
        _ => value.to_owned(),
    }
}

#[test]
fn a_variable_says_the_same_as_its_key() {
    let mut tried = 0;
    for key in keys().iter().filter(|key| !key.value.is_empty()) {
        let Some(ours) = key.variables.first() else { continue };
        let value = key.example.unwrap_or(key.value);
        let base = file(&key.name, value).replace(&format!("{} = {value}\n", own(key)), "");
        let by_file = settings(&file(&key.name, value), &[]).unwrap();
        assert_eq!(settings(&base, &[(ours, &plain(value))]).unwrap(), by_file, "{ours}");
        // those of the old system that say it alone
        for old in key.variables[1..].iter().filter(|_| key.name != "ib.host_service") {
            assert_eq!(settings(&base, &[(old, &plain(value))]).unwrap(), by_file, "{old}");
        }
        tried += 1;
    }
    assert!(tried > 15);
}

#[test]
fn every_key_that_a_page_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let known: BTreeSet<String> = keys().into_iter().map(|key| key.name).collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in pages.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for code in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let name = code.split(' ').next().unwrap_or_default();
            let section = name.split('.').next().unwrap_or_default();
            let looks_like_one = name.contains('.') && name.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c));
            if looks_like_one && !name.ends_with("rs") && known.iter().any(|key| key.split('.').next() == Some(section))
            {
                seen += 1;
                if !known.contains(name) {
                    wrong.push(format!("{}: {name}", page.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no such key: {wrong:?}");
    assert!(seen > 40, "only {seen}");
}

/// `(docs/DATA.md#x)` as a link from a document beside it.
fn linked(text: &str) -> String {
    let Some((before, place)) = text.split_once(" (docs/") else { return text.to_owned() };
    let place = place.trim_end_matches(')');
    let page = place.split('#').next().unwrap_or_default();
    format!("{before} ([{page}]({place}))")
}

#[test]
fn the_reference_shows_every_key() {
    let mut table = String::from("| key | value | variables | default | what it is |\n|---|---|---|---|---|\n");
    for key in keys() {
        let variables: Vec<String> = key.variables.iter().map(|name| format!("`{name}`")).collect();
        let example = key.example.map(|example| format!(", such as `{example}`")).unwrap_or_default();
        let default = key.default.map_or_else(|| format!("`{}`", key.value), str::to_owned);
        let (kind, name) = (key.kind, &key.name);
        let row =
            format!("| `{name}` | {kind}{example} | {} | {default} | {} |", variables.join(", "), linked(&key.meaning));
        writeln!(table, "{row}").unwrap();
    }
    handbook::shows("REFERENCE.md", "configuration", &table);
}
