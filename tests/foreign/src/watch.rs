//! An input that does not come to an end, found by somebody else than who waits for it.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::broken;

/// For inputs of some kilobytes, which take a millisecond; however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);

enum Word {
    Begun(Vec<u8>),
    Done,
}

/// Looks at the clock while a reader reads. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Watch(mpsc::Sender<Word>);

impl Watch {
    pub(crate) fn new(target: &str) -> Self {
        let (words, heard) = mpsc::channel();
        let target = target.to_owned();
        thread::spawn(move || {
            while let Ok(Word::Begun(input)) = heard.recv() {
                match heard.recv_timeout(LIMIT) {
                    Ok(_) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        broken::keep(&target, &input, &format!("it did not come to an end within {LIMIT:?}"));
                        // a thread that reads for ever can only be ended so
                        std::process::abort();
                    }
                }
            }
        });
        Self(words)
    }

    pub(crate) fn begin(&self, input: &[u8]) {
        self.0.send(Word::Begun(input.to_vec())).unwrap_or_default();
    }

    pub(crate) fn done(&self) {
        self.0.send(Word::Done).unwrap_or_default();
    }
}
