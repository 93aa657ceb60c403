//! `ktrdr-bare serve SOCKET`
//! `ktrdr-bare calls SOCKET echo|status|operations|range CONNECTIONS IN_FLIGHT MILLISECONDS`
//! `ktrdr-bare bars SOCKET bare|typed|kept SYMBOL ROWS TIMES`
//!
//! One JSON document on stdout; `serve` says nothing.

use std::{
    io::{Write as _, stdout},
    path::Path,
    time::Duration,
};

use anyhow::{Result, bail};
use ktrdr_bare::{
    bars::{self, From, Wanted},
    calls::{self, Call, Load},
    server,
};

/// Of the server: as many as `ktrdrd` has.
const WORKERS: usize = 2;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // a client with more threads is slower
    let client = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    match words.as_slice() {
        ["serve", socket] => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
            runtime.block_on(server::serve(Path::new(socket)))
        }
        ["calls", socket, call, connections, in_flight, lasts] => {
            let lasts = Duration::from_millis(lasts.parse()?);
            let load = Load { connections: connections.parse()?, in_flight: in_flight.parse()?, lasts };
            let outcome = client()?.block_on(calls::run(Path::new(socket), Call::named(call)?, load))?;
            let [took, p50, p99] = [outcome.took, outcome.p50, outcome.p99].map(|time| time.as_secs_f64());
            let calls::Outcome { calls, bytes, .. } = outcome;
            let document = format!(r#"{{"calls":{calls},"took":{took},"p50":{p50},"p99":{p99},"bytes":{bytes}}}"#);
            Ok(writeln!(stdout(), "{document}")?)
        }
        ["bars", socket, from, symbol, rows, times] => {
            let from = match *from {
                "bare" => From::Bare,
                "typed" => From::Typed,
                "kept" => From::Kept,
                _ => bail!("{from} is not a sender: bare, typed or kept"),
            };
            let wanted = Wanted { from, symbol: (*symbol).to_owned(), rows: rows.parse()?, times: times.parse()? };
            let took = client()?.block_on(bars::run(Path::new(socket), &wanted))?;
            let took: Vec<f64> = took.iter().map(Duration::as_secs_f64).collect();
            Ok(writeln!(stdout(), r#"{{"took":{took:?}}}"#)?)
        }
        _ => bail!("serve SOCKET | calls SOCKET CALL CONNECTIONS IN_FLIGHT MS | bars SOCKET FROM SYMBOL ROWS TIMES"),
    }
}
