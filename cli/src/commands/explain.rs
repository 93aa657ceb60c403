//! `ktrdr explain`: the page of an error, offline. The pages are `docs/TROUBLESHOOTING.md`, which the program carries.

use clap_complete::ArgValueCompleter;
use ktrdr_proto::reason::{self, Reason};
use serde::Serialize;

use crate::{
    commands::completions::reasons,
    context::Context,
    failure::{Failure, Stop},
    output::table::{Align, Table},
};

const PAGES: &str = include_str!("../../../docs/TROUBLESHOOTING.md");
/// What a misspelt reason is answered with.
const SUGGESTIONS: usize = 5;

/// What an error means and what to do about it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr explain GATEWAY_WEDGED
  ktrdr explain                    lists them all
  ktrdr explain LOAD_INCOMPLETE --format json

Needs no daemon and no network.")]
pub(crate) struct Args {
    /// The reason of an error, as --format json prints it; without one, all are listed
    #[arg(add = ArgValueCompleter::new(reasons))]
    reason: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    reason: &'a str,
    exit: u8,
    code: String,
    hint: &'a str,
    text: String,
}

pub(crate) fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let Some(name) = args.reason else { return list(json, context) };
    let name = name.trim().to_ascii_uppercase().replace('-', "_");
    let Some(reason) = reason::find(&name) else { return Err(unknown(&name).into()) };
    if json {
        return Ok(context.out.document(&view(reason))?);
    }
    context.out.line(reason.name)?;
    context.out.line("")?;
    Ok(context.out.line(&page(reason.name).unwrap_or_default())?)
}

fn list(json: bool, context: &mut Context) -> Result<(), Stop> {
    if json {
        return Ok(context.out.document(&reason::ALL.iter().map(view).collect::<Vec<_>>())?);
    }
    let mut table = Table::new([("Reason", Align::Left), ("Exit", Align::Right), ("Meaning", Align::Left)]);
    for reason in reason::ALL {
        let meaning = page(reason.name).unwrap_or_default();
        let meaning = meaning.split(" Exit ").next().unwrap_or_default();
        let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        table.row([reason.name.into(), reason.exit.to_string().into(), meaning.into()]);
    }
    Ok(context.out.table(&table)?)
}

fn view(reason: &Reason) -> View<'_> {
    let code = format!("{:?}", reason.code);
    View {
        reason: reason.name,
        exit: reason.exit,
        code,
        hint: reason.hint,
        text: page(reason.name).unwrap_or_default(),
    }
}

/// The text below the heading of a reason, without the marks of the page.
fn page(name: &str) -> Option<String> {
    let (_, rest) = PAGES.split_once(&format!("\n### {name}\n"))?;
    let text = rest.split("\n#").next().unwrap_or_default().trim();
    Some(text.replace("*What to do:*", "What to do:").replace('`', ""))
}

fn unknown(name: &str) -> Failure {
    let word = name.split('_').find(|word| word.len() > 3).unwrap_or(name);
    let near: Vec<_> = reason::ALL.iter().map(|reason| reason.name).filter(|known| known.contains(word)).collect();
    let failure = Failure::new(&reason::REQUEST_INVALID, format!("there is no reason {name}"));
    match near.as_slice() {
        [] => failure.hint("ktrdr explain lists them all"),
        near => failure.hint(format!("did you mean {}?", near[..near.len().min(SUGGESTIONS)].join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_page_that_is_current_and_every_page_a_reason() {
        for reason in reason::ALL {
            let page = page(reason.name).unwrap_or_else(|| panic!("docs/TROUBLESHOOTING.md lacks {}", reason.name));
            assert!(
                page.contains(&format!(" Exit {}, gRPC {:?}.", reason.exit, reason.code)),
                "{}: {page}",
                reason.name
            );
            assert!(page.contains("What to do: "), "{}", reason.name);
            // the words between the values that an error fills in
            for part in reason.hint.split(['{', '}']).step_by(2).filter(|part| part.len() > 8) {
                let part = part.trim_end_matches([' ', ')', '(', '?']);
                assert!(page.contains(part), "{}: the page does not say {part:?}", reason.name);
            }
        }
        let headings: Vec<_> = PAGES.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        assert_eq!(headings.len(), reason::ALL.len());
        for (_, rest) in PAGES.match_indices("](#").map(|(at, part)| PAGES.split_at(at + part.len())) {
            let anchor = rest.split(')').next().unwrap_or_default().to_ascii_uppercase();
            assert!(headings.contains(&anchor.as_str()), "{anchor} leads nowhere");
        }
    }

    #[test]
    fn a_misspelt_reason_is_answered_with_near_ones() {
        let hint = |name: &str| unknown(name).next_step().unwrap_or_default().to_owned();
        assert!(hint("WEDGED").contains("GATEWAY_WEDGED"));
        assert!(hint("NOPE").contains("lists them all"));
    }
}
