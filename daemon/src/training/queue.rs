//! Who gets the next slot, and where (pure): priority, then fair by strategy, then first come. A session that fits no
//! free host keeps nobody behind it waiting.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: String,
    /// When it was entered: who came first.
    pub(super) number: u64,
    /// 0 to 9, higher first.
    pub(super) priority: u32,
    pub(super) strategy: String,
    /// Only there.
    pub(super) host: Option<String>,
    /// Only where all of them are.
    pub(super) labels: Vec<String>,
}

/// A host at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) slots: usize,
    pub(super) taken: usize,
    /// It answers late, if at all: only when no other is free.
    pub(super) slow: bool,
    /// It is up, and has not just said that it is busy.
    pub(super) usable: bool,
}

impl Place {
    fn fits(&self, waiting: &Waiting) -> bool {
        fits(waiting.host.as_deref(), &waiting.labels, &self.name, &self.labels)
    }

    fn free(&self) -> bool {
        self.usable && self.taken < self.slots
    }
}

/// Whether a host of this name, with these labels, is one that somebody wants.
pub(super) fn fits(wanted: Option<&str>, labels: &[String], name: &str, own: &[String]) -> bool {
    wanted.is_none_or(|wanted| wanted == name) && labels.iter().all(|label| own.contains(label))
}

/// What strategies have had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shares {
    /// Sessions with a slot.
    running: BTreeMap<String, usize>,
    /// When each was served last, in services of anybody.
    served: BTreeMap<String, u64>,
    services: u64,
}

impl Shares {
    /// One more has a slot.
    pub(super) fn serve(&mut self, strategy: &str) {
        self.services += 1;
        *self.running.entry(strategy.to_owned()).or_default() += 1;
        self.served.insert(strategy.to_owned(), self.services);
    }

    /// One fewer has.
    pub(super) fn release(&mut self, strategy: &str) {
        if let Some(count) = self.running.get_mut(strategy) {
            *count = count.saturating_sub(1);
        }
    }

    /// Fewest running first, and of those who was served longest ago.
    fn rank(&self, strategy: &str) -> (usize, u64) {
        let running = self.running.get(strategy).copied().unwrap_or(0);
        (running, self.served.get(strategy).copied().unwrap_or(0))
    }
}

/// Those who wait, in the order in which they would be served.
pub(super) fn order<'a>(waiting: &'a [Waiting], shares: &Shares) -> Order<'a> {
    let mut left: Vec<&Waiting> = waiting.iter().collect();
    left.sort_by_key(|one| (Reverse(one.priority), one.number));
    Order { left: left.into(), shares: shares.clone(), lines: BTreeMap::new(), heads: BTreeSet::new() }
}

/// A line for each strategy of the highest priority that is left. Who is served counts as running for those behind: that
/// moves the rank of one line, and only its head can be next.
#[derive(Debug)]
pub(super) struct Order<'a> {
    /// By priority, then who came first; without those in line.
    left: VecDeque<&'a Waiting>,
    shares: Shares,
    lines: BTreeMap<&'a str, VecDeque<&'a Waiting>>,
    /// Rank, number, strategy.
    heads: BTreeSet<((usize, u64), u64, &'a str)>,
}

impl<'a> Order<'a> {
    fn line_up(&mut self) {
        let Some(priority) = self.left.front().map(|one| one.priority) else { return };
        while let Some(one) = self.left.pop_front_if(|one| one.priority == priority) {
            self.lines.entry(&one.strategy).or_default().push_back(one);
        }
        let heads: Vec<&'a str> = self.lines.keys().copied().collect();
        for strategy in heads {
            self.head(strategy);
        }
    }

    fn head(&mut self, strategy: &'a str) {
        if let Some(one) = self.lines.get(strategy).and_then(VecDeque::front) {
            self.heads.insert((self.shares.rank(strategy), one.number, strategy));
        }
    }
}

impl<'a> Iterator for Order<'a> {
    type Item = &'a Waiting;

    fn next(&mut self) -> Option<&'a Waiting> {
        if self.heads.is_empty() {
            self.line_up();
        }
        let (_, _, strategy) = self.heads.pop_first()?;
        let one = self.lines.get_mut(strategy)?.pop_front();
        self.shares.serve(strategy);
        self.head(strategy);
        one
    }
}

