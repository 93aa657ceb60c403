//! Zones by their names.

use crate::{TimeZone, Tz};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Windows' names for zones, `NAME=ZONE` each (Unicode CLDR, `windowsZones.xml`, territory 001): a gateway on Windows tells these.
/// As one text, since a table of texts would be moved at each start.
const WINDOWS: &str = include_str!("windows.txt");

/// Those that were asked for. A zone is given out for good, so each is made once; there are some 600.
static GIVEN_OUT: Mutex<BTreeMap<String, &'static Tz>> = Mutex::new(BTreeMap::new());

pub mod db {
    //! Those that `ibapi` names.

    pub static UTC: &crate::Tz = &crate::Tz { zone: jiff::tz::TimeZone::UTC };
}

/// A zone by its IANA name, old ones included (`US/Eastern`), or by the one that Windows has for it (`Eastern Standard Time`).
pub fn get_by_name(name: &str) -> Option<&'static Tz> {
    let tz = Tz { zone: jiff::tz::TimeZone::get(windows(name).unwrap_or(name)).ok()? };
    let mut given_out = GIVEN_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    Some(given_out.entry(tz.name().to_owned()).or_insert_with(|| Box::leak(Box::new(tz))))
}

pub(crate) fn windows(name: &str) -> Option<&'static str> {
    WINDOWS
        .lines()
        .filter_map(|line| line.split_once('='))
        .find_map(|(windows, zone)| (windows == name).then_some(zone))
}
