//! Time zones by the gateway's names for them (pure). Gateways use Java's names: most are in the zone database as
//! aliases, the rest is here. Old builds append a long name: `EST (Eastern Standard Time)`.

use jiff::tz::TimeZone;

/// Names that the database may lack, or that it takes for a fixed offset although exchanges mean a place by them.
const ALIASES: [(&str, &str); 20] = [
    ("EST", "America/New_York"),
    ("EST5EDT", "America/New_York"),
    ("US/Eastern", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CST6CDT", "America/Chicago"),
    ("US/Central", "America/Chicago"),
    ("MST", "America/Denver"),
    ("MST7MDT", "America/Denver"),
    ("US/Mountain", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("US/Pacific", "America/Los_Angeles"),
    ("MET", "Europe/Berlin"),
    ("CET", "Europe/Berlin"),
    ("GB", "Europe/London"),
    ("GB-Eire", "Europe/London"),
    ("BST", "Europe/London"),
    ("Japan", "Asia/Tokyo"),
    ("JST", "Asia/Tokyo"),
    ("Hongkong", "Asia/Hong_Kong"),
    ("Singapore", "Asia/Singapore"),
];

/// `None` for a name that nobody knows; what depends on it is then unknown, and nothing else.
pub(super) fn by_name(name: &str) -> Option<TimeZone> {
    let first_word = name.split([' ', '(']).next().unwrap_or_default();
    [name, first_word].into_iter().filter(|name| !name.is_empty()).find_map(|name| {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, zone)| *zone);
        TimeZone::get(alias.unwrap_or(name)).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_gateways_of_all_ages_are_known() {
        for (name, zone) in [
            ("US/Eastern", "America/New_York"),
            ("EST (Eastern Standard Time)", "America/New_York"),
            ("MET", "Europe/Berlin"),
            ("GB-Eire", "Europe/London"),
            ("Japan", "Asia/Tokyo"),
            ("Asia/Hong_Kong", "Asia/Hong_Kong"),
            ("UTC", "UTC"),
        ] {
            assert_eq!(by_name(name), TimeZone::get(zone).ok(), "{name}");
        }
        for name in ["", " ", "nonsense", "China Standard Time"] {
            assert_eq!(by_name(name), None, "{name}");
        }
    }
}
