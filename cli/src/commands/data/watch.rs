//! `ktrdr data watch`: bars as they are made.

use std::time::Duration;

use ktrdr_proto::{
    reason,
    spelling::Word as _,
    v1::{
        BarColumns, ClosedBars, LivePhase, LiveState, SubscribeHeader, SubscribeRequest, SubscribeResponse,
        TradingSession, WhatToShow, subscribe_response::Event,
    },
};
use tokio::time::timeout;
use tonic::{Request, Streaming};

use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    flags::{Series, What},
    follow::Interrupts,
    output::{
        bar,
        live::{LiveWriter, Origin},
    },
    time::Stamps,
    views::{timeframe, word},
};

/// A subscription is there within a second or two, unless the gateway's pacing is used up.
const SLOW: Duration = Duration::from_secs(5);

/// Print bars as they are made
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data watch AAPL -t 1m                           until Ctrl-C
  ktrdr data watch AAPL -t 5s --history 20              with the last 20 bars before
  ktrdr data watch EURUSD -t 5m --keep                  store the bars that close, too
  ktrdr data watch AAPL -t 1m --count 3 --format json   three closed bars, one a line

On a terminal the last line is the bar that is still open. Elsewhere each line is a bar that is over, as CSV or JSON. How
the subscription is, is told on stderr: a lost connection is made again by the daemon, and the hole filled.
Ctrl-C ends it with exit code 0, or 130 before --count bars have come.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    /// Regular trading hours only
    #[arg(long)]
    trading_hours: bool,

    /// What the prices are made of [default: trades, midpoint for currency pairs]
    #[arg(long, value_enum)]
    what: Option<What>,

    /// Store the bars that close, as a load does
    #[arg(long)]
    keep: bool,

    /// Begin with so many bars that are over, at most 300
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u32).range(..=300))]
    history: u32,

    /// Stop after so many bars that are over
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// A subscription on its way to the screen.
struct Watch<'a> {
    context: &'a mut Context,
    writer: LiveWriter,
    stamps: Stamps,
    count: Option<u64>,
    phase: LivePhase,
    /// Nothing has come yet, and that was not told.
    is_new: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let mut interrupts = Interrupts::cancel()?;
    let client = context.client()?;
    let session = if args.trading_hours { TradingSession::RegularHours } else { TradingSession::Unspecified };
    let request = client.request(SubscribeRequest {
        series: Some(args.series.into()),
        session: session.into(),
        what_to_show: args.what.map_or(WhatToShow::Unspecified, WhatToShow::from).into(),
        keep: args.keep,
        history: args.history,
    });
    let (header, mut events) = tokio::select! {
        begun = begin(&client, request) => begun?,
        () = interrupts.next() => return interrupted(args.count),
    };
    let decimals = if header.what_to_show() == WhatToShow::Trades { 4 } else { 5 };
    let writer = LiveWriter::new(context.format(), decimals);
    writer.begin(&mut context.out, &title(&header))?;
    let mut watch = Watch {
        context,
        writer,
        stamps: Stamps::default(),
        count: args.count,
        phase: LivePhase::Unspecified,
        is_new: true,
    };
    let ended = tokio::select! {
        ended = watch.follow(&client, &mut events) => ended,
        () = interrupts.next() => interrupted(args.count),
    };
    watch.writer.wipe(&mut watch.context.out)?;
    ended
}

async fn begin(
    client: &Client,
    request: Request<SubscribeRequest>,
) -> Result<(SubscribeHeader, Streaming<SubscribeResponse>), Failure> {
    let mut events = client.answer(client.market_data().subscribe(request)).await?;
    match client.message(&mut events).await?.and_then(|message| message.event) {
        Some(Event::Header(header)) => Ok((header, events)),
        _ => Err(garbled("it does not begin with its header")),
    }
}

/// Ctrl-C is how a watch ends, unless so many bars were wanted.
fn interrupted(count: Option<u64>) -> Result<(), Stop> {
    match count {
        None => Ok(()),
        Some(_) => Err(Failure::new(&reason::INTERRUPTED_BY_USER, "left before all bars had come").into()),
    }
}

