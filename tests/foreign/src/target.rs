//! A reader, its corpus, and a run.

use std::{
    cell::Cell,
    collections::HashSet,
    env, fs,
    panic::{self, AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Once,
    time::{Duration, Instant},
};

use fastrand::Rng;

use crate::{
    answer::{Answer, fit_to_print, kind},
    broken,
    mutation::{Mutator, words},
    watch::Watch,
};

/// Of runs that are not told another one.
pub const SEED: u64 = 20_250_606;
/// Inputs that are kept beside the corpus because of their answers.
const KEPT_MAX: usize = 2_000;
/// Of a thread's own, of libraries that set themselves up, and of the answer.
const MEMORY_PLUS: u64 = 1 << 20;
const MEMORY_TIMES: u64 = 16;
/// Bytes of an explanation, beside what it quotes.
const ANSWER_MAX: usize = 8_000;

/// How long to go on with each target; absent: a few inputs, the same each time.
pub fn seconds() -> Option<Duration> {
    let seconds: u64 = env::var("KTRDR_FUZZ_SECONDS").ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What the run is drawn from.
pub fn seed() -> u64 {
    let told = env::var("KTRDR_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    told.unwrap_or_else(|| if seconds().is_some() { fastrand::u64(..) } else { SEED })
}

/// What is read, and how much of it.
#[derive(Debug)]
pub struct Target {
    name: String,
    corpus: PathBuf,
    count: u32,
    longest: usize,
    memory: (u64, u64),
}

/// What happened, for the line at the end.
#[derive(Debug, Default)]
struct Tally {
    tried: u64,
    taken: u64,
    slowest: Duration,
    memory: u64,
}

impl Target {
    /// `package`: the folder of the crate, whose `corpus/NAME` holds the inputs.
    pub fn new(package: &str, name: &str) -> Self {
        let corpus = Path::new(package).join("corpus").join(name);
        Self { name: name.into(), corpus, count: 3_000, longest: 1 << 16, memory: (MEMORY_TIMES, MEMORY_PLUS) }
    }

    /// How many inputs are made in a short run; for readers that take their time.
    #[must_use]
    pub fn count(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// Bytes of an input.
    #[must_use]
    pub fn longest(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// What it may hold: so many times its input, and so many bytes more. Only what the calling thread takes is counted: a reader
    /// that hands its work to other threads is not bounded by this.
    #[must_use]
    pub fn memory(self, times: u64, plus: u64) -> Self {
        Self { memory: (times, plus), ..self }
    }

    /// Tries the corpus and what is made of it.
    ///
    /// # Panics
    /// When a law does not hold, and when the corpus shows only one of the two answers: such a test would see nothing.
    pub fn check(&self, read: impl Fn(&[u8]) -> Answer) {
        let run = Run { target: self, watch: Watch::new(&self.name), read, tally: Cell::default() };
        if let Some(path) = env::var_os("KTRDR_FUZZ_INPUT").map(PathBuf::from) {
            if path.parent().is_some_and(|folder| folder.ends_with(&self.name)) {
                let answer = run.try_one(&fs::read(&path).unwrap_or_default(), &|| format!("{}", path.display()));
                say(&format!("{}: {answer:?}", path.display()));
            }
            return;
        }
        let mut corpus = Vec::new();
        let mut kinds = HashSet::new();
        for path in files(&self.corpus) {
            let input = fs::read(&path).unwrap_or_default();
            kinds.insert(kind(&run.try_one(&input, &|| format!("{}", path.display()))));
            corpus.push(input);
        }
        let Tally { tried, taken, .. } = run.tally();
        assert!(taken > 0 && taken < tried, "{}: of {tried} files, {taken} were taken", self.corpus.display());
        run.go_on(corpus, kinds);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

struct Run<'a, R> {
    target: &'a Target,
    watch: Watch,
    read: R,
    tally: Cell<Tally>,
}

impl<R: Fn(&[u8]) -> Answer> Run<'_, R> {
    fn tally(&self) -> Tally {
        let tally = self.tally.take();
        let copy = Tally { ..tally };
        self.tally.set(copy);
        tally
    }

    fn go_on(&self, mut corpus: Vec<Vec<u8>>, mut kinds: HashSet<u64>) {
        let (seed, began) = (seed(), Instant::now());
        // the same for one target, whatever other targets there are
        let mut rng =
            Rng::with_seed(self.target.name.bytes().fold(seed, |sum, byte| sum.rotate_left(8) ^ u64::from(byte)));
        let (words, own) = (words(&corpus), corpus.len());
        let ends = |made: u64| match seconds() {
            Some(seconds) => began.elapsed() >= seconds,
            None => made >= u64::from(self.target.count),
        };
        let mut made = 0;
        while !ends(made) {
            made += 1;
            let mutator = Mutator { others: &corpus, words: &words, longest: self.target.longest };
            // what is right or nearly so leads further than what was refused in some other way
            let from = if rng.bool() { &corpus[..own] } else { corpus.as_slice() };
            let mut input = rng.choice(from).cloned().unwrap_or_default();
            mutator.mutate(&mut rng, &mut input);
            let answer = self.try_one(&input, &|| format!("input {made} of seed {seed}"));
            if corpus.len() < own + KEPT_MAX && kinds.insert(kind(&answer)) {
                corpus.push(input);
            }
        }
        self.report(own, made, seed, kinds.len(), began.elapsed());
    }

    fn report(&self, own: usize, made: u64, seed: u64, kinds: usize, took: Duration) {
        let Tally { taken, slowest, memory, .. } = self.tally();
        say(&format!(
            "{}: {own} of the corpus and {made} made of seed {seed} in {:.1} s; {taken} taken, {kinds} kinds of answers, the slowest \
             {:.1} ms, at most {} KiB held",
            self.target.name,
            took.as_secs_f64(),
            slowest.as_secs_f64() * 1e3,
            memory >> 10,
        ));
    }

    /// An input that breaks a law ends the test.
    fn try_one(&self, input: &[u8], whence: &dyn Fn() -> String) -> Answer {
        match self.attempt(input) {
            Ok(answer) => answer,
            Err(why) => {
                let shortest = broken::cut_down(input, |input| self.attempt(input).is_err());
                let why = self.attempt(&shortest).err().unwrap_or(why);
                broken::keep(&self.target.name, &shortest, &format!("{why}\n  found with {}", whence()));
                panic_with(&self.target.name, &why)
            }
        }
    }

    /// Its answer, or which law it broke.
    fn attempt(&self, input: &[u8]) -> Result<Answer, String> {
        self.watch.begin(input);
        let (began, mut caught) = (Instant::now(), None);
        let quiet = Quiet::begin();
        let held = allocation_counter::measure(|| {
            caught = Some(catch_unwind(AssertUnwindSafe(|| {
                let answer = (self.read)(input);
                if let Err(told) = &answer {
                    fit_to_print(told);
                    // a line of the file and what is said about it, not a book
                    assert!(told.len() <= ANSWER_MAX + 4 * input.len(), "the answer has {} bytes", told.len());
                }
                answer
            })));
        });
        drop(quiet);
        self.watch.done();
        let (times, plus) = self.target.memory;
        let most = input.len() as u64 * times + plus;
        let answer = match caught {
            Some(Ok(answer)) => answer,
            Some(Err(panic)) => return Err(format!("it panicked: {}", message(panic.as_ref()))),
            None => return Err("it did not run".into()),
        };
        if held.bytes_max > most {
            return Err(format!("it held {} bytes, for {} that it read", held.bytes_max, input.len()));
        }
        let mut tally = self.tally.take();
        tally.tried += 1;
        tally.taken += u64::from(answer.is_ok());
        tally.slowest = tally.slowest.max(began.elapsed());
        tally.memory = tally.memory.max(held.bytes_max);
        self.tally.set(tally);
        Ok(answer)
    }
}

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// On this thread a panic that a reader catches says nothing: a trace of it holds more memory than any reader may.
struct Quiet;

impl Quiet {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |told| {
                if !IS_QUIET.get() {
                    usual(told);
                }
            }));
        });
        IS_QUIET.set(true);
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        IS_QUIET.set(false);
    }
}

