//! `ktrdr data verify`: whether each file is what was written.

use ktrdr_proto::{reason, v1::VerifyRequest};
use serde::Serialize;

use super::check::{Chosen, wanted};
use crate::{
    context::Context,
    failure::{Failure, Stop},
    output::table::{Align, Cell, Table, Tone, bytes, thousands},
    views::housekeeping::VerifyView,
};

/// Whether each file is what was written
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data verify
  ktrdr data verify AAPL -t 1h --format json

Reads every byte and holds it against the checksum in the ledger. Exit code 1 when a file is damaged; `data repair` loads
it again. What is in the bars is looked at by `data check`.")]
pub(crate) struct Args {
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Debug, Serialize)]
struct View {
    files: Vec<VerifyView>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let series = wanted(&client, &args.chosen).await?;
    if series.is_empty() && !json {
        context.talk.say("Nothing is stored yet: ktrdr data load AAPL");
        return Ok(());
    }
    let mut view = View { files: Vec::new() };
    if !series.is_empty() {
        let request = client.request(VerifyRequest { series });
        let mut answers = client.answer(client.housekeeping().verify(request)).await?;
        while let Some(answer) = client.message(&mut answers).await? {
            view.files.push(VerifyView::from(answer));
        }
    }
    if json {
        context.out.document(&view)?;
    } else {
        context.out.table(&table(&view))?;
    }
    let damaged = view.files.iter().filter(|file| file.damage.is_some()).count();
    if damaged == 0 {
        return Ok(());
    }
    let message = format!("{damaged} of {} files are damaged", view.files.len());
    Err(Failure::new(&reason::CHECK_FAILED, message).hint("ktrdr data repair SYMBOL -t TF loads them again").into())
}

fn table(view: &View) -> Table {
    let mut table = Table::new([
        ("Series", Align::Left),
        ("Year", Align::Right),
        ("Bars", Align::Right),
        ("Size", Align::Right),
        ("File", Align::Left),
    ]);
    for file in &view.files {
        let said = match &file.damage {
            None => Cell::toned("as written", Tone::Good),
            Some(damage) => Cell::toned(damage.as_str(), Tone::Bad),
        };
        table.row([
            format!("{} {}", file.symbol, file.timeframe).into(),
            file.year.to_string().into(),
            thousands(file.bars).into(),
            bytes(file.bytes).into(),
            said,
        ]);
    }
    table
}
