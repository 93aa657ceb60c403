//! Replays the scenarios, and compares what comes with what was recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::program::{
    End, PATIENCE, Program, Reply, Transcript, exchange, start, transcript, transcripts, until, until_session,
};
use crate::scenarios::SCENARIOS;
use crate::scenarios::Step::{self, Begin, GiveUp, Learn, Rename, Replay, Steer, Together, Until};
use crate::shape::differences;

/// A scenario under way.
struct Play {
    program: Program,
    replaced: Vec<(String, String)>,
    found: Vec<String>,
}

impl Play {
    fn send(&self, transcript: &Transcript, patience: Duration) -> Reply {
        exchange(&self.program.address, &transcript.request(&self.replaced), patience)
    }

    fn check(&mut self, name: &str, transcript: &Transcript, reply: &Reply) {
        let recorded = transcript.answer.as_ref().unwrap_or_else(|| panic!("{name} was not answered"));
        let mut got = String::from_utf8_lossy(&reply.body).into_owned();
        for (from, to) in self.replaced.iter().filter(|(_, to)| !to.is_empty()) {
            got = got.replace(to, from);
        }
        let body = serde_json::from_str(&got).unwrap_or_default();
        let mut found = differences(&recorded.body, &body, recorded.cut);
        if reply.status != recorded.status {
            found.push(format!("status {} is {}", recorded.status, reply.status));
        }
        let headers = recorded.headers.iter().filter(|(header, _)| header != "content-length");
        let other = headers.filter(|(header, value)| reply.header(header) != Some(&value.to_lowercase()));
        found.extend(other.map(|(header, value)| format!("no {header}: {value}")));
        self.found.extend(found.into_iter().map(|found| format!("{name}{found}")));
    }

    fn replay(&mut self, name: &str) -> Reply {
        let transcript = transcript(name);
        let reply = self.send(&transcript, PATIENCE);
        self.check(name, &transcript, &reply);
        reply
    }

    fn together(&mut self, first: &str, second: &str) {
        let [earlier, later] = [first, second].map(transcript);
        let before = self.program.requests();
        let (one, other) = std::thread::scope(|threads| {
            let waiting = threads.spawn(|| self.send(&earlier, PATIENCE));
            until("the first of the two", || self.program.requests() > before);
            (self.send(&later, PATIENCE), waiting.join().unwrap())
        });
        self.check(second, &later, &one);
        self.check(first, &earlier, &other);
    }

    fn now(&self, text: &str) -> String {
        self.replaced.iter().find(|(from, _)| from == text).map_or(text, |(_, to)| to).to_owned()
    }

    fn step(&mut self, step: Step) {
        match step {
            Replay(name) => drop(self.replay(name)),
            Together(first, second) => self.together(first, second),
            Learn(name, id) => {
                let transcript = transcript(name);
                let reply = self.send(&transcript, PATIENCE);
                self.replaced.push((id.to_owned(), reply.json()["session_id"].as_str().unwrap().to_owned()));
                self.check(name, &transcript, &reply);
            }
            GiveUp(name) => {
                let reply = self.send(&transcript(name), Duration::from_millis(300));
                assert_eq!((reply.end, reply.status), (End::Open, 0), "{name}");
            }
            Begin(name, from, to) => {
                let request = transcript(name).request(&[(from.to_owned(), to.to_owned())]);
                assert_eq!(exchange(&self.program.address, &request, PATIENCE).status, 200, "{name} as {to}");
            }
            Steer(path, body) => self.program.steer(path, &serde_json::from_str(body).unwrap()),
            Rename(from, to) => self.replaced.push((from.to_owned(), to.to_owned())),
            Until(id, status) => until_session(&self.program, &self.now(id), status),
        }
    }
}

#[test]
fn the_simulator_answers_as_the_real_services_did() {
    let found: Vec<String> = std::thread::scope(|threads| {
        let plays = SCENARIOS.map(|(flags, steps)| {
            threads.spawn(move || {
                let mut play = Play { program: start(flags), replaced: Vec::new(), found: Vec::new() };
                for step in steps {
                    play.step(*step);
                }
                std::mem::take(&mut play.found)
            })
        });
        plays.into_iter().flat_map(|play| play.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_transcript_is_replayed_once() {
    let mut replayed: BTreeMap<&str, usize> = BTreeMap::new();
    let steps = SCENARIOS.iter().flat_map(|(_, steps)| steps.iter());
    let played = steps.flat_map(|step| match step {
        Replay(name) | Learn(name, _) | GiveUp(name) => vec![*name],
        Together(first, second) => vec![*first, *second],
        _ => Vec::new(),
    });
    played.for_each(|name| *replayed.entry(name).or_default() += 1);
    assert!(replayed.values().all(|times| *times == 1), "{replayed:?}");
    assert_eq!(replayed.into_keys().collect::<Vec<_>>(), transcripts());
}