#[expect(clippy::print_stderr, reason = "for who looks at a run")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::panic, reason = "how a test fails")]
fn panic_with(target: &str, why: &str) -> ! {
    panic!("{target}: {why}")
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::new(env!("CARGO_MANIFEST_DIR"), "sample").count(2_000)
    }

    fn number(bytes: &[u8]) -> Answer {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        text.trim().parse::<i64>().map(|number| number.signum().to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reader_that_keeps_the_laws_passes() {
        target().check(number);
    }

    #[test]
    #[should_panic(expected = "it panicked: no sevens")]
    fn a_panic_is_found() {
        target().check(|bytes| {
            assert!(!bytes.contains(&b'7'), "no sevens");
            number(bytes)
        });
    }

    #[test]
    #[should_panic(expected = "it held")]
    fn a_reader_that_takes_its_input_at_its_word_is_found() {
        target().check(|bytes| {
            let length: usize = std::str::from_utf8(bytes).unwrap_or_default().trim().parse().unwrap_or(0);
            let room: Vec<u8> = Vec::with_capacity(length.min(1 << 26));
            drop(room);
            number(bytes)
        });
    }

    #[test]
    #[should_panic(expected = "0 were taken")]
    fn a_reader_that_takes_nothing_is_no_test() {
        target().check(|_| Err("no".into()));
    }
}