/// The next to start, and its host: the least loaded that fits, the first of the configuration among equals.
pub(super) fn next(waiting: &[Waiting], places: &[Place], shares: &Shares) -> Option<(String, String)> {
    if !places.iter().any(Place::free) {
        return None;
    }
    order(waiting, shares).find_map(|one| {
        let fitting = places.iter().filter(|place| place.free() && place.fits(one));
        // a/b < c/d without dividing
        let place = fitting.min_by(|a, b| a.slow.cmp(&b.slow).then((a.taken * b.slots).cmp(&(b.taken * a.slots))))?;
        Some((one.id.clone(), place.name.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, number: u64, priority: u32, strategy: &str) -> Waiting {
        Waiting { id: id.into(), number, priority, strategy: strategy.into(), host: None, labels: vec![] }
    }

    fn place(name: &str, slots: usize, taken: usize) -> Place {
        Place { name: name.into(), labels: vec![], slots, taken, slow: false, usable: true }
    }

    fn ids(waiting: &[Waiting], running: &[(&str, usize)]) -> Vec<String> {
        let mut shares = Shares::default();
        for (name, count) in running {
            (0..*count).for_each(|_| shares.serve(name));
        }
        order(waiting, &shares).map(|one| one.id.clone()).collect()
    }

    #[test]
    fn priority_then_fair_then_first_come() {
        let waiting = [one("a1", 1, 5, "a"), one("a2", 2, 5, "a"), one("b1", 3, 5, "b"), one("a3", 4, 9, "a")];
        assert_eq!(ids(&waiting, &[]), ["a3", "b1", "a1", "a2"]);
        assert_eq!(ids(&waiting[..3], &[]), ["a1", "b1", "a2"]);
        assert_eq!(ids(&waiting[..3], &[("b", 2)]), ["a1", "a2", "b1"]);
    }

    #[test]
    fn with_one_slot_strategies_take_turns() {
        let waiting = [one("a2", 2, 5, "a"), one("a3", 3, 5, "a"), one("b1", 4, 5, "b")];
        let mut shares = Shares::default();
        shares.serve("a");
        shares.release("a");
        assert_eq!(order(&waiting, &shares).map(|one| one.id.as_str()).collect::<Vec<_>>(), ["b1", "a2", "a3"]);
    }

    #[test]
    fn the_least_loaded_host_takes_it_and_who_fits_nowhere_blocks_nobody() {
        let mut waiting = vec![one("x", 1, 9, "s"), one("y", 2, 5, "s")];
        let places = [place("one", 2, 1), place("two", 4, 1), place("three", 1, 1)];
        let chosen = |waiting: &[Waiting], places: &[Place]| next(waiting, places, &Shares::default());
        assert_eq!(chosen(&waiting, &places), Some(("x".into(), "two".into())));
        waiting[0].host = Some("three".into());
        assert_eq!(chosen(&waiting, &places), Some(("y".into(), "two".into())));
        waiting[1].labels = vec!["a100".into()];
        assert_eq!(chosen(&waiting, &places), None);
        let down = Place { usable: false, ..place("one", 2, 0) };
        assert_eq!(chosen(&[one("z", 1, 5, "s")], &[down]), None);
        let fits_any = |waiting: &Waiting| places.iter().any(|place| place.fits(waiting));
        assert!(!fits_any(&waiting[1]) && fits_any(&waiting[0]));
    }

    /// The rule as one would say it: again and again the least of all that are left.
    fn said(waiting: &[Waiting], shares: &Shares) -> Vec<String> {
        let (mut shares, mut left) = (shares.clone(), waiting.to_vec());
        let mut served = Vec::new();
        while !left.is_empty() {
            let key = |one: &Waiting| (u32::MAX - one.priority, shares.rank(&one.strategy), one.number);
            let first = (0..left.len()).min_by_key(|at| key(&left[*at])).unwrap();
            let one = left.remove(first);
            shares.serve(&one.strategy);
            served.push(one.id);
        }
        served
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_the_one_that_the_rule_says(
            people in proptest::collection::vec((0u32..3, 0usize..4), 0..40),
            running in proptest::collection::vec(0usize..4, 0..10),
        ) {
            let waiting: Vec<_> = people.iter().enumerate()
                .map(|(at, (priority, strategy))| one(&at.to_string(), at as u64, *priority, &strategy.to_string())).collect();
            let mut shares = Shares::default();
            for strategy in &running {
                shares.serve(&strategy.to_string());
            }
            let ids: Vec<_> = order(&waiting, &shares).map(|one| one.id.clone()).collect();
            proptest::prop_assert_eq!(ids, said(&waiting, &shares));
        }

        /// Slots are never overbooked, and everybody who can be served is.
        #[test]
        fn all_slots_are_used_and_none_twice(
            slots in proptest::collection::vec(1usize..4, 1..5),
            people in proptest::collection::vec((0u32..10, 0usize..3), 0..30),
        ) {
            let mut places: Vec<_> = slots.iter().enumerate().map(|(at, slots)| place(&at.to_string(), *slots, 0)).collect();
            let mut waiting: Vec<_> = people.iter().enumerate()
                .map(|(at, (priority, strategy))| one(&at.to_string(), at as u64, *priority, &strategy.to_string())).collect();
            let (all, room) = (waiting.len(), slots.iter().sum::<usize>());
            let mut shares = Shares::default();
            let mut served = 0;
            while let Some((id, host)) = next(&waiting, &places, &shares) {
                let at = waiting.iter().position(|one| one.id == id).unwrap();
                shares.serve(&waiting.remove(at).strategy);
                places.iter_mut().find(|place| place.name == host).unwrap().taken += 1;
                served += 1;
            }
            proptest::prop_assert_eq!(served, all.min(room));
            proptest::prop_assert!(places.iter().all(|place| place.taken <= place.slots));
        }
    }
}
