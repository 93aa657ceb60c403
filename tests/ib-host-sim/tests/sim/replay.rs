//! Replays what was recorded, and compares what comes.

use std::time::Duration;

use crate::program::{PATIENCE, exchange, start, transcript, transcripts};
use crate::shape::differences;

/// Recorded with nothing listening where the gateway should be: name, and how many times `--down-ms` it takes.
const DOWN: [(&str, u32); 8] = [
    ("head-ib-05-historical-gateway-down-with-type", 1),
    ("head-ib-06-validate-gateway-down", 8),
    ("ib-10-validate-gateway-down", 8),
    ("ib-11-head-timestamp-gateway-down", 8),
    ("ib-12-historical-gateway-down-with-type", 1),
    ("ib-13-historical-gateway-down", 8),
    ("ib-14-symbol-info-gateway-down", 8),
    ("ib-15-historical-bad-timeframe", 1),
];
const DOWN_MS: u64 = 50;

#[test]
fn the_simulator_answers_as_the_real_service_did() {
    let program = start(&format!("--down-ms {DOWN_MS} --gateway-down"));
    let mut found = Vec::new();
    let names = transcripts();
    assert_eq!(names.len(), 22);
    assert!(DOWN.iter().all(|(name, _)| names.iter().any(|other| other == name)));
    for name in names {
        let transcript = transcript(&name);
        let recorded = transcript.answer.as_ref().unwrap_or_else(|| panic!("{name} was not answered"));
        let reply = exchange(&program.address, &transcript.request(&[]), PATIENCE);
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        found.extend(differences(&recorded.body, &body).into_iter().map(|found| format!("{name}{found}")));
        if reply.status != recorded.status {
            found.push(format!("{name}: status {} is {}", recorded.status, reply.status));
        }
        let headers = recorded.headers.iter().filter(|(header, _)| header != "content-length");
        let other = headers.filter(|(header, value)| reply.header(header) != Some(&value.to_lowercase()));
        found.extend(other.map(|(header, value)| format!("{name}: no {header}: {value}")));
        let attempts = DOWN.iter().find(|row| row.0 == name).map_or(0, |row| row.1);
        if reply.took < Duration::from_millis(DOWN_MS) * attempts {
            found.push(format!("{name}: took {:?}", reply.took));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
