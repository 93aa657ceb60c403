//! Bars as text: what a price file holds, what `ktrdr` prints, what a folder contains.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::data_folder;

/// One bar: its start as RFC 3339, open, high, low, close, volume.
#[derive(Debug, Clone)]
pub struct Bar {
    /// `2025-01-02T09:00:00Z`
    pub start: String,
    /// Open, high, low, close, volume; NaN where there is none.
    pub values: [f64; 5],
}

/// Numbers compare to the last digit, and nothing equals nothing.
impl PartialEq for Bar {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, other): (&f64, &f64)| one == other || (one.is_nan() && other.is_nan());
        self.start == other.start && self.values.iter().zip(&other.values).all(same)
    }
}

/// The bars of a file of `tests/data` that can be stored: rows without finite prices are left out.
pub fn file(name: &str) -> Result<Vec<Bar>> {
    let path = data_folder().join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let bars: Vec<Bar> = text.lines().skip(1).map(bar).collect::<Result<_>>()?;
    let whole = |bar: &Bar| bar.values[..4].iter().all(|price| price.is_finite());
    Ok(bars.into_iter().filter(whole).collect())
}

/// The bars that a command printed as CSV.
pub fn printed(text: &str) -> Result<Vec<Bar>> {
    text.lines().skip(1).map(bar).collect()
}

/// Those that start in `start..end`, both RFC 3339 or the beginning of one.
pub fn between<'a>(bars: &'a [Bar], start: &str, end: &str) -> Vec<&'a Bar> {
    let within = |bar: &&Bar| bar.start.as_str() >= start && bar.start.as_str() < end;
    bars.iter().filter(within).collect()
}

fn bar(line: &str) -> Result<Bar> {
    let mut fields = line.split(',');
    let start = instant(fields.next().unwrap_or_default());
    let mut values = [f64::NAN; 5];
    for value in &mut values {
        let field = fields.next().with_context(|| format!("a short line: {line:?}"))?;
        *value = field.parse().unwrap_or(f64::NAN);
    }
    Ok(Bar { start, values })
}

/// Every spelling of an instant in the files: a date, `2025-01-02 09:00:00+00:00`, RFC 3339.
fn instant(text: &str) -> String {
    let text = text.replace("+00:00", "Z").replace(' ', "T");
    if text.len() == 10 { text + "T00:00:00Z" } else { text }
}

/// Every file below a folder with its content, to see that nothing has changed. The ledger's own files are left out:
/// it counts refused operations.
pub fn content_of(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut content = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with("ktrdr.sqlite") {
                content.insert(path.clone(), fs::read(&path)?);
            }
        }
    }
    Ok(content)
}
