//! `ktrdr data import`: send CSV files to the daemon, which stores their bars.

mod report;
mod upload;

use std::path::PathBuf;

use clap::ValueEnum;
use ktrdr_proto::{
    reason,
    v1::{
        ImportFile, ImportRequest, ImportStart, Operation, Timeframe, TradingSession, WhatToShow, import_request::Part,
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    flags::{What, timeframe},
    follow::{self, Interrupts},
    output::{Talk, progress::Progress},
};

pub(crate) use report::tables;

/// Pieces of a file between the disk and the socket; two keep both busy.
const PIECES_WAITING_MAX: usize = 2;

/// Store the bars of CSV files
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data import AAPL_1h.csv EURUSD_1d.csv           symbol and timeframe from the names
  ktrdr data import export.csv --symbol AAPL -t 1h --timezone America/New_York
  ktrdr data import data/*.csv --strict --format json

Only rows that cannot be stored are rejected; the others are stored. Exits 1 when nothing was, or with --strict when
any row was rejected.")]
pub(crate) struct Args {
    /// CSV files, best named `SYMBOL_TIMEFRAME.csv`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Instead of the symbol in the file's name
    #[arg(long)]
    symbol: Option<String>,

    /// Instead of the timeframe in the file's name
    #[arg(short, long, value_name = "TF", value_parser = timeframe)]
    timeframe: Option<Timeframe>,

    /// Zone of stamps that carry none, such as `America/New_York`
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,

    /// Which hours the bars cover [default: read from the bars]
    #[arg(long, value_enum)]
    session: Option<Session>,

    /// What the prices are made of [default: trades, midpoint for currency pairs]
    #[arg(long, value_enum)]
    what: Option<What>,

    /// Exit 1 when any row was rejected
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Session {
    All,
    Regular,
}

impl Args {
    /// The announcement of one file. The daemon reads the label's last component, and never opens it.
    fn announcement(&self, label: String) -> ImportFile {
        let session = match self.session {
            None => TradingSession::Unspecified,
            Some(Session::All) => TradingSession::AllHours,
            Some(Session::Regular) => TradingSession::RegularHours,
        };
        ImportFile {
            label,
            symbol: self.symbol.clone(),
            timeframe: self.timeframe.unwrap_or(Timeframe::Unspecified).into(),
            time_zone: self.timezone.clone(),
            session: session.into(),
            what_to_show: self.what.map_or(WhatToShow::Unspecified, WhatToShow::from).into(),
        }
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let files = upload::Files::verify(&args.files, |label| args.announcement(label))?;
    let mut interrupts = Interrupts::cancel()?;
    let client = context.client()?;
    let operation = tokio::select! {
        operation = send(&client, context.talk, files) => operation?,
        // The operation begins when everything was received.
        () = interrupts.next() => return Err(unsent().into()),
    };
    let ended = follow::started(&client, context.talk, &operation, interrupts, true).await;
    report::print(context, json, args.strict, &ended?)
}

fn unsent() -> Failure {
    Failure::new(&reason::INTERRUPTED_BY_USER, "interrupted while the files were sent")
        .hint("nothing was stored; run the same command again")
}

/// Sends every byte, then awaits the operation. A file that breaks off resets the call: the daemon must not take what
/// came for the whole.
async fn send(client: &Client, talk: Talk, files: upload::Files) -> Result<Operation, Failure> {
    let (pieces, waiting) = mpsc::channel(PIECES_WAITING_MAX);
    let start = ImportRequest { part: Some(Part::Start(ImportStart { request_id: client.request_id() })) };
    let progress = Progress::of_bytes(talk, files.bytes());
    let mut upload = tokio::spawn(files.send(start, pieces, client.clone(), progress.clone()));
    let mut service = client.market_data();
    let mut call = Box::pin(client.answer_at_last(service.import(client.request(ReceiverStream::new(waiting)))));
    let answer = tokio::select! {
        // An early answer is a refusal; nobody wants the rest then.
        answer = &mut call => answer,
        sent = &mut upload => match sent.map_err(|error| upload::broken(&error)).and_then(|sent| sent) {
            Ok(()) => tokio::time::timeout(client.limit(), call).await.unwrap_or_else(|_| Err(client.timed_out())),
            Err(failure) => {
                drop(call);
                Err(failure)
            }
        },
    };
    progress.clear();
    Ok(answer?.operation.unwrap_or_default())
}
