//! How often a host is asked (pure): quickly while somebody looks or something has just begun, slowly otherwise, and
//! often enough to keep one connection open.

use std::time::Duration;

/// The pause after a poll. `since` is the time since a session began there; `unit` is the shortest pause.
pub(super) fn pause(unit: Duration, since: Duration, watched: bool, failures: u32) -> Duration {
    let usual = match since.as_secs() {
        _ if watched => 1,
        0..10 => 1,
        10..300 => 2,
        // the services close a connection that rests for 5 s, and we do not use one that rested for 4
        _ => 3,
    };
    unit * usual.max(failures.min(10))
}

/// At least, between two polls of a host: however many sessions it has.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_when_it_matters_and_patient_with_a_host_that_is_away() {
        let seconds =
            |since, watched, failures| pause(SHORTEST, Duration::from_secs(since), watched, failures).as_secs();
        assert_eq!([seconds(0, false, 0), seconds(20, false, 0), seconds(1_000, false, 0)], [1, 2, 3]);
        assert_eq!([seconds(1_000, true, 0), seconds(0, true, 4), seconds(0, false, 99)], [1, 4, 10]);
    }
}
