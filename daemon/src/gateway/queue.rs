//! Who is next (pure): people before operations, operations in turn.

use std::collections::HashMap;

use super::{Origin, command::Command};

/// Requests that wait: a few operations with a few each, and some people. Beyond that somebody asks in a loop.
pub(super) const QUEUE_MAX: usize = 256;

/// What waits for its departure.
#[derive(Debug)]
pub(super) struct Queue<T = Command> {
    waiting: Vec<Waiting<T>>,
    /// Turns taken so far.
    turns: u64,
    /// The last turn of each operation.
    served: HashMap<Origin, u64>,
}

/// One request and who sent it.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub(super) origin: Origin,
    pub(super) request: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), turns: 0, served: HashMap::new() }
    }
}

impl<T> Queue<T> {
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= QUEUE_MAX
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, origin: Origin, request: T) {
        self.waiting.push(Waiting { origin, request });
    }

    /// In the order in which they should leave: first those that somebody waits for at a terminal, by age; then the
    /// operation that has not been served for longest, and so on round.
    pub(super) fn in_turn(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.waiting.len()).collect();
        let mut seen: HashMap<&Origin, u64> = HashMap::new();
        // the second request of an operation comes after the first of all others
        let rank: Vec<(bool, u64, u64)> = self
            .waiting
            .iter()
            .map(|waiting| {
                let nth = seen.entry(&waiting.origin).and_modify(|nth| *nth += 1).or_insert(0);
                match waiting.origin {
                    Origin::Operation(_) => (true, *nth, self.served.get(&waiting.origin).copied().unwrap_or(0)),
                    _ => (false, 0, 0),
                }
            })
            .collect();
        order.sort_by_key(|at| rank[*at]);
        order
    }

    pub(super) fn get(&self, at: usize) -> Option<&Waiting<T>> {
        self.waiting.get(at)
    }

    /// Takes one out: it leaves now.
    pub(super) fn take(&mut self, at: usize) -> Option<Waiting<T>> {
        if at >= self.waiting.len() {
            return None;
        }
        let waiting = self.waiting.remove(at);
        self.turns += 1;
        self.served.insert(waiting.origin.clone(), self.turns);
        Some(waiting)
    }

    /// Keeps those that still have somebody who waits, and forgets operations that have nothing here any more and were
    /// served long ago.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.waiting.retain(|waiting| keep(&waiting.request));
        let turns = self.turns;
        self.served.retain(|_, turn| turns - *turn < 4 * QUEUE_MAX as u64);
    }

    /// Takes those out that `chosen` picks.
    pub(super) fn drain(&mut self, chosen: impl Fn(&T) -> bool) -> Vec<T> {
        let (out, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| chosen(&waiting.request));
        self.waiting = rest;
        out.into_iter().map(|waiting| waiting.request).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn operation(name: &str) -> Origin {
        Origin::Operation(name.into())
    }

    fn leave(queue: &mut Queue<u32>) -> Vec<u32> {
        let mut left = Vec::new();
        while let Some(at) = queue.in_turn().first().copied() {
            left.extend(queue.take(at).map(|waiting| waiting.request));
        }
        left
    }

    #[test]
    fn a_person_is_served_before_all_that_waited_longer() {
        let mut queue = Queue::default();
        (0..20).for_each(|request| queue.push(operation("a"), request));
        queue.push(Origin::Person, 100);
        queue.push(Origin::Person, 101);
        assert_eq!(leave(&mut queue)[..3], [100, 101, 0]);
    }

    #[test]
    fn operations_take_turns_however_many_requests_one_has() {
        let mut queue = Queue::default();
        (0..4).for_each(|request| queue.push(operation("a"), request));
        (10..12).for_each(|request| queue.push(operation("b"), request));
        queue.push(operation("c"), 20);
        assert_eq!(leave(&mut queue), [0, 10, 20, 1, 11, 2, 3]);
    }

    #[test]
    fn who_was_just_served_waits_for_those_who_come_later() {
        let mut queue = Queue::default();
        queue.push(operation("a"), 0);
        queue.push(operation("a"), 1);
        queue.take(0);
        queue.push(operation("b"), 10);
        assert_eq!(leave(&mut queue), [10, 1]);
    }

    proptest! {
        /// Between two turns of one operation no other one that waits gets two.
        #[test]
        fn nobody_is_served_twice_while_another_waits(origins in prop::collection::vec(0_u8..4, 1..60)) {
            let mut queue = Queue::default();
            for (request, origin) in origins.iter().enumerate() {
                queue.push(operation(&origin.to_string()), request);
            }
            let mut left: Vec<usize> = Vec::new();
            while let Some(at) = queue.in_turn().first().copied() {
                left.extend(queue.take(at).map(|waiting| waiting.request));
            }
            let turns = |origin: u8, upto: usize| left[..upto].iter().filter(|request| origins[**request] == origin).count();
            for upto in 0..left.len() {
                for (one, two) in [(0, 1), (1, 2), (2, 3), (0, 3)] {
                    let waits = |origin: u8| turns(origin, left.len()) > turns(origin, upto);
                    if waits(one) && waits(two) {
                        prop_assert!(turns(one, upto).abs_diff(turns(two, upto)) <= 1);
                    }
                }
            }
            let mut all = left.clone();
            all.sort_unstable();
            prop_assert_eq!(all, (0..origins.len()).collect::<Vec<_>>());
        }
    }
}