impl Watch<'_> {
    /// Until enough bars have come.
    async fn follow(&mut self, client: &Client, events: &mut Streaming<SubscribeResponse>) -> Result<(), Stop> {
        loop {
            let message = match timeout(SLOW, events.message()).await {
                Ok(message) => message.map_err(|status| client.failure(&status))?,
                Err(_) if self.is_new && self.phase != LivePhase::Interrupted => {
                    self.is_new = false;
                    self.say(
                        "Not there yet: the gateway is asked, or its pacing is waited for; ktrdr ib status says which",
                    )?;
                    continue;
                }
                Err(_) => continue,
            };
            let Some(message) = message else {
                let text = format!("ktrdrd at {} ended the subscription", client.socket());
                return Err(Failure::new(&reason::DAEMON_UNREACHABLE, text).into());
            };
            self.is_new &= matches!(message.event, Some(Event::State(_)) | None) && self.phase != LivePhase::Flowing;
            match message.event {
                Some(Event::Closed(closed)) => {
                    self.closed(&closed)?;
                    if self.count == Some(0) {
                        return Ok(());
                    }
                }
                Some(Event::Running(columns)) => {
                    for bar in bar::of(&columns).ok_or_else(uneven)? {
                        self.writer.running(&mut self.context.out, &mut self.stamps, &bar)?;
                    }
                }
                Some(Event::Missed(missed)) => {
                    self.say(&format!("Too slow: {} bars were missed", missed.bars))?;
                }
                Some(Event::NotKept(lost)) => {
                    let (bars, why) = (lost.bars, lost.messages.join(": "));
                    self.say(&format!("Not kept: {bars} bars: {why} ({}); a load brings them later", lost.reason))?;
                }
                Some(Event::State(state)) => self.state(&state)?,
                // a daemon of tomorrow may tell more
                Some(Event::Header(_)) | None => {}
            }
        }
    }

    fn closed(&mut self, closed: &ClosedBars) -> Result<(), Stop> {
        if closed.gap_before {
            self.say("A bar may be missing here: the gateway gave no usable prices for it")?;
        }
        let wanted = usize::try_from(self.count.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let (mut told, mut gap_before) = (0, closed.gap_before);
        let none = BarColumns::default();
        let columns = closed.bars.as_ref().unwrap_or(&none);
        for bar in bar::of(columns).ok_or_else(uneven)?.take(wanted) {
            let origin = Origin { filled: closed.filled, gap_before: std::mem::take(&mut gap_before) };
            self.writer.closed(&mut self.context.out, &mut self.stamps, &bar, origin)?;
            told += 1;
        }
        self.count = self.count.map(|count| count - told);
        Ok(self.context.out.finish()?)
    }

    fn say(&mut self, text: &str) -> Result<(), Stop> {
        self.writer.wipe(&mut self.context.out)?;
        self.context.talk.say(text);
        Ok(())
    }

    /// Changes for the worse and back; that it begins needs no words.
    fn state(&mut self, state: &LiveState) -> Result<(), Stop> {
        let before = std::mem::replace(&mut self.phase, state.phase());
        match (before, state.phase()) {
            (_, LivePhase::Interrupted) => {
                let why = state.messages.join(": ");
                self.say(&format!("Interrupted: {why} ({})", state.reason))
            }
            (LivePhase::Interrupted, LivePhase::Flowing) => self.say("Bars come again; what was missed is filled in"),
            (_, phase) => {
                self.context.talk.note(&format!("The subscription is {}", phase.word()));
                Ok(())
            }
        }
    }
}

fn title(header: &SubscribeHeader) -> String {
    let series = header.series.as_ref();
    let symbol = series.map_or("", |series| series.symbol.as_str());
    let (session, what) = (word::<TradingSession>(header.session), word::<WhatToShow>(header.what_to_show));
    let kept = if header.keep { ", kept" } else { "" };
    format!("{symbol} {} live ({session} hours, {what}{kept})", timeframe(series))
}

fn uneven() -> Failure {
    garbled("columns of different length came")
}

fn garbled(text: &str) -> Failure {
    Failure::new(&reason::INTERNAL, format!("the daemon's answer cannot be used: {text}"))
}
